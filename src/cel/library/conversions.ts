/** Conversions between the basic types (cel-go common/types). */
import { goFloat } from '#machinery';
import { A, any, bool, bytes, declare, double, duration, type FunctionDeclaration, global, int, str, timestamp, uint } from '../declarations.ts';
import { durationText, parseDuration, parseTimestamp, timestampOfSeconds, timestampText } from '../time.ts';
import * as t from '../types.ts';
import { CelError, int64, typeNameOf, TypeValue, Uint, uint64, type Value } from '../values.ts';

const TRUE = new Set(['1', 't', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'false', 'FALSE', 'False']);

const unconvertible = (from: string, to: string): CelError => new CelError(`type conversion error from '${from}' to '${to}'`);

function boolOf(text: string): Value {
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : unconvertible('string', 'bool');
}

function intOf(text: string): Value {
  if (!/^[+-]?\d+$/.test(text)) return unconvertible('string', 'int');
  const value = int64(BigInt(text.replace('+', '')));
  return value instanceof CelError ? unconvertible('string', 'int') : value;
}

function uintOf(text: string): Value {
  if (!/^\d+$/.test(text)) return unconvertible('string', 'uint');
  const value = uint64(BigInt(text));
  return value instanceof CelError ? unconvertible('string', 'uint') : value;
}

const DOUBLE = /^[+-]?(?:(?:\d+(?:_?\d)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]*[pP][+-]?\d+)$/;

function doubleOf(text: string): Value {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (special !== null)
    return /nan/i.test(text) ? (special[1] === '' ? Number.NaN : unconvertible('string', 'double')) : special[1] === '-' ? -Infinity : Infinity;
  const value = DOUBLE.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : unconvertible('string', 'double');
}

const TWO_63 = 2 ** 63;

function truncate(value: number): Value {
  return Number.isNaN(value) || value <= -TWO_63 || value >= TWO_63 ? new CelError('integer overflow') : BigInt(Math.trunc(value));
}

function unsigned(value: number): Value {
  return Number.isNaN(value) || value < 0 || value >= 2 ** 64 ? new CelError('unsigned integer overflow') : new Uint(BigInt(Math.trunc(value)));
}

function textOf(value: Uint8Array): Value {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    return new CelError('invalid UTF-8 in bytes, cannot convert to string');
  }
}

const NANOS = 1000000000n;

/** The seconds of a moment, rounded down. */
function seconds(nanos: bigint): bigint {
  return nanos >= 0n ? nanos / NANOS : -((-nanos + NANOS - 1n) / NANOS);
}

/** Functions named after types, `dyn` and `type`. */
export const CONVERSIONS: readonly FunctionDeclaration[] = [
  declare(
    'bool',
    global('bool_to_bool', [bool], t.BOOL, (a) => a),
    global('string_to_bool', [str], t.BOOL, boolOf),
  ),
  declare(
    'bytes',
    global('bytes_to_bytes', [bytes], t.BYTES, (a) => a),
    global('string_to_bytes', [str], t.BYTES, (a) => new TextEncoder().encode(a)),
  ),
  declare(
    'double',
    global('double_to_double', [double], t.DOUBLE, (a) => a),
    global('int64_to_double', [int], t.DOUBLE, (a) => Number(a)),
    global('string_to_double', [str], t.DOUBLE, doubleOf),
    global('uint64_to_double', [uint], t.DOUBLE, (a) => Number(a.value)),
  ),
  declare(
    'duration',
    global('duration_to_duration', [duration], t.DURATION, (a) => a),
    global('string_to_duration', [str], t.DURATION, parseDuration),
  ),
  declare(
    'dyn',
    global('to_dyn', [any(A)], t.DYN, (a) => a),
  ),
  declare(
    'int',
    global('int64_to_int64', [int], t.INT, (a) => a),
    global('double_to_int64', [double], t.INT, truncate),
    global('duration_to_int64', [duration], t.INT, (a) => a.nanos),
    global('string_to_int64', [str], t.INT, intOf),
    global('timestamp_to_int64', [timestamp], t.INT, (a) => seconds(a.nanos)),
    global('uint64_to_int64', [uint], t.INT, (a) => int64(a.value)),
  ),
  declare(
    'string',
    global('string_to_string', [str], t.STRING, (a) => a),
    global('bool_to_string', [bool], t.STRING, (a) => String(a)),
    global('bytes_to_string', [bytes], t.STRING, textOf),
    global('double_to_string', [double], t.STRING, goFloat),
    global('duration_to_string', [duration], t.STRING, (a) => durationText(a.nanos)),
    global('int64_to_string', [int], t.STRING, (a) => String(a)),
    global('timestamp_to_string', [timestamp], t.STRING, (a) => timestampText(a)),
    global('uint64_to_string', [uint], t.STRING, (a) => String(a.value)),
  ),
  declare(
    'timestamp',
    global('timestamp_to_timestamp', [timestamp], t.TIMESTAMP, (a) => a),
    global('int64_to_timestamp', [int], t.TIMESTAMP, timestampOfSeconds),
    global('string_to_timestamp', [str], t.TIMESTAMP, parseTimestamp),
  ),
  declare(
    'type',
    global('type', [any(A)], t.typeOf(A), (a) => new TypeValue(typeNameOf(a))),
  ),
  declare(
    'uint',
    global('uint64_to_uint64', [uint], t.UINT, (a) => a),
    global('double_to_uint64', [double], t.UINT, unsigned),
    global('int64_to_uint64', [int], t.UINT, uint64),
    global('string_to_uint64', [str], t.UINT, uintOf),
  ),
];
