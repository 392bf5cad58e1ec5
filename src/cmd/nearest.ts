/** Finds what somebody may have meant to type. */

const NEAREST_MAX = 3;
/** Names that differ in more than this share of their letters were hardly meant. */
const DIFFERENCE_MAX = 0.5;

/** Known names close to `name`, the closest first, at most three; upper and lower case count as the same. */
export function nearest(name: string, known: Iterable<string>): readonly string[] {
  return [...known]
    .map((each) => ({ each, distance: editDistance(name.toLowerCase(), each.toLowerCase()) }))
    .filter(({ each, distance }) => distance <= Math.max(name.length, each.length) * DIFFERENCE_MAX)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, NEAREST_MAX)
    .map(({ each }) => each);
}

/** Levenshtein: the least number of letters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
