/** List and set functions: Kubernetes' list library, cel-go's lists version 3 and sets. */
import { A, any, declare, declareSingle, type FunctionDeclaration, global, type Implementation, int, list, member, signature } from '../declarations.ts';
import { compare, equal } from '../equality.ts';
import { goText } from '../go-values.ts';
import * as t from '../types.ts';
import { CelError, Duration, guardSize, int64, type List, listItems, noSuchOverload, Optional, typeNameOf, Uint, uint64, type Value } from '../values.ts';

const ALL = list(A);
const LIST_A = t.listOf(A);
const COMPARABLE: readonly t.Type[] = [t.INT, t.UINT, t.DOUBLE, t.BOOL, t.DURATION, t.TIMESTAMP, t.STRING, t.BYTES];
const COMPARABLE_NAMES: ReadonlySet<string> = new Set(COMPARABLE.map((type) => type.name));
const SUMMABLE: readonly (readonly [t.Type, Value])[] = [
  [t.INT, 0n],
  [t.UINT, new Uint(0n)],
  [t.DOUBLE, 0],
  [t.DURATION, new Duration(0n)],
];

const isComparable = (value: Value): boolean => COMPARABLE_NAMES.has(typeNameOf(value));

/** Elements that cannot be compared with each other count as sorted. */
function isSorted(values: List): Value {
  let previous: Value | undefined;
  for (const value of values) {
    if (!isComparable(value)) return noSuchOverload();
    if (previous !== undefined && isPositive(compare(previous, value))) return false;
    previous = value;
  }
  return true;
}

const isPositive = (order: number | CelError | undefined): boolean => typeof order === 'number' && order > 0;
const isNegative = (order: number | CelError | undefined): boolean => typeof order === 'number' && order < 0;

function add(a: Value, b: Value): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint') return int64(a + b);
  if (a instanceof Uint && b instanceof Uint) return uint64(a.value + b.value);
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (!(a instanceof Duration) || !(b instanceof Duration)) return noSuchOverload();
  const sum = int64(a.nanos + b.nanos);
  return typeof sum === 'bigint' ? new Duration(sum) : sum;
}

function sum(values: List, zero: Value): Value {
  let total = zero;
  for (const value of values) {
    total = add(total, value);
    if (total instanceof CelError) return total;
  }
  return total;
}

/** The first element that none beats; those that cannot be compared do not. */
function extreme(values: List, name: string, beats: (order: number | CelError | undefined) => boolean): Value {
  let best: Value | undefined;
  for (const value of values) {
    if (!isComparable(value)) return noSuchOverload();
    if (best === undefined || beats(compare(best, value))) best = value;
  }
  return best ?? new CelError(`${name} called on empty list`);
}

const indexIn = (values: List, sought: Value): bigint => BigInt(values.findIndex((value) => equal(value, sought) === true));
const lastIndexIn = (values: List, sought: Value): bigint => BigInt(values.findLastIndex((value) => equal(value, sought) === true));

function slice(values: List, from: bigint, to: bigint): Value {
  const failed = (why: string): CelError => new CelError(`cannot slice(${from}, ${to}), ${why}`);
  if (from < 0n || to < 0n) return failed('negative indexes not supported');
  if (from > to) return failed('start index must be less than or equal to end index');
  if (to > BigInt(values.length)) return failed(`list is length ${values.length}`);
  return values.slice(Number(from), Number(to));
}

function flatten(values: List, depth: bigint): Value {
  if (depth < 0n) return new CelError('level must be non-negative');
  const out: Value[] = [];
  let looked = 0;
  const put = (items: List, level: number): void => {
    guardSize((looked += items.length), 'elements');
    for (const item of items) {
      const inner = level > 0 ? listItems(item) : undefined;
      if (inner === undefined) out.push(item);
      else put(inner, level - 1);
    }
  };
  put(values, Number(depth));
  return out;
}

/** flatten() says itself what it does not take. */
const flattenAny: Implementation = (...args) => {
  const [values = null, depth] = args;
  const items = listItems(values);
  if (items !== undefined && (depth === undefined || typeof depth === 'bigint')) return flatten(items, depth ?? 1n);
  return new CelError(`no such overload: ${typeNameOf(values)}.flatten(${args.slice(1).map(typeNameOf).join(', ')})`);
};

/** What equal numbers and equal basic values share; undefined for values that are compared one by one. */
function equalityKey(value: Value): string | undefined {
  if (typeof value === 'string') return `s${value}`;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return `n${value}`;
  return value instanceof Uint && Number.isSafeInteger(Number(value.value)) ? `n${value.value}` : undefined;
}

function distinct(values: List): Value {
  const seen = new Set<string>();
  const odd: Value[] = [];
  const kept: Value[] = [];
  for (const value of values) {
    const key = equalityKey(value);
    const isKnown = key !== undefined && seen.has(key);
    const others = key === undefined ? kept : odd;
    if (isKnown || others.some((other) => equal(value, other) === true)) continue;
    if (key === undefined) odd.push(value);
    else seen.add(key);
    kept.push(value);
  }
  return kept;
}

/** Sorts by keys of one comparable type. */
function sortBy(values: List, keys: List): Value {
  if (values.length !== keys.length) {
    const sizes = `got ${values.length} and ${keys.length} elements respectively`;
    return new CelError(`@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but ${sizes}`);
  }
  const [first] = keys;
  if (first === undefined) return values;
  if (!isComparable(first)) return new CelError('list elements must be comparable');
  const type = typeNameOf(first);
  if (keys.some((key) => typeNameOf(key) !== type)) return new CelError('list elements must have the same type');
  const order = keys.map((_key, i) => i).sort((a, b) => Number(compare(keys[a] ?? null, keys[b] ?? null)));
  return order.map((i) => values[i] ?? null);
}

/** Sorting is for lists of any elements; what they are is looked at then. */
function sorting(name: string, id: (type: string) => string, kinds: (type: t.Type) => readonly t.Type[], run: Implementation): FunctionDeclaration {
  const signatures = COMPARABLE.map((type) => signature('member', id(type.name), kinds(type), name === 'sort' ? t.listOf(type) : LIST_A));
  return declareSingle(name, [LIST_A], run, ...signatures);
}

const itemsOf = (value: Value | undefined): List => (value === undefined ? [] : (listItems(value) ?? []));

/** Longest list that lists.range makes (cel-go ext/lists.go, defaultMaxRangeSize). */
const MAX_RANGE = 1_000_000n;

function range(count: bigint): Value {
  if (count < 0n) return new CelError(`lists.range: size must be non-negative, got ${count}`);
  if (count > MAX_RANGE) return new CelError(`lists.range: size ${count} exceeds maximum allowed (${MAX_RANGE})`);
  return Array.from({ length: Number(count) }, (_, i) => BigInt(i));
}

const includes = (values: List, sought: Value): boolean => values.some((value) => equal(sought, value) === true);
const containsAll = (values: List, parts: List): boolean => parts.every((part) => includes(values, part));

function unwrapped(values: List): Value {
  const out: Value[] = [];
  for (const value of values) {
    if (!(value instanceof Optional)) return new CelError(`value ${goText(value)} is not optional`);
    if (value.value !== undefined) out.push(value.value);
  }
  return out;
}

const OPTIONALS = list(t.optionalOf(A));

function perType(name: string, id: (type: string) => string, result: (type: t.Type) => t.Type, run: (values: List) => Value): FunctionDeclaration {
  return declare(name, ...COMPARABLE.map((type) => member(`list_${id(type.kind)}`, [list(type)], result(type), run)));
}

/** Everything on lists and sets. */
export const LISTS: readonly FunctionDeclaration[] = [
  perType(
    'isSorted',
    (type) => `${type}_is_sorted_bool`,
    () => t.BOOL,
    isSorted,
  ),
  perType(
    'min',
    (type) => `${type}_min_${type}`,
    (type) => type,
    (values) => extreme(values, 'min', isPositive),
  ),
  perType(
    'max',
    (type) => `${type}_max_${type}`,
    (type) => type,
    (values) => extreme(values, 'max', isNegative),
  ),
  declare('sum', ...SUMMABLE.map(([type, zero]) => member(`list_${type.kind}_sum_${type.kind}`, [list(type)], type, (values) => sum(values, zero)))),
  declare('indexOf', member('list_a_index_of_int', [ALL, any(A)], t.INT, indexIn)),
  declare('lastIndexOf', member('list_a_last_index_of_int', [ALL, any(A)], t.INT, lastIndexIn)),
  declare('slice', member('list_slice', [ALL, int, int], LIST_A, slice)),
  declareSingle(
    'flatten',
    undefined,
    flattenAny,
    signature('member', 'list_flatten', [t.listOf(LIST_A)], LIST_A),
    signature('member', 'list_flatten_int', [t.listOf(t.DYN), t.INT], t.listOf(t.DYN)),
  ),
  declare('distinct', member('list_distinct', [ALL], LIST_A, distinct)),
  declare(
    'reverse',
    member('list_reverse', [ALL], LIST_A, (a) => a.toReversed()),
  ),
  sorting(
    'sort',
    (type) => `list_${type}_sort`,
    (type) => [t.listOf(type)],
    (values) => sortBy(itemsOf(values), itemsOf(values)),
  ),
  sorting(
    '@sortByAssociatedKeys',
    (type) => `list_${type}_sortByAssociatedKeys`,
    (type) => [LIST_A, t.listOf(type)],
    (values, keys) => sortBy(itemsOf(values), itemsOf(keys)),
  ),
  declare('lists.range', global('lists_range', [int], t.listOf(t.INT), range)),
  declare('sets.contains', global('list_sets_contains_list', [ALL, ALL], t.BOOL, containsAll)),
  declare(
    'sets.equivalent',
    global('list_sets_equivalent_list', [ALL, ALL], t.BOOL, (a, b) => containsAll(a, b) && containsAll(b, a)),
  ),
  declare(
    'sets.intersects',
    global('list_sets_intersects_list', [ALL, ALL], t.BOOL, (a, b) => a.some((value) => includes(b, value))),
  ),
  declare('optional.unwrap', global('optional_unwrap', [OPTIONALS], LIST_A, unwrapped)),
  declare('unwrapOpt', member('optional_unwrapOpt', [OPTIONALS], LIST_A, unwrapped)),
];
