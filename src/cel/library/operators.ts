/** The operators of the language and `size`, `matches` and their kin: cel-go's standard environment without conversions. */
import { A, any, B, builtIn, declare, declareSingle, type FunctionDeclaration, type Implementation, type Overload, signature } from '../declarations.ts';
import { compare, equal } from '../equality.ts';
import { actualSize } from '../cost-runtime.ts';
import { compileRegex } from '../regex.ts';
import * as t from '../types.ts';
import {
  CelError,
  CelMap,
  ConcatList,
  Duration,
  GrowingList,
  guardSize,
  int64,
  isList,
  listItems,
  noSuchOverload,
  Timestamp,
  Uint,
  uint64,
  type Value,
} from '../values.ts';

const LIST = t.listOf(A);
const MAP = t.mapOf(A, B);
const COMPARABLE = [t.BOOL, t.INT, t.UINT, t.DOUBLE, t.STRING, t.BYTES, t.TIMESTAMP, t.DURATION];
const NUMBERS = [t.INT, t.UINT, t.DOUBLE];

/** What `in` finds: elements by the element's own equality, keys of maps. */
function contains(sought: Value, container: Value): Value {
  if (container instanceof CelMap) return container.has(sought);
  const items = listItems(container);
  return items === undefined ? noSuchOverload() : items.some((item) => equal(sought, item) === true);
}

function shortName(type: t.Type): string {
  return { int: 'int64', uint: 'uint64' }[type.kind as string] ?? type.kind;
}

function ordering(name: string, word: string, test: (order: number) => boolean): FunctionDeclaration {
  const same = COMPARABLE.map((type) => signature('global', `${word}_${shortName(type)}`, [type, type], t.BOOL));
  const mixed = NUMBERS.flatMap((a) =>
    NUMBERS.filter((b) => b !== a).map((b) => signature('global', `${word}_${shortName(a)}_${shortName(b)}`, [a, b], t.BOOL)),
  );
  const run: Implementation = (a = null, b = null) => {
    if (typeof a === 'bigint' && typeof b === 'bigint') return test(a < b ? -1 : a > b ? 1 : 0);
    const order = compare(a, b) ?? noSuchOverload();
    return order instanceof CelError ? order : test(order);
  };
  return declareSingle(name, COMPARABLE, run, ...same, ...mixed);
}

const NANOS_MIN = -(2n ** 63n);
const NANOS_MAX = 2n ** 63n - 1n;
const TIME_MIN = -62135596800n * 1000000000n;
const TIME_MAX = 253402300800n * 1000000000n - 1n;

function span(nanos: bigint): Value {
  return nanos < NANOS_MIN || nanos > NANOS_MAX ? new CelError('integer overflow') : new Duration(nanos);
}

/** A moment after another one, with its offset. */
function moment(from: Timestamp, nanos: bigint): Value {
  const sum = from.nanos + nanos;
  return sum < TIME_MIN || sum > TIME_MAX ? new CelError('timestamp overflow') : new Timestamp(sum, from.offset);
}

/** What an operator does with two values of one type; undefined where the type has no such operator. */
interface Arithmetic {
  readonly ints?: (a: bigint, b: bigint) => Value;
  readonly uints?: (a: bigint, b: bigint) => Value;
  readonly doubles?: (a: number, b: number) => number;
}

function calculate({ ints, uints, doubles }: Arithmetic, a: Value, b: Value): Value {
  if (typeof a === 'bigint' && typeof b === 'bigint' && ints !== undefined) return ints(a, b);
  if (a instanceof Uint && b instanceof Uint && uints !== undefined) return uints(a.value, b.value);
  if (typeof a === 'number' && typeof b === 'number' && doubles !== undefined) return doubles(a, b);
  return noSuchOverload();
}

function add(a: Value, b: Value): Value {
  if (typeof a === 'string' && typeof b === 'string') return a + b;
  if (isList(a) || a instanceof ConcatList) return addLists(a, b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return joinedBytes(a, b);
  if (a instanceof Duration && b instanceof Duration) return span(a.nanos + b.nanos);
  if (a instanceof Duration && b instanceof Timestamp) return moment(b, a.nanos);
  if (a instanceof Timestamp && b instanceof Duration) return moment(a, b.nanos);
  return calculate({ ints: (x, y) => int64(x + y), uints: (x, y) => uint64(x + y), doubles: (x, y) => x + y }, a, b);
}

function joinedBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

function addLists(a: readonly Value[] | ConcatList, b: Value): Value {
  if (!isList(b) && !(b instanceof ConcatList)) return noSuchOverload();
  if (!(a instanceof GrowingList)) return sum(a, b);
  // A list may be added to itself: only what it holds now is.
  const items = isList(b) ? b : b.items;
  const count = items.length;
  guardSize(a.length + count, 'elements');
  for (let i = 0; i < count; i++) a.push(items[i] ?? null);
  return a;
}

/** Two lists as one; where one of them is empty, it is the other. */
function sum(a: readonly Value[] | ConcatList, b: readonly Value[] | ConcatList): Value {
  if (a.length === 0) return b;
  return b.length === 0 ? a : new ConcatList(a, b);
}

function subtract(a: Value, b: Value): Value {
  if (a instanceof Duration && b instanceof Duration) return span(a.nanos - b.nanos);
  if (a instanceof Timestamp && b instanceof Duration) return b.nanos === NANOS_MIN ? new CelError('integer overflow') : moment(a, -b.nanos);
  if (a instanceof Timestamp && b instanceof Timestamp) return span(a.nanos - b.nanos);
  return calculate({ ints: (x, y) => int64(x - y), uints: (x, y) => uint64(x - y), doubles: (x, y) => x - y }, a, b);
}

const quotient = (x: bigint, y: bigint): bigint | CelError => (y === 0n ? new CelError('division by zero') : x / y);

function divide(a: Value, b: Value): Value {
  const ints = (x: bigint, y: bigint): Value => checked(quotient(x, y), int64);
  return calculate({ ints, uints: (x, y) => checked(quotient(x, y), uint64), doubles: (x, y) => x / y }, a, b);
}

function checked(value: bigint | CelError, fit: (value: bigint) => Value): Value {
  return value instanceof CelError ? value : fit(value);
}

function modulo(a: Value, b: Value): Value {
  const zero = new CelError('modulus by zero');
  const ints = (x: bigint, y: bigint): Value => (y === 0n ? zero : x === NANOS_MIN && y === -1n ? new CelError('integer overflow') : x % y);
  return calculate({ ints, uints: (x, y) => (y === 0n ? zero : new Uint(x % y)) }, a, b);
}

function negate(a: Value): Value {
  if (typeof a === 'bigint') return int64(-a);
  return typeof a === 'number' ? -a : noSuchOverload();
}

const two =
  (run: (a: Value, b: Value) => Value): Implementation =>
  (a = null, b = null) =>
    run(a, b);

/** Signatures of an operator on two values of one type. */
function ofTypes(word: string, types: readonly t.Type[]): Overload[] {
  return types.map((type) => signature('global', `${word}_${shortName(type)}`, [type, type], type));
}

const ARITHMETIC: FunctionDeclaration[] = [
  declareSingle(
    '_+_',
    [t.BYTES, t.DOUBLE, t.DURATION, t.INT, t.TIMESTAMP, t.UINT, t.STRING, LIST],
    two(add),
    ...ofTypes('add', [t.BYTES, t.DOUBLE]),
    signature('global', 'add_duration_duration', [t.DURATION, t.DURATION], t.DURATION),
    signature('global', 'add_duration_timestamp', [t.DURATION, t.TIMESTAMP], t.TIMESTAMP),
    signature('global', 'add_timestamp_duration', [t.TIMESTAMP, t.DURATION], t.TIMESTAMP),
    ...ofTypes('add', [t.INT, LIST, t.STRING, t.UINT]),
  ),
  declareSingle(
    '_-_',
    [t.DOUBLE, t.DURATION, t.INT, t.TIMESTAMP, t.UINT],
    two(subtract),
    ...ofTypes('subtract', [t.DOUBLE]),
    signature('global', 'subtract_duration_duration', [t.DURATION, t.DURATION], t.DURATION),
    ...ofTypes('subtract', [t.INT]),
    signature('global', 'subtract_timestamp_duration', [t.TIMESTAMP, t.DURATION], t.TIMESTAMP),
    signature('global', 'subtract_timestamp_timestamp', [t.TIMESTAMP, t.TIMESTAMP], t.DURATION),
    ...ofTypes('subtract', [t.UINT]),
  ),
  declareSingle(
    '_*_',
    NUMBERS,
    two((a, b) => calculate({ ints: (x, y) => int64(x * y), uints: (x, y) => uint64(x * y), doubles: (x, y) => x * y }, a, b)),
    ...ofTypes('multiply', [t.DOUBLE, t.INT, t.UINT]),
  ),
  declareSingle('_/_', NUMBERS, two(divide), ...ofTypes('divide', [t.DOUBLE, t.INT, t.UINT])),
  declareSingle('_%_', [t.INT, t.UINT], two(modulo), ...ofTypes('modulo', [t.INT, t.UINT])),
  declareSingle(
    '-_',
    [t.INT, t.DOUBLE, t.BOOL],
    (a = null) => negate(a),
    signature('global', 'negate_double', [t.DOUBLE], t.DOUBLE),
    signature('global', 'negate_int64', [t.INT], t.INT),
  ),
];

function matches(text: Value, pattern: Value): Value {
  if (typeof text !== 'string' || typeof pattern !== 'string') return noSuchOverload();
  const regex = compileRegex(pattern);
  return regex instanceof CelError ? regex : regex.test(text);
}

/** Upstream's functions on texts say nothing of the types they are given. */
function onTexts(name: string, id: string, run: (a: string, b: string) => Value): FunctionDeclaration {
  const implementation: Implementation = (a = null, b = null) => (typeof a === 'string' && typeof b === 'string' ? run(a, b) : noSuchOverload());
  return declareSingle(name, undefined, implementation, signature('member', id, [t.STRING, t.STRING], t.BOOL));
}

/** Operators and the functions that every environment has. */
export const OPERATORS: readonly FunctionDeclaration[] = [
  declare('_?_:_', builtIn('global', 'conditional', [any(t.BOOL), any(A), any(A)], A)),
  declare('_&&_', signature('global', 'logical_and', [t.BOOL, t.BOOL], t.BOOL)),
  declare('_||_', signature('global', 'logical_or', [t.BOOL, t.BOOL], t.BOOL)),
  declareSingle('!_', undefined, (a = null) => (typeof a === 'boolean' ? !a : noSuchOverload()), signature('global', 'logical_not', [t.BOOL], t.BOOL)),
  declare('@not_strictly_false', signature('global', 'not_strictly_false', [t.BOOL], t.BOOL)),
  declareSingle('_==_', undefined, two(equal), signature('global', 'equals', [A, A], t.BOOL)),
  declareSingle(
    '_!=_',
    undefined,
    two((a, b) => equal(a, b) !== true),
    signature('global', 'not_equals', [A, A], t.BOOL),
  ),
  ordering('_<_', 'less', (order) => order < 0),
  ordering('_<=_', 'less_equals', (order) => order <= 0),
  ordering('_>_', 'greater', (order) => order > 0),
  ordering('_>=_', 'greater_equals', (order) => order >= 0),
  ...ARITHMETIC,
  declareSingle('@in', undefined, two(contains), signature('global', 'in_list', [A, LIST], t.BOOL), signature('global', 'in_map', [A, MAP], t.BOOL)),
  declare('_[_]', signature('global', 'index_list', [LIST, t.INT], A), signature('global', 'index_map', [MAP, A], B)),
  declareSingle(
    'size',
    [t.BYTES, LIST, MAP, t.STRING],
    (value = null) => BigInt(actualSize(value)),
    ...(['global', 'member'] as const).flatMap((form) =>
      [t.BYTES, LIST, MAP, t.STRING].map((type) => signature(form, form === 'global' ? `size_${type.kind}` : type.kind, [type], t.INT)),
    ),
  ),
  onTexts('contains', 'contains_string', (a, b) => a.includes(b)),
  onTexts('startsWith', 'starts_with_string', (a, b) => a.startsWith(b)),
  onTexts('endsWith', 'ends_with_string', (a, b) => a.endsWith(b)),
  declareSingle(
    'matches',
    [t.STRING],
    two(matches),
    signature('global', 'matches', [t.STRING, t.STRING], t.BOOL),
    signature('member', 'matches_string', [t.STRING, t.STRING], t.BOOL),
  ),
];
