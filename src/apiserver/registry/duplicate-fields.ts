/** Finds members that a JSON text sets twice, which parsing alone passes over (upstream: sigs.k8s.io/json strict decoding). */

/** Strings and punctuation; all else between them are numbers, literals and spaces. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

interface Level {
  readonly path: string;
  /** Names seen so far; undefined for a list. */
  readonly names: Set<string> | undefined;
  index: number;
  name: string;
}

/** Paths of the repeated members of a well-formed text, in the order in which they occur. */
export function duplicateFields(text: string): readonly string[] {
  const found: string[] = [];
  const levels: Level[] = [];
  let string = '';
  for (const [token] of text.matchAll(TOKENS)) {
    const level = levels.at(-1);
    if (token === '{' || token === '[') {
      levels.push({ path: level === undefined ? '' : memberPath(level), names: token === '{' ? new Set() : undefined, index: 0, name: '' });
    } else if (token === '}' || token === ']') levels.pop();
    else if (token === ',' && level !== undefined) level.index++;
    else if (token === ':' && level?.names !== undefined) {
      level.name = unquoted(string);
      if (level.names.has(level.name)) found.push(memberPath(level));
      level.names.add(level.name);
    } else string = token;
  }
  return found;
}

function memberPath({ path, names, index, name }: Level): string {
  if (names === undefined) return `${path}[${String(index)}]`;
  return path === '' ? name : `${path}.${name}`;
}

function unquoted(token: string): string {
  const name: unknown = JSON.parse(token);
  return typeof name === 'string' ? name : '';
}
