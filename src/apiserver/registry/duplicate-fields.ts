/** Finds members that a JSON text sets twice, which parsing alone passes over (upstream: sigs.k8s.io/json strict decoding). */
import { isJsonObject, type Json } from '#machinery';

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
  /** It stands in a member that is not known, in which nobody looks. */
  readonly hidden: boolean;
  /** The member that is being read is not known. */
  unknown: boolean;
}

/** Whether a well-formed text sets a member twice; `parsed` is what a parser made of it, which keeps one of each. */
export function repeatsMembers(text: string, parsed: Json): boolean {
  return membersNamed(text) !== membersIn(parsed);
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
    if (isJsonObject(next)) {
      // Parsed objects inherit nothing.
      for (const name in next) {
        count++;
        const member = next[name];
        if (typeof member === 'object') open.push(member);
      }
    } else if (Array.isArray(next)) for (const each of next as readonly Json[]) if (typeof each === 'object') open.push(each);
  }
  return count;
}

/** What strict decoding finds in a text that sets members twice, in its order: these, and the unknown fields at `unknown` paths. */
export function strictProblems(text: string, unknown: readonly string[]): readonly string[] {
  const [found, missing] = [new Set<string>(), new Set(unknown)];
  let level: Level | undefined;
  let string = '';
  for (let at = 0; at < text.length && found.size < STRICT_ERRORS_MAX && (level?.depth ?? 0) <= DEPTH_MAX; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = closingQuote(text, at + 1);
        string = text.slice(at, end + 1);
        at = end;
        break;
      }
      case OPEN_OBJECT:
      case OPEN_LIST:
        level = levelBelow(level, text.charCodeAt(at) === OPEN_OBJECT);
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        level = level?.parent;
        break;
      case COMMA:
        if (level !== undefined) level.index++;
        break;
      case COLON:
        if (level?.names !== undefined) enterMember(level, level.names, { name: unquoted(string), missing, found });
        break;
    }
  }
  return [...found];
}

function levelBelow(parent: Level | undefined, isObject: boolean): Level {
  const hidden = parent !== undefined && (parent.hidden || parent.unknown);
  return { parent, names: isObject ? new Set() : undefined, depth: (parent?.depth ?? 0) + 1, index: 0, name: '', hidden, unknown: false };
}

interface Member {
  readonly name: string;
  /** The paths of what is not known. */
  readonly missing: ReadonlySet<string>;
  readonly found: Set<string>;
}

function enterMember(level: Level, names: Set<string>, { name, missing, found }: Member): void {
  level.name = name;
  const repeated = names.has(name);
  names.add(name);
  if (level.hidden || (!repeated && missing.size === 0)) return;
  const path = memberPath(level);
  level.unknown = missing.has(path);
  if (level.unknown) found.add(`unknown field ${JSON.stringify(path)}`);
  else if (repeated) found.add(`duplicate field ${JSON.stringify(path)}`);
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
