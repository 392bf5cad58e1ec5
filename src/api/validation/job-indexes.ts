/** Lists of completion indexes such as `0-2,5` (batch/validation validateIndexesFormat). */

type Interval = readonly [from: number, to: number];

/** How many indexes the text names, or why it is no list of indexes below `completions` in rising order. */
export function indexesOf(text: string, completions: number): { readonly total: number; readonly problem?: string } {
  let last: number | undefined;
  let total = 0;
  for (const part of text === '' ? [] : text.split(',')) {
    const interval = intervalOf(part, completions);
    if (typeof interval === 'string') return { total: 0, problem: interval };
    const [from, to] = interval;
    if (last !== undefined && last >= from) return { total: 0, problem: `non-increasing order, previous: ${last}, current: ${from}` };
    total += to - from + 1;
    last = to;
  }
  return { total };
}

/** One interval, or the problem of its text. */
function intervalOf(text: string, completions: number): Interval | string {
  const limits = text.split('-');
  if (limits.length > 2)
    return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  for (const limit of limits) {
    if (!/^[+-]?\d+$/.test(limit)) return `cannot convert string to integer for index: ${JSON.stringify(limit)}`;
    if (Number(limit) >= completions) return `too large index: ${JSON.stringify(limit)}`;
  }
  const [from = 0, to = from] = limits.map(Number);
  if (limits.length > 1 && from >= to) return `non-increasing order, previous: ${from}, current: ${to}`;
  return [from, to];
}

/** The first index that two lists share; intervals that cannot be read are passed over, as upstream reports them elsewhere. */
export function sharedIndex(a: string, b: string, completions: number): number | undefined {
  const [left, right] = [intervalsOf(a, completions), intervalsOf(b, completions)];
  let [i, j] = [0, 0];
  for (;;) {
    const [one, other] = [left[i], right[j]];
    if (one === undefined || other === undefined) return undefined;
    if (one[0] <= other[1] && other[0] <= one[1]) return Math.max(one[0], other[0]);
    if (one[0] <= other[0]) i++;
    else j++;
  }
}

function intervalsOf(text: string, completions: number): readonly Interval[] {
  const parts = text === '' ? [] : text.split(',');
  return parts.map((part) => intervalOf(part, completions)).filter((interval): interval is Interval => typeof interval !== 'string');
}
