/** Finds members that a JSON text sets twice, which parsing alone passes over (upstream: sigs.k8s.io/json strict decoding). */
import type { Json } from '#machinery';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** How many problems of one body are told (upstream: sigs.k8s.io/json saveStrictError). */
export const STRICT_ERRORS_MAX = 100;
/** Below this depth nothing is told any longer: upstream reads no deeper. */
const DEPTH_MAX = 10_000;

interface Level {
  readonly parent: Level | undefined;
  /** Names seen so far; undefined for a list. */
  readonly names: Set<string> | undefined;
  readonly depth: number;
  index: number;
  name: string;
}

/** Paths of the first repeated members of a well-formed text, in the order in which they occur; `parsed` is what a parser made of it. */
export function duplicateFields(text: string, parsed: Json): readonly string[] {
  // A parser keeps one of each: where none is missing, there is nothing to look for.
  return membersNamed(text) === membersIn(parsed) ? [] : repeatedPaths(text);
}

/** How many members a text names: strings before a colon. */
function membersNamed(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at)) {
    at = closingQuote(text, at + 1) + 1;
    while (isSpace(text.charCodeAt(at))) at++;
    if (text.charCodeAt(at) === COLON) count++;
  }
  return count;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** How many members a value has in all its objects. Not by recursion: bodies may be deeper than the stack. */
function membersIn(value: Json): number {
  let count = 0;
  const open: Json[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    const inside = Object.values(next) as readonly Json[]; // parsed: nothing is undefined
    if (!Array.isArray(next)) count += inside.length;
    for (const each of inside) if (typeof each === 'object' && each !== null) open.push(each);
  }
  return count;
}

function repeatedPaths(text: string): readonly string[] {
  const found: string[] = [];
  let level: Level | undefined;
  let string = '';
  for (let at = 0; at < text.length && found.length < STRICT_ERRORS_MAX && (level?.depth ?? 0) <= DEPTH_MAX; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = closingQuote(text, at + 1);
        string = text.slice(at, end + 1);
        at = end;
        break;
      }
      case OPEN_OBJECT:
      case OPEN_LIST:
        level = { parent: level, names: text.charCodeAt(at) === OPEN_OBJECT ? new Set() : undefined, depth: (level?.depth ?? 0) + 1, index: 0, name: '' };
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        level = level?.parent;
        break;
      case COMMA:
        if (level !== undefined) level.index++;
        break;
      case COLON:
        if (level?.names === undefined) break;
        level.name = unquoted(string);
        if (level.names.has(level.name)) found.push(memberPath(level));
        level.names.add(level.name);
        break;
    }
  }
  return found;
}

/** Where the string ends whose content begins at `from`: at a quote before which an even number of backslashes stands. */
function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}

function memberPath(innermost: Level): string {
  const steps: string[] = [];
  for (let level: Level | undefined = innermost; level !== undefined; level = level.parent)
    steps.push(level.names === undefined ? `[${String(level.index)}]` : `.${level.name}`);
  return steps.reverse().join('').replace(/^\./, '');
}

function unquoted(token: string): string {
  if (!token.includes('\\')) return token.slice(1, -1);
  const name: unknown = JSON.parse(token);
  return typeof name === 'string' ? name : '';
}
