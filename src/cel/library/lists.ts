/** List and set functions: Kubernetes' list library, cel-go's lists version 3 and sets. */
import {
  A,
  any,
  bool,
  bytes,
  declare,
  double,
  duration,
  type FunctionDeclaration,
  global,
  int,
  type Kind,
  list,
  member,
  str,
  timestamp,
  uint,
} from '../declarations.ts';
import { compare, equal } from '../equality.ts';
import * as t from '../types.ts';
import { CelError, Duration, int64, isList, type List, mapKey, noSuchOverload, Uint, uint64, type Value } from '../values.ts';

const ALL = list(A);
const COMPARABLE: readonly (readonly [string, Kind<never>['type']])[] = [int, uint, double, bool, duration, timestamp, str, bytes].map((kind) => [
  kind.type.kind,
  kind.type,
]);
const SUMMABLE: readonly (readonly [t.Type, Value])[] = [
  [t.INT, 0n],
  [t.UINT, new Uint(0n)],
  [t.DOUBLE, 0],
  [t.DURATION, new Duration(0n)],
];

function isSorted(values: List): Value {
  for (let i = 1; i < values.length; i++) {
    const order = ordered(values[i - 1] ?? null, values[i] ?? null);
    if (order instanceof CelError) return order;
    if (order > 0) return false;
  }
  return true;
}

function ordered(a: Value, b: Value): number | CelError {
  return compare(a, b) ?? noSuchOverload();
}

function add(a: Value, b: Value): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint') return int64(a + b);
  if (a instanceof Uint && b instanceof Uint) return uint64(a.value + b.value);
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  return a instanceof Duration && b instanceof Duration ? new Duration(a.nanos + b.nanos) : noSuchOverload();
}

function sum(values: List, zero: Value): Value {
  return values.reduce<Value>((total, value) => (total instanceof CelError ? total : add(total, value)), zero);
}

function extreme(values: List, name: string, better: (order: number) => boolean): Value {
  let best = values[0];
  if (best === undefined) return new CelError(`${name} called on empty list`);
  for (const value of values.slice(1)) {
    const order = ordered(value, best);
    if (order instanceof CelError) return order;
    if (better(order)) best = value;
  }
  return best;
}

const indexIn = (values: List, sought: Value): bigint => BigInt(values.findIndex((value) => equal(sought, value) === true));
const lastIndexIn = (values: List, sought: Value): bigint => BigInt(values.findLastIndex((value) => equal(sought, value) === true));

function slice(values: List, from: bigint, to: bigint): Value {
  const failed = (why: string): CelError => new CelError(`cannot slice(${from}, ${to}), ${why}`);
  if (from < 0n || to < 0n) return failed('negative indexes not supported');
  if (from > to) return failed('start index must be less than or equal to end index');
  if (to > BigInt(values.length)) return failed(`list is length ${values.length}`);
  return values.slice(Number(from), Number(to));
}

function flatten(values: List, depth: bigint): Value {
  if (depth < 0n) return new CelError('level must be non-negative');
  return values.flatMap((value): readonly Value[] => {
    if (!isList(value)) return [value];
    const inner = depth > 1n ? flatten(value, depth - 1n) : value;
    return isList(inner) ? inner : [inner];
  });
}

function distinct(values: List): Value {
  const seen = new Set<string>();
  const odd: Value[] = [];
  return values.filter((value) => {
    const key = mapKey(value);
    if (key !== undefined) return seen.has(key) ? false : seen.add(key) !== undefined;
    if (odd.some((other) => equal(other, value) === true)) return false;
    odd.push(value);
    return true;
  });
}

/** Sorts by keys of one comparable type. */
function sortBy(values: List, keys: List): Value {
  const first = keys[0];
  if (first === undefined) return values;
  if (values.length !== keys.length)
    return new CelError(
      `@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got ${values.length} and ${keys.length} elements respectively`,
    );
  if (compare(first, first) === undefined) return new CelError('list elements must be comparable');
  const type = t.describeType(typeFor(first));
  if (keys.some((key) => t.describeType(typeFor(key)) !== type)) return new CelError('list elements must have the same type');
  const order = keys.map((_key, i) => i).toSorted((a, b) => Number(compare(keys[a] ?? null, keys[b] ?? null)));
  return order.map((i) => values[i] ?? null);
}

function typeFor(value: Value): t.Type {
  return [int, uint, double, bool, duration, timestamp, str, bytes].find((kind) => kind.is(value))?.type ?? t.DYN;
}

/** Longest list that lists.range makes: what the cost limit could ever let through. */
const MAX_RANGE = 1000000n;

function range(count: bigint): Value {
  if (count > MAX_RANGE) return new CelError('operation cancelled: actual cost limit exceeded');
  return Array.from({ length: Math.max(0, Number(count)) }, (_, i) => BigInt(i));
}

const containsAll = (a: List, b: List): boolean => b.every((value) => a.some((other) => equal(other, value) === true));

const LIST_A = t.listOf(A);
const comparable = (name: string, result: (type: t.Type) => t.Type, run: (values: List) => Value): FunctionDeclaration =>
  declare(name, ...COMPARABLE.map(([word, type]) => member(`list_${word}_${name}_${word}`, [list(type)], result(type), run)));

/** Everything on lists and sets. */
export const LISTS: readonly FunctionDeclaration[] = [
  comparable('isSorted', () => t.BOOL, isSorted),
  comparable(
    'min',
    (type) => type,
    (values) => extreme(values, 'min', (order) => order < 0),
  ),
  comparable(
    'max',
    (type) => type,
    (values) => extreme(values, 'max', (order) => order > 0),
  ),
  declare(
    'sum',
    ...SUMMABLE.map(([type, zero]) =>
      member(`list_${type.kind}_sum_${type.kind}`, [list(type)], type, (values) => sum(values, values.length > 0 ? zeroLike(values[0] ?? null) : zero)),
    ),
  ),
  declare('indexOf', member('list_a_index_of_int', [ALL, any(A)], t.INT, indexIn)),
  declare('lastIndexOf', member('list_a_last_index_of_int', [ALL, any(A)], t.INT, lastIndexIn)),
  declare('slice', member('list_slice', [ALL, int, int], LIST_A, slice)),
  declare(
    'flatten',
    member('list_flatten', [list(LIST_A)], LIST_A, (a) => flatten(a, 1n)),
    member('list_flatten_int', [list(t.DYN), int], t.listOf(t.DYN), flatten),
  ),
  declare('distinct', member('list_distinct', [ALL], LIST_A, distinct)),
  declare(
    'reverse',
    member('list_reverse', [ALL], LIST_A, (a) => a.toReversed()),
  ),
  declare('sort', ...COMPARABLE.map(([word, type]) => member(`list_${word}_sort`, [list(type)], t.listOf(type), (a) => sortBy(a, a)))),
  declare('@sortByAssociatedKeys', ...COMPARABLE.map(([word, type]) => member(`list_${word}_sortByAssociatedKeys`, [ALL, list(type)], LIST_A, sortBy))),
  declare('lists.range', global('lists_range', [int], t.listOf(t.INT), range)),
  declare('sets.contains', global('list_sets_contains_list', [ALL, ALL], t.BOOL, containsAll)),
  declare(
    'sets.equivalent',
    global('list_sets_equivalent_list', [ALL, ALL], t.BOOL, (a, b) => containsAll(a, b) && containsAll(b, a)),
  ),
  declare(
    'sets.intersects',
    global('list_sets_intersects_list', [ALL, ALL], t.BOOL, (a, b) => a.some((value) => b.some((other) => equal(other, value) === true))),
  ),
];

/** Sums begin with the zero of what is summed, since lists may be typed only at run time. */
function zeroLike(value: Value): Value {
  return SUMMABLE.find(([, zero]) => t.describeType(typeFor(zero)) === t.describeType(typeFor(value)))?.[1] ?? 0n;
}
