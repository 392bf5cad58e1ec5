/** Writes values as Go does in upstream's messages: %q strings, JSON with escaped HTML, aggregated errors. */
import { stringifyJson } from './json.ts';

const NAMED_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\u0007', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
]);
const NEEDS_ESCAPE = /["\\\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
const HTML = /[<>&\u2028\u2029]/g;

/** `text` as Go's %q (strconv.Quote) prints it. */
export function goQuote(text: string): string {
  return `"${text.replace(NEEDS_ESCAPE, escapeCharacter)}"`;
}

function escapeCharacter(character: string): string {
  const named = NAMED_ESCAPES.get(character);
  if (named !== undefined) return named;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}

/** `value` as Go's json.Marshal writes it: `<`, `>` and `&` become \u escapes. */
export function goJson(value: unknown): string {
  const text: string | undefined = stringifyJson(value);
  return (text ?? 'null').replace(HTML, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Several messages as upstream's Aggregate prints them: one alone, several as `[a, b]`, repeated ones once. */
export function aggregateText(messages: readonly string[]): string {
  const distinct = [...new Set(messages)];
  return distinct.length === 1 ? (distinct[0] ?? '') : `[${distinct.join(', ')}]`;
}

/** A JSON value as Go's %v prints it: `map[a:1 b:[x y]]`, keys sorted. */
export function goValue(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${members.map(([key, member]) => `${key}:${goValue(member)}`).join(' ')}]`;
}

/** Exponents from which Go's %g with the fewest digits writes them (strconv.FormatFloat: shortest decides as precision 6 would). */
const SHORTEST_EXPONENT_MIN = 6;

/** A double as Go's %g prints it: the fewest digits that are read as the same number. */
export function goFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < SHORTEST_EXPONENT_MIN) return String(value);
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}
