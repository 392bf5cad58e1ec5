/** Equality and order of values across types. */
import { Quantity, Semver } from '#machinery';
import {
  CelError,
  CelMap,
  ConcatList,
  Duration,
  isCalculated,
  isList,
  type List,
  listItems,
  noSuchOverload,
  OpaqueValue,
  Optional,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from './values.ts';

/**
 * Whether two values are equal. Values of different types are not, save numbers; library types have no overload for others.
 * Upstream loses errors of elements: lists and maps with them count as equal there, save lists that were added together.
 */
export function equal(a: Value, b: Value, within?: Comparison): boolean | CelError {
  if (a === null || b === null) return a === b;
  if (typeof a === 'string' || typeof a === 'boolean') return a === b;
  if (isNumber(a)) return isNumber(b) && compareNumbers(a, b) === 0;
  if (isList(a) || a instanceof ConcatList) return listsEqual(a, b, within);
  if (a instanceof CelMap) return b instanceof CelMap && mapsEqual(a, b, within);
  if (a instanceof Semver) return b instanceof Semver ? a.compare(b) === 0 : noSuchOverload();
  if (a instanceof Quantity) return b instanceof Quantity && !isCalculated(b) ? a.compare(b) === 0 : noSuchOverload();
  if (a instanceof OpaqueValue) return a.equals(b);
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos;
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && compareBytes(a, b) === 0;
  return a instanceof Optional && b instanceof Optional && optionalsEqual(a, b, within);
}

/** Whether the value is a number of any of the three types. */
export function isNumber(value: Value): value is bigint | number | Uint {
  return typeof value === 'bigint' || typeof value === 'number' || value instanceof Uint;
}

/** Order of two numbers of any type; NaN where a NaN is among them. Against a double the other is rounded to one, as upstream does. */
export function compareNumbers(a: bigint | number | Uint, b: bigint | number | Uint): number {
  const left = a instanceof Uint ? a.value : a;
  const right = b instanceof Uint ? b.value : b;
  if (typeof left === typeof right) return order(left, right);
  return order(Number(left), Number(right));
}

function order(left: bigint | number, right: bigint | number): number {
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

function listsEqual(a: List | ConcatList, b: Value, within = new Comparison()): boolean | CelError {
  if (!(isList(b) || b instanceof ConcatList) || a.length !== b.length) return false;
  return within.once(a, b, () => {
    const [left, right] = [listItems(a) ?? [], listItems(b) ?? []];
    let failed: CelError | undefined;
    for (let i = 0; i < left.length; i++) {
      const same = equal(left[i] ?? null, right[i] ?? null, within);
      if (same === false) return false;
      if (same instanceof CelError) failed ??= same;
    }
    return failed !== undefined && a instanceof ConcatList ? failed : true;
  });
}

function mapsEqual(a: CelMap, b: CelMap, within = new Comparison()): boolean | CelError {
  if (a.size !== b.size) return false;
  return within.once(a, b, () => {
    for (const { key, value } of a.entries()) {
      const other = b.get(key);
      if (other === undefined || equal(value, other, within) === false) return false;
    }
    return true;
  });
}

function optionalsEqual(a: Optional, b: Optional, within?: Comparison): boolean | CelError {
  if (a.value === undefined || b.value === undefined) return a.value === b.value;
  return equal(a.value, b.value, within);
}

/**
 * One comparison of two values with all their parts. A list that holds another one many times over, and so on, has more parts than could ever be
 * compared; so from some thousands on, what was found for two lists or maps is remembered.
 */
class Comparison {
  #count = 0;
  #known: Map<object, Map<object, boolean | CelError>> | undefined;

  once(a: object, b: object, compareParts: () => boolean | CelError): boolean | CelError {
    if (++this.#count < MANY_COMPARISONS) return compareParts();
    this.#known ??= new Map();
    let known = this.#known.get(a);
    if (known === undefined) {
      known = new Map();
      this.#known.set(a, known);
    }
    const found = known.get(b) ?? compareParts();
    known.set(b, found);
    return found;
  }
}

const MANY_COMPARISONS = 10_000;

/** Order of two values for `<` and its kin; undefined when the first's type has no order at all. */
export function compare(a: Value, b: Value): number | CelError | undefined {
  if (isNumber(a)) {
    if (Number.isNaN(a)) return new CelError('NaN values cannot be ordered');
    if (!isNumber(b)) return noSuchOverload();
    const found = compareNumbers(a, b);
    return Number.isNaN(found) ? new CelError('NaN values cannot be ordered') : found;
  }
  if (typeof a === 'string') return typeof b === 'string' ? compareStrings(a, b) : noSuchOverload();
  if (typeof a === 'boolean') return typeof b === 'boolean' ? Number(a) - Number(b) : noSuchOverload();
  if (a instanceof Uint8Array) return b instanceof Uint8Array ? compareBytes(a, b) : noSuchOverload();
  if (a instanceof Timestamp) return b instanceof Timestamp ? compareNumbers(a.nanos, b.nanos) : noSuchOverload();
  if (a instanceof Duration) return b instanceof Duration ? compareNumbers(a.nanos, b.nanos) : noSuchOverload();
  return undefined;
}
