/** String functions (cel-go ext/strings.go version 2) and Kubernetes' find and findAll. */
import { declare, declareAmplifying, type FunctionDeclaration, global, int, list, member, str } from '../declarations.ts';
import { goText } from '../go-values.ts';
import { compileRegex } from '../regex.ts';
import * as t from '../types.ts';
import { CelError, guardSize, isList, type Value } from '../values.ts';

const chars = (text: string): string[] => Array.from(text);
const outOfRange = (index: bigint): CelError => new CelError(`index out of range: ${index}`);

function charAt(text: string, index: bigint): Value {
  const all = chars(text);
  if (index < 0n || index > BigInt(all.length)) return outOfRange(index);
  return all[Number(index)] ?? '';
}

function indexOf(text: string, sought: string, from: bigint): Value {
  const all = chars(text);
  if (from < 0n) return outOfRange(from);
  if (sought === '') return from > BigInt(all.length) ? BigInt(all.length) : from;
  if (from >= BigInt(all.length)) return -1n;
  const start = all.slice(0, Number(from)).join('').length;
  const found = text.indexOf(sought, start);
  return found < 0 ? -1n : BigInt(chars(text.slice(0, found)).length);
}

function lastIndexOf(text: string, sought: string): Value {
  const { length } = chars(text);
  if (sought === '') return BigInt(length);
  return text.length < sought.length ? -1n : lastIndexFrom(text, sought, BigInt(length - 1));
}

function lastIndexFrom(text: string, sought: string, from: bigint): Value {
  const all = chars(text);
  const length = BigInt(all.length);
  if (from < 0n) return outOfRange(from);
  if (sought === '') return from > length ? length : from;
  if (from >= length) return -1n;
  const found = text.lastIndexOf(sought, all.slice(0, Number(from)).join('').length);
  return found < 0 ? -1n : BigInt(chars(text.slice(0, found)).length);
}

function replace(text: string, from: string, to: string, times: bigint): Value {
  const limit = times < 0n ? Number.POSITIVE_INFINITY : Number(times);
  if (from === '') return limit > 0 ? replaceGaps(text, to, limit) : text;
  const parts = splitUpTo(text, from, limit);
  guardSize(text.length + (parts.length - 1) * to.length, 'characters');
  return parts.join(to);
}

/** An empty text is found before each character and at the end. */
function replaceGaps(text: string, to: string, limit: number): string {
  const all = chars(text);
  guardSize(text.length + Math.min(limit, all.length + 1) * to.length, 'characters');
  let out = '';
  for (let i = 0; i <= all.length; i++) out += (i < limit ? to : '') + (all[i] ?? '');
  return out;
}

/** Splits at the first `cuts` places. */
function splitUpTo(text: string, separator: string, cuts: number): string[] {
  const parts = separator === '' ? chars(text) : text.split(separator);
  if (parts.length <= cuts + 1) return parts;
  return [...parts.slice(0, cuts), parts.slice(cuts).join(separator)];
}

function split(text: string, separator: string, limit: bigint): Value {
  if (limit === 0n) return [];
  return splitUpTo(text, separator, limit < 0n ? Number.POSITIVE_INFINITY : Number(limit) - 1);
}

function substring(text: string, from: bigint, to?: bigint): Value {
  const all = chars(text);
  const length = BigInt(all.length);
  if (to !== undefined && from > to) return new CelError(`invalid substring range. start: ${from}, end: ${to}`);
  if (from < 0n || from > length) return outOfRange(from);
  if (to !== undefined && (to < 0n || to > length)) return outOfRange(to);
  return all.slice(Number(from), to === undefined ? undefined : Number(to)).join('');
}

function join(parts: readonly Value[], separator: string): Value {
  let length = 0;
  for (const part of parts) {
    if (typeof part !== 'string') return new CelError(`join: invalid input: ${goText(part)}`);
    length += part.length + separator.length;
    guardSize(length, 'characters');
  }
  return parts.join(separator);
}

const QUOTED: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** The text in double quotes with escapes. */
export function quote(text: string): string {
  // oxlint-disable-next-line no-control-regex -- exactly these are escaped
  return `"${text.replace(/[\x07\b\f\n\r\t\v\\"]/g, (char) => QUOTED[char] ?? char)}"`;
}

const SPACES =
  /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g;

function trim(text: string): string {
  const start = text.length - text.replace(SPACES_START, '').length;
  let end = text.length;
  while (end > start && SPACE.test(text[end - 1] ?? '')) end--;
  return text.slice(start, end);
}
const SPACES_START = new RegExp(SPACES.source.split('|')[0] ?? '');
const SPACE = new RegExp((SPACES.source.split('|')[0] ?? '').replace('^', '').replace(/\+$/, ''));

function find(text: string, pattern: string): Value {
  const found = findUpTo(text, pattern, 1n);
  return isList(found) ? (found[0] ?? '') : found;
}

function findUpTo(text: string, pattern: string, limit: bigint): Value {
  const regex = compileRegex(pattern);
  if (regex instanceof CelError) return new CelError(`Illegal regex: ${regex.message}`);
  return regex.findAll(text, limit < 0n ? Number.POSITIVE_INFINITY : Number(limit));
}

const lower = (text: string): string => text.replace(/[A-Z]+/g, (part) => part.toLowerCase());
const upper = (text: string): string => text.replace(/[a-z]+/g, (part) => part.toUpperCase());
const STRINGS_TYPE = t.listOf(t.STRING);

/** All string functions but format. */
export const STRINGS: readonly FunctionDeclaration[] = [
  declare('charAt', member('string_char_at_int', [str, int], t.STRING, charAt)),
  declare(
    'indexOf',
    member('string_index_of_string', [str, str], t.INT, (a, b) => indexOf(a, b, 0n)),
    member('string_index_of_string_int', [str, str, int], t.INT, indexOf),
  ),
  declare(
    'lastIndexOf',
    member('string_last_index_of_string', [str, str], t.INT, lastIndexOf),
    member('string_last_index_of_string_int', [str, str, int], t.INT, lastIndexFrom),
  ),
  declare('lowerAscii', member('string_lower_ascii', [str], t.STRING, lower)),
  declare('upperAscii', member('string_upper_ascii', [str], t.STRING, upper)),
  declareAmplifying(
    'replace',
    member('string_replace_string_string', [str, str, str], t.STRING, (a, b, c) => replace(a, b, c, -1n)),
    member('string_replace_string_string_int', [str, str, str, int], t.STRING, replace),
  ),
  declare(
    'split',
    member('string_split_string', [str, str], STRINGS_TYPE, (a, b) => split(a, b, -1n)),
    member('string_split_string_int', [str, str, int], STRINGS_TYPE, split),
  ),
  declare(
    'substring',
    member('string_substring_int', [str, int], t.STRING, (a, b) => substring(a, b)),
    member('string_substring_int_int', [str, int, int], t.STRING, (a, b, c) => substring(a, b, c)),
  ),
  declare('trim', member('string_trim', [str], t.STRING, trim)),
  declare(
    'join',
    member('list_join', [list(t.STRING)], t.STRING, (a) => join(a, '')),
    member('list_join_string', [list(t.STRING), str], t.STRING, join),
  ),
  declare('strings.quote', global('strings_quote', [str], t.STRING, quote)),
  declare('find', member('string_find_string', [str, str], t.STRING, find)),
  declare(
    'findAll',
    member('string_find_all_string', [str, str], STRINGS_TYPE, (a, b) => findUpTo(a, b, -1n)),
    member('string_find_all_string_int', [str, str, int], STRINGS_TYPE, findUpTo),
  ),
];
