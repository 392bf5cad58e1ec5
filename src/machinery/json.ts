/** Reads and writes JSON without damaging int64: integers beyond 2^53 travel as bigint. */
import type { Json } from './meta.ts';

/** Only a literal of 16 digits or more can exceed 2^53; everything else takes the fast path. */
const LONG_INTEGER = /\d{16}/;
const INTEGER = /^-?\d+$/;

/** Parses JSON; throws SyntaxError. Integers that a double cannot hold exactly become bigint. */
export function parseJson(text: string): Json {
  // JSON.parse is typed any; what it returns is JSON by construction.
  if (!LONG_INTEGER.test(text)) return JSON.parse(text) as Json;
  return JSON.parse(text, exactInteger) as Json;
}

function exactInteger(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return INTEGER.test(source) ? BigInt(source) : value;
}

/** The JSON text of `value`; undefined members are left out, a bigint is written as an integer. */
export function stringifyJson(value: unknown, space?: number): string {
  try {
    return JSON.stringify(value, undefined, space);
  } catch (thrown) {
    // Only a bigint makes it throw, and a replacer that is always there would cost every other object several times its time.
    if (!(thrown instanceof TypeError)) throw thrown;
    return JSON.stringify(value, rawBigint, space);
  }
}

function rawBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJson(value.toString()) : value;
}

function rawJson(text: string): unknown {
  // rawJSON is ES2026 and not yet in TypeScript's lib.
  const json: { rawJSON?: (text: string) => unknown } = JSON as never;
  return json.rawJSON === undefined ? Number(text) : json.rawJSON(text);
}
