/** Values and their types as Go's %v and %T print them, which shows in upstream's error texts. */
import { goFloat, Quantity, Semver } from '#machinery';
import { durationText, goTimeText } from './time.ts';
import {
  CelError,
  CelMap,
  ConcatList,
  Duration,
  GrowingList,
  isCalculated,
  isList,
  joined,
  listItems,
  OpaqueValue,
  Optional,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from './values.ts';

/** The Go type behind a value. */
export function goTypeName(value: Value): string {
  switch (typeof value) {
    case 'string':
      return 'types.String';
    case 'bigint':
      return 'types.Int';
    case 'number':
      return 'types.Double';
    case 'boolean':
      return 'types.Bool';
    default:
      return value === null ? 'types.Null' : goObjectTypeName(value);
  }
}

function goObjectTypeName(value: Value & object): string {
  if (isList(value)) return value instanceof GrowingList ? '*types.mutableList' : '*types.baseList';
  if (value instanceof ConcatList) return '*types.concatList';
  if (value instanceof CelMap) return '*types.baseMap';
  if (value instanceof Uint) return 'types.Uint';
  if (value instanceof Uint8Array) return 'types.Bytes';
  if (value instanceof Timestamp) return 'types.Timestamp';
  if (value instanceof Duration) return 'types.Duration';
  if (value instanceof Optional) return '*types.Optional';
  if (value instanceof TypeValue) return '*types.Type';
  if (value instanceof Quantity) return isCalculated(value) ? '*cel.Quantity' : 'cel.Quantity';
  if (value instanceof Semver) return 'cel.Semver';
  return value instanceof OpaqueValue ? value.goTypeName : '*types.Err';
}

/** The value as %v shows it. */
export function goText(value: Value): string {
  if (value === null) return '0';
  if (typeof value === 'number') return goFloat(value);
  if (typeof value !== 'object') return String(value);
  const items = listItems(value);
  if (items !== undefined) return `[${joined(items, goText)}]`;
  if (value instanceof CelMap) return `{${joined(value.entries(), (entry) => `${goText(entry.key)}: ${goText(entry.value)}`)}}`;
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return `[${value.join(' ')}]`;
  if (value instanceof Timestamp) return goTimeText(value);
  if (value instanceof Duration) return goDurationText(value.nanos);
  if (value instanceof Optional) return value.value === undefined ? 'optional.none()' : `optional(${goText(value.value)})`;
  if (value instanceof TypeValue) return value.name;
  return value instanceof CelError ? value.message : value.toString();
}

const UNITS: readonly (readonly [bigint, string])[] = [
  [3600000000000n, 'h'],
  [60000000000n, 'm'],
];
const SMALL_UNITS: readonly (readonly [bigint, string])[] = [
  [1000000n, 'ms'],
  [1000n, 'µs'],
];

/** A duration as Go prints it: `1h0m1.5s`, `2ms`. */
function goDurationText(nanos: bigint): string {
  const magnitude = nanos < 0n ? -nanos : nanos;
  const sign = nanos < 0n ? '-' : '';
  if (magnitude === 0n) return '0s';
  if (magnitude < 1000000000n) {
    const [unit, name] = SMALL_UNITS.find(([least]) => magnitude >= least) ?? [1n, 'ns'];
    return `${sign}${decimal(magnitude, unit)}${name}`;
  }
  let rest = magnitude;
  let text = sign;
  for (const [unit, name] of UNITS) {
    if (magnitude >= unit) text += `${rest / unit}${name}`;
    rest %= unit;
  }
  return text + durationText(rest);
}

function decimal(value: bigint, unit: bigint): string {
  const digits = String(unit).length - 1;
  const fraction = String(value % unit)
    .padStart(digits, '0')
    .replace(/0+$/, '');
  return `${value / unit}${fraction === '' || digits === 0 ? '' : `.${fraction}`}`;
}
