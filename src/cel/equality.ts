/** Equality and order of values across types. */
import { Quantity, Semver } from '#machinery';
import { CelError, CelMap, Duration, isList, noSuchOverload, OpaqueValue, Optional, StructValue, Timestamp, TypeValue, Uint, type Value } from './values.ts';

/** Whether two values are equal; values of different types are not, save numbers, and save where upstream has no overload. */
export function equal(a: Value, b: Value): boolean | CelError {
  if (a === b) return true;
  if (a === null || b === null || typeof a === 'string' || typeof a === 'boolean') return false;
  if (isNumber(a)) return isNumber(b) && compareNumbers(a, b) === 0;
  if (typeof a !== 'object') return false;
  if (isList(a)) return isList(b) && listsEqual(a, b);
  if (a instanceof CelMap) return b instanceof CelMap && mapsEqual(a, b);
  if (a instanceof Semver) return b instanceof Semver ? a.compare(b) === 0 : noSuchOverload();
  if (a instanceof Quantity) return b instanceof Quantity ? a.compare(b) === 0 : noSuchOverload();
  if (a instanceof OpaqueValue) return a.equals(b);
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos;
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && compareBytes(a, b) === 0;
  if (a instanceof Optional) return b instanceof Optional && optionalsEqual(a, b);
  return a instanceof StructValue && b instanceof StructValue ? structsEqual(a, b) : false;
}

/** Whether the value is a number of any of the three types. */
export function isNumber(value: Value): value is bigint | number | Uint {
  return typeof value === 'bigint' || typeof value === 'number' || value instanceof Uint;
}

/** Order of two numbers of any type; NaN where a NaN is among them. */
export function compareNumbers(a: bigint | number | Uint, b: bigint | number | Uint): number {
  const left = a instanceof Uint ? a.value : a;
  const right = b instanceof Uint ? b.value : b;
  if (left < right) return -1;
  if (left > right) return 1;
  return Number.isNaN(left) || Number.isNaN(right) ? Number.NaN : 0;
}

/** Order of byte strings. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return Math.sign(a.length - b.length);
}

/** Order of strings by code point, as Go compares UTF-8. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a.charCodeAt(i) !== b.charCodeAt(i)) return rank(a.charCodeAt(i)) < rank(b.charCodeAt(i)) ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}

/** Surrogates stand for code points above all other units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function listsEqual(a: readonly Value[], b: readonly Value[]): boolean | CelError {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const same = equal(a[i] ?? null, b[i] ?? null);
    if (same !== true) return same;
  }
  return true;
}

function mapsEqual(a: CelMap, b: CelMap): boolean | CelError {
  if (a.size !== b.size) return false;
  for (const { key, value } of a.entries()) {
    const other = b.get(key);
    if (other === undefined) return false;
    const same = equal(value, other);
    if (same !== true) return same;
  }
  return true;
}

function optionalsEqual(a: Optional, b: Optional): boolean | CelError {
  if (a.value === undefined || b.value === undefined) return a.value === b.value;
  return equal(a.value, b.value);
}

function structsEqual(a: StructValue, b: StructValue): boolean | CelError {
  for (const [name, value] of a.fields) {
    const same = equal(value, b.fields.get(name) ?? null);
    if (same !== true) return same;
  }
  return true;
}

/** Order of two values for `<` and its kin; undefined when the first's type has no order at all. */
export function compare(a: Value, b: Value): number | CelError | undefined {
  if (isNumber(a)) {
    if (!isNumber(b)) return noSuchOverload();
    const order = compareNumbers(a, b);
    return Number.isNaN(order) ? new CelError('NaN values cannot be ordered') : order;
  }
  if (typeof a === 'string') return typeof b === 'string' ? compareStrings(a, b) : noSuchOverload();
  if (typeof a === 'boolean') return typeof b === 'boolean' ? Number(a) - Number(b) : noSuchOverload();
  if (a instanceof Uint8Array) return b instanceof Uint8Array ? compareBytes(a, b) : noSuchOverload();
  if (a instanceof Timestamp) return b instanceof Timestamp ? compareNumbers(a.nanos, b.nanos) : noSuchOverload();
  if (a instanceof Duration) return b instanceof Duration ? compareNumbers(a.nanos, b.nanos) : noSuchOverload();
  return undefined;
}
