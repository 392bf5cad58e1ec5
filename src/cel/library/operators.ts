/** The operators of the language and `size`, `matches` and their kin: cel-go's standard environment without conversions. */
import {
  A,
  any,
  B,
  bool,
  builtIn,
  bytes,
  declare,
  double,
  duration,
  type FunctionDeclaration,
  global,
  int,
  list,
  map,
  member,
  type Overload,
  str,
  timestamp,
  uint,
} from '../declarations.ts';
import { compare, equal } from '../equality.ts';
import { matches } from '../regex.ts';
import * as t from '../types.ts';
import { CelError, Duration, int64, Timestamp, Uint, uint64, type Value } from '../values.ts';
import { actualSize } from '../cost-runtime.ts';

const DYN_LIST = list(A);
const A_MAP = map(A, B);

/** `[...]` membership by CEL equality; an element that cannot be compared counts as different. */
function inList(value: Value, values: readonly Value[]): boolean {
  return values.some((element) => equal(element, value) === true);
}

function ordering(name: string, test: (order: number) => boolean): FunctionDeclaration {
  const word = { '_<_': 'less', '_<=_': 'less_equals', '_>_': 'greater', '_>=_': 'greater_equals' }[name] ?? '';
  const run = (a: Value, b: Value): Value => {
    const order = compare(a, b);
    if (order === undefined) return new CelError(`no such overload: ${name}`);
    return order instanceof CelError ? order : test(order);
  };
  const same = [bool, int, uint, double, str, bytes, timestamp, duration].map((kind) =>
    global(`${word}_${shortName(kind.type)}`, [any(kind.type), any(kind.type)], t.BOOL, run),
  );
  const numbers = [int, uint, double];
  const mixed = numbers.flatMap((a) =>
    numbers.filter((b) => b !== a).map((b) => global(`${word}_${shortName(a.type)}_${shortName(b.type)}`, [any(a.type), any(b.type)], t.BOOL, run)),
  );
  return declare(name, ...same, ...mixed);
}

function shortName(type: t.Type): string {
  return { int: 'int64', uint: 'uint64' }[type.kind as string] ?? type.kind;
}

const NANOS_MIN = -(2n ** 63n);
const NANOS_MAX = 2n ** 63n - 1n;
const TIME_MIN = -62135596800n * 1000000000n;
const TIME_MAX = 253402300800n * 1000000000n - 1n;

function span(nanos: bigint): Value {
  return nanos < NANOS_MIN || nanos > NANOS_MAX ? new CelError('integer overflow') : new Duration(nanos);
}

function moment(nanos: bigint): Value {
  return nanos < TIME_MIN || nanos > TIME_MAX ? new CelError('timestamp overflow') : new Timestamp(nanos);
}

const ARITHMETIC: FunctionDeclaration[] = [
  declare(
    '_+_',
    global('add_bytes', [bytes, bytes], t.BYTES, (a, b) => Uint8Array.from([...a, ...b])),
    global('add_double', [double, double], t.DOUBLE, (a, b) => a + b),
    global('add_duration_duration', [duration, duration], t.DURATION, (a, b) => span(a.nanos + b.nanos)),
    global('add_duration_timestamp', [duration, timestamp], t.TIMESTAMP, (a, b) => moment(a.nanos + b.nanos)),
    global('add_timestamp_duration', [timestamp, duration], t.TIMESTAMP, (a, b) => moment(a.nanos + b.nanos)),
    global('add_int64', [int, int], t.INT, (a, b) => int64(a + b)),
    global('add_list', [DYN_LIST, DYN_LIST], t.listOf(A), (a, b) => [...a, ...b]),
    global('add_string', [str, str], t.STRING, (a, b) => a + b),
    global('add_uint64', [uint, uint], t.UINT, (a, b) => uint64(a.value + b.value)),
  ),
  declare(
    '_-_',
    global('subtract_double', [double, double], t.DOUBLE, (a, b) => a - b),
    global('subtract_duration_duration', [duration, duration], t.DURATION, (a, b) => span(a.nanos - b.nanos)),
    global('subtract_int64', [int, int], t.INT, (a, b) => int64(a - b)),
    global('subtract_timestamp_duration', [timestamp, duration], t.TIMESTAMP, (a, b) => moment(a.nanos - b.nanos)),
    global('subtract_timestamp_timestamp', [timestamp, timestamp], t.DURATION, (a, b) => span(a.nanos - b.nanos)),
    global('subtract_uint64', [uint, uint], t.UINT, (a, b) => uint64(a.value - b.value)),
  ),
  declare(
    '_*_',
    global('multiply_double', [double, double], t.DOUBLE, (a, b) => a * b),
    global('multiply_int64', [int, int], t.INT, (a, b) => int64(a * b)),
    global('multiply_uint64', [uint, uint], t.UINT, (a, b) => uint64(a.value * b.value)),
  ),
  declare(
    '_/_',
    global('divide_double', [double, double], t.DOUBLE, (a, b) => a / b),
    global('divide_int64', [int, int], t.INT, (a, b) => (b === 0n ? new CelError('division by zero') : int64(a / b))),
    global('divide_uint64', [uint, uint], t.UINT, (a, b) => (b.value === 0n ? new CelError('division by zero') : uint64(a.value / b.value))),
  ),
  declare(
    '_%_',
    global('modulo_int64', [int, int], t.INT, (a, b) =>
      b === 0n ? new CelError('modulus by zero') : a === NANOS_MIN && b === -1n ? new CelError('integer overflow') : a % b,
    ),
    global('modulo_uint64', [uint, uint], t.UINT, (a, b) => (b.value === 0n ? new CelError('modulus by zero') : new Uint(a.value % b.value))),
  ),
  declare(
    '-_',
    global('negate_double', [double], t.DOUBLE, (a) => -a),
    global('negate_int64', [int], t.INT, (a) => int64(-a)),
  ),
];

const sizeOf = (value: Value): Value => BigInt(actualSize(value));

function sizes(make: typeof global, prefix: string): Overload[] {
  return [
    make(`${prefix}bytes`, [bytes], t.INT, sizeOf),
    make(`${prefix}list`, [DYN_LIST], t.INT, sizeOf),
    make(`${prefix}map`, [A_MAP], t.INT, sizeOf),
    make(`${prefix}string`, [str], t.INT, sizeOf),
  ];
}

/** Operators and the functions that every environment has. */
export const OPERATORS: readonly FunctionDeclaration[] = [
  declare('_?_:_', builtIn('global', 'conditional', [bool, any(A), any(A)], A)),
  declare('_&&_', builtIn('global', 'logical_and', [bool, bool], t.BOOL)),
  declare('_||_', builtIn('global', 'logical_or', [bool, bool], t.BOOL)),
  declare(
    '!_',
    global('logical_not', [bool], t.BOOL, (a) => !a),
  ),
  declare('@not_strictly_false', builtIn('global', 'not_strictly_false', [bool], t.BOOL)),
  declare('_==_', global('equals', [any(A), any(A)], t.BOOL, equal)),
  declare(
    '_!=_',
    global('not_equals', [any(A), any(A)], t.BOOL, (a, b) => equal(a, b) !== true),
  ),
  ordering('_<_', (order) => order < 0),
  ordering('_<=_', (order) => order <= 0),
  ordering('_>_', (order) => order > 0),
  ordering('_>=_', (order) => order >= 0),
  ...ARITHMETIC,
  declare(
    '@in',
    global('in_list', [any(A), DYN_LIST], t.BOOL, inList),
    global('in_map', [any(A), A_MAP], t.BOOL, (key, entries) => entries.has(key)),
  ),
  declare('_[_]', builtIn('global', 'index_list', [DYN_LIST, int], A), builtIn('global', 'index_map', [A_MAP, any(A)], B)),
  declare('size', ...sizes(global, 'size_'), ...sizes(member, '')),
  declare(
    'contains',
    member('contains_string', [str, str], t.BOOL, (a, b) => a.includes(b)),
  ),
  declare(
    'startsWith',
    member('starts_with_string', [str, str], t.BOOL, (a, b) => a.startsWith(b)),
  ),
  declare(
    'endsWith',
    member('ends_with_string', [str, str], t.BOOL, (a, b) => a.endsWith(b)),
  ),
  declare('matches', global('matches', [str, str], t.BOOL, matches), member('matches_string', [str, str], t.BOOL, matches)),
];
