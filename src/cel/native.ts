/** What a result says where Go wants a bool: the conversions to native values that selectors meet (cel-go common/types, ConvertToNative). */
import { Quantity, Semver } from '#machinery';
import { type CelError, CelMap, ConcatList, Duration, isList, OpaqueValue, Optional, Timestamp, TypeValue, Uint, type Value } from './values.ts';

/** The bool, or why the value is none. */
export function nativeBool(value: Exclude<Value, CelError>): boolean | string {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return "unsupported native conversion from string to 'bool'";
  if (typeof value === 'bigint') return "unsupported type conversion from 'int' to bool";
  if (value instanceof Uint) return "unsupported type conversion from 'uint' to bool";
  if (value instanceof TypeValue) return "type conversion not supported for 'type'";
  if (value instanceof Optional) return value.value === undefined ? 'optional.none() dereference' : nativeBool(value.value as Exclude<Value, CelError>);
  return `type conversion error from ${source(value)} to 'bool'`;
}

/** How the values name themselves in that error. */
function source(value: Value): string {
  if (value === null) return "'null_type'";
  if (typeof value === 'number') return 'Double';
  if (isList(value)) return 'list';
  if (value instanceof CelMap) return 'map';
  if (value instanceof Uint8Array) return 'Bytes';
  if (value instanceof Timestamp) return "'Timestamp'";
  if (value instanceof Duration) return "'Duration'";
  if (value instanceof Quantity) return "'Quantity'";
  if (value instanceof Semver) return "'Semver'";
  return value instanceof OpaqueValue ? `'${value.goTypeName.replace('cel.', '')}'` : 'ref.Val';
}

/** What a derived attribute may be made of. */
export type NativeScalar = string | bigint | boolean | Semver;

/** The value of a derived attribute: a scalar, or a list of scalars of one type. */
export interface NativeAttribute {
  readonly isList: boolean;
  readonly values: readonly NativeScalar[];
}

/** The attribute that a result becomes, or why it becomes none (dynamic-resource-allocation/cel, valToDeviceAttribute). */
export function nativeAttribute(value: Exclude<Value, CelError>): NativeAttribute | string {
  if (!isList(value)) {
    const scalar = scalarOf(value);
    return scalar === undefined ? `unsupported CEL return type: ${goNativeName(value)}` : { isList: false, values: [scalar] };
  }
  const scalars = value.map(scalarOf);
  const [first] = scalars;
  if (value.length > 0 && first === undefined) return `unsupported list element type: ${goNativeName(value[0] ?? null)}`;
  const odd = scalars.findIndex((scalar) => scalarKind(scalar) !== scalarKind(first));
  if (odd >= 0) return `expected list element at index ${odd} to be ${scalarKind(first)}, got ${goNativeName(value[odd] ?? null)}`;
  return { isList: true, values: scalars.filter((scalar) => scalar !== undefined) };
}

/** Optional values stand for what they hold, types for their names. */
function scalarOf(value: Value): NativeScalar | undefined {
  if (typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean' || value instanceof Semver) return value;
  if (value instanceof TypeValue) return value.name;
  return value instanceof Optional && value.value !== undefined ? scalarOf(value.value) : undefined;
}

/** What errors call the type of a scalar. */
function scalarKind(scalar: NativeScalar | undefined): string {
  if (scalar instanceof Semver) return 'semver';
  return typeof scalar === 'bigint' ? 'int' : typeof scalar === 'boolean' ? 'bool' : typeof scalar;
}

/** The Go type of the native value behind a value. */
function goNativeName(value: Value): string {
  if (value instanceof Optional) return value.value === undefined ? '<nil>' : goNativeName(value.value);
  if (value === null) return 'structpb.NullValue';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'bigint') return 'int64';
  if (typeof value !== 'object') return typeof value === 'boolean' ? 'bool' : 'string';
  if (value instanceof Uint) return 'uint64';
  if (value instanceof Uint8Array) return '[]uint8';
  if (value instanceof Timestamp) return 'time.Time';
  if (value instanceof Duration) return 'time.Duration';
  if (value instanceof Quantity) return '*resource.Quantity';
  if (value instanceof Semver) return 'semver.Version';
  if (value instanceof CelMap) return value.isOfDevice ? 'map[string]interface {}' : 'map[ref.Val]ref.Val';
  return value instanceof OpaqueValue ? value.goNativeName : isList(value) || value instanceof ConcatList ? '[]ref.Val' : 'string';
}
