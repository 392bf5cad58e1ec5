/** `format` on strings: clauses, what each takes and how it writes it (cel-go ext/formatting.go). */
import { goFloat, goQuote } from '#machinery';
import { declareAmplifying, type FunctionDeclaration, list, member, str } from '../declarations.ts';
import { durationText, timestampText } from '../time.ts';
import * as t from '../types.ts';
import { CelError, CelMap, Duration, guardSize, isList, joined, type List, listItems, Timestamp, typeNameOf, TypeValue, Uint, type Value } from '../values.ts';
import { fixedText, plainFixedText, scientificText } from './number-text.ts';

/** Digits behind the point when a clause does not say. */
const DEFAULT_PRECISION = 6;
const INT64_MAX = 2n ** 63n - 1n;
/** From here on Go's formatter does not read the digits of a clause to their end. */
const UNREADABLE_PRECISION = 10_000_010;
const NO_VERB = '%!(NOVERB)';

/** Why a text cannot be formatted. */
export class FormatError extends Error {}

/** One clause: which argument it takes and how it is to be written. */
export interface Clause {
  readonly verb: Verb;
  readonly precision: number;
  readonly upper: boolean;
}

/** The letters of clauses; `X` is `x` in capitals. */
export type Verb = 's' | 'd' | 'f' | 'e' | 'b' | 'x' | 'o';

/** What each clause refuses, as upstream words it; the type's name follows. */
export const REFUSALS: Readonly<Record<Verb, string>> = {
  s: 'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ',
  d: 'decimal clause can only be used on integers, was given ',
  f: 'fixed-point clause can only be used on doubles, was given ',
  e: 'scientific clause can only be used on doubles, was given ',
  b: 'only integers and bools can be formatted as binary, was given ',
  x: 'only integers, byte buffers, and strings can be formatted as hex, was given ',
  o: 'octal clause can only be used on integers, was given ',
};

/** Goes through a text: calls `write` for each clause, which answers what stands in its place; throws FormatError. */
export function interpolate(text: string, write: (index: number, clause: () => Clause) => string): string {
  let out = '';
  let index = 0;
  for (let i = 0; i < text.length;) {
    if (text[i] !== '%') out += text[i++];
    else if (text[i + 1] === '%') {
      out += '%';
      i += 2;
    } else {
      const start = i + 1;
      guardSize(out.length, 'characters');
      out += write(index++, () => {
        const [clause, end] = readClause(text, start);
        i = end;
        return clause;
      });
    }
  }
  return out;
}

function isVerb(letter: string): letter is Verb {
  return Object.hasOwn(REFUSALS, letter);
}

function readClause(text: string, start: number): readonly [clause: Clause, end: number] {
  if (start >= text.length) throw new FormatError('unexpected end of string');
  const [dotted = '', digits] = /^\.([0-9]*)/.exec(text.slice(start)) ?? [];
  if (digits !== undefined) checkPrecision(digits, start + dotted.length >= text.length);
  const letter = text[start + dotted.length] ?? '';
  const verb = letter === 'X' ? 'x' : letter;
  if (!isVerb(verb)) {
    const [byte = 0] = new TextEncoder().encode(text.slice(start + dotted.length));
    throw new FormatError(`could not parse formatting clause: unrecognized formatting clause "${String.fromCharCode(byte)}"`);
  }
  return [{ verb, precision: digits === undefined ? DEFAULT_PRECISION : Number(digits), upper: letter === 'X' }, start + dotted.length + 1];
}

function checkPrecision(digits: string, atEnd: boolean): void {
  const fail = (why: string): never => {
    throw new FormatError(`could not parse formatting clause: error while parsing precision: ${why}`);
  };
  if (atEnd) fail('could not find end of precision specifier');
  if (digits === '') fail('error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax');
  if (BigInt(digits) > INT64_MAX) fail(`error while converting precision to integer: strconv.Atoi: parsing "${digits}": value out of range`);
}

function refuse(verb: Verb, value: Value): never {
  throw new FormatError(`error during formatting: ${REFUSALS[verb]}${typeNameOf(value)}`);
}

function clauseText({ verb, precision, upper }: Clause, value: Value): string {
  if (verb === 's') return plainText(value);
  if (verb === 'f' || verb === 'e') {
    const number = numberOf(value) ?? refuse(verb, value);
    if (precision >= UNREADABLE_PRECISION) return NO_VERB;
    // Upstream takes the precision of %e for a width, of 16 bits.
    return verb === 'f' ? fixedText(number, precision) : rightAligned(scientificText(number), precision % WIDTHS);
  }
  if (verb === 'b' && typeof value === 'boolean') return value ? '1' : '0';
  if (verb === 'x' && (typeof value === 'string' || value instanceof Uint8Array)) return inCase(hexText(value), upper);
  const integer = value instanceof Uint ? value.value : value;
  if (typeof integer !== 'bigint') return refuse(verb, value);
  return inCase(integer.toString({ d: 10, b: 2, x: 16, o: 8 }[verb]), upper);
}

/** A width has 16 bits. */
const WIDTHS = 2 ** 16;
const BLANKS = ' '.repeat(WIDTHS);

/** A piece of what is there already: to make so many blanks anew takes a third of a millisecond. */
function rightAligned(text: string, width: number): string {
  return BLANKS.slice(0, Math.max(0, width - text.length)) + text;
}

const inCase = (text: string, upper: boolean): string => (upper ? text.toUpperCase() : text);

function numberOf(value: Value): number | undefined {
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  return typeof value === 'number' ? value : undefined;
}

function hexText(value: string | Uint8Array): string {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FormatError('error during formatting: could not convert argument "invalid UTF-8 in bytes, cannot convert to string" to string');
  }
}

/** A value as %s writes it. */
function plainText(value: Value): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return goFloat(value);
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return decode(value);
  if (value instanceof TypeValue) return value.name;
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Duration) return durationText(value.nanos);
  const items = listItems(value);
  if (items !== undefined) return `[${joined(items, nestedText)}]`;
  return value instanceof CelMap ? mapText(value) : refuse('s', value);
}

/** A value inside a list or map: written so that it could be read again. */
function nestedText(value: Value): string {
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'number') return Number.isFinite(value) ? plainFixedText(value, DEFAULT_PRECISION) : goQuote(goFloat(value));
  if (value instanceof Uint8Array) return `b${goQuote(decode(value))}`;
  if (value instanceof Timestamp) return `timestamp(${goQuote(timestampText(value))})`;
  if (value instanceof Duration) return `duration(${goQuote(durationText(value.nanos))})`;
  try {
    return plainText(value);
  } catch (thrown) {
    if (thrown instanceof FormatError && !isList(value) && !(value instanceof CelMap))
      throw new FormatError(`error during formatting: no formatting function for ${typeNameOf(value)}`);
    throw thrown;
  }
}

function mapText(map: CelMap): string {
  const entries = Array.from(map.entries(), ({ key, value }) => [nestedText(key), nestedText(value)] as const);
  const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)));
  return `{${joined(sorted, ([key, value]) => `${key}:${value}`)}}`;
}

function format(text: string, args: List): Value {
  try {
    return interpolate(text, (index, clause) => {
      const value = args[index];
      if (value === undefined) throw new FormatError(`index ${index} out of range`);
      return clauseText(clause(), value);
    });
  } catch (thrown) {
    if (thrown instanceof FormatError) return new CelError(thrown.message);
    throw thrown;
  }
}

/** `"...".format([...])`. */
export const FORMATTING: readonly FunctionDeclaration[] = [declareAmplifying('format', member('string_format', [str, list(t.DYN)], t.STRING, format))];
