/** Messages that expressions can make: protobuf's well-known types, which turn into plain values at once (cel-go common/types/provider.go). */
import * as t from './types.ts';
import { CelError, CelMap, Duration, guardSize, listItems, Timestamp, typeNameOf, Uint, type Value } from './values.ts';

/** A message type: what it is seen as, and its fields. */
export interface MessageType {
  readonly type: t.Type;
  readonly fields: ReadonlyMap<string, t.Type>;
  /** Whether the type's name is a value too. */
  readonly isValue?: boolean;
  /** The value that the message becomes. */
  readonly make: (fields: CelMap) => Value;
}

const NANOS = 1000000000n;
const INT32_MAX = 2n ** 31n - 1n;
const UINT32_MAX = 2n ** 32n - 1n;

function wrapper(type: t.Type, zero: Value, narrow: (value: Value) => Value = (value) => value): MessageType {
  return { type: t.wrapperOf(type), fields: new Map([['value', type]]), make: (fields) => narrow(fields.get('value') ?? zero) };
}

function int32(value: Value): Value {
  return typeof value === 'bigint' && (value > INT32_MAX || value < -INT32_MAX - 1n) ? new CelError('integer overflow') : value;
}

function uint32(value: Value): Value {
  return value instanceof Uint && value.value > UINT32_MAX ? new CelError('unsigned integer overflow') : value;
}

const float32 = (value: Value): Value => (typeof value === 'number' ? Math.fround(value) : value);

/** Whole seconds and nanoseconds. */
function nanosOf(fields: CelMap): bigint {
  const number = (name: string): bigint => {
    const value = fields.get(name);
    return typeof value === 'bigint' ? value : 0n;
  };
  return number('seconds') * NANOS + number('nanos');
}

/** A value as JSON holds it: numbers are doubles. Ends the evaluation when there are too many parts, as where lists hold others many times over. */
function jsonValue(value: Value, count = { elements: 0 }): Value {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Uint) return jsonValue(value.value);
  const items = listItems(value);
  guardSize((count.elements += items?.length ?? 1), 'elements');
  if (items !== undefined) return items.map((item) => jsonValue(item, count));
  return value instanceof CelMap ? jsonStruct(value, count) : value;
}

function jsonStruct(map: CelMap, count = { elements: 0 }): CelMap {
  const out = new CelMap();
  for (const { key, value } of map.entries()) out.set(typeof key === 'string' ? key : String(jsonValue(key)), jsonValue(value, count));
  return out;
}

function anyOf(fields: CelMap): Value {
  for (const { value } of fields.entries()) return jsonValue(value);
  return null;
}

const timeFields: ReadonlyMap<string, t.Type> = new Map([
  ['seconds', t.INT],
  ['nanos', t.INT],
]);

const JSON_LIST = t.listOf(t.DYN);
const JSON_STRUCT = t.mapOf(t.STRING, t.DYN);

const VALUE_FIELDS: ReadonlyMap<string, t.Type> = new Map([
  ['null_value', t.NULL],
  ['number_value', t.DOUBLE],
  ['string_value', t.STRING],
  ['bool_value', t.BOOL],
  ['struct_value', JSON_STRUCT],
  ['list_value', JSON_LIST],
]);

/** The well-known messages by name. */
export const MESSAGES: ReadonlyMap<string, MessageType> = new Map<string, MessageType>([
  ['google.protobuf.BoolValue', wrapper(t.BOOL, false)],
  ['google.protobuf.BytesValue', wrapper(t.BYTES, new Uint8Array())],
  ['google.protobuf.DoubleValue', wrapper(t.DOUBLE, 0)],
  ['google.protobuf.FloatValue', wrapper(t.DOUBLE, 0, float32)],
  ['google.protobuf.Int64Value', wrapper(t.INT, 0n)],
  ['google.protobuf.Int32Value', wrapper(t.INT, 0n, int32)],
  ['google.protobuf.UInt64Value', wrapper(t.UINT, new Uint(0n))],
  ['google.protobuf.UInt32Value', wrapper(t.UINT, new Uint(0n), uint32)],
  ['google.protobuf.StringValue', wrapper(t.STRING, '')],
  ['google.protobuf.Duration', { type: t.DURATION, fields: timeFields, isValue: true, make: (fields) => new Duration(nanosOf(fields)) }],
  ['google.protobuf.Timestamp', { type: t.TIMESTAMP, fields: timeFields, isValue: true, make: (fields) => new Timestamp(nanosOf(fields)) }],
  ['google.protobuf.ListValue', { type: JSON_LIST, fields: new Map([['values', JSON_LIST]]), make: (fields) => jsonValue(fields.get('values') ?? []) }],
  [
    'google.protobuf.Struct',
    { type: JSON_STRUCT, fields: new Map([['fields', JSON_STRUCT]]), make: (fields) => jsonValue(fields.get('fields') ?? new CelMap()) },
  ],
  ['google.protobuf.Value', { type: t.DYN, fields: VALUE_FIELDS, make: anyOf }],
  [
    'google.protobuf.Any',
    {
      type: t.ANY,
      fields: new Map([
        ['type_url', t.STRING],
        ['value', t.BYTES],
      ]),
      // Packed messages are not unpacked: nothing in the dialect hands them out.
      make: () => new CelError('unsupported conversion to ref.Val: (*dynamicpb.Message)'),
    },
  ],
]);

/** Constants of protobuf's enums. */
export const CONSTANTS: ReadonlyMap<string, bigint> = new Map([['google.protobuf.NullValue.NULL_VALUE', 0n]]);

/** The value of a message with these fields. */
export function makeMessage(name: string, fields: CelMap): Value {
  const message = MESSAGES.get(name);
  if (message === undefined) return new CelError(`unknown type '${name}'`);
  for (const { key, value } of fields.entries()) {
    const failed = conversionError(message.fields.get(String(key)) ?? t.DYN, value);
    if (failed !== undefined) return new CelError(`field type conversion error for ${name}.${String(key)} value type: ${failed}`);
  }
  const made = message.make(fields);
  if (made instanceof CelError && made.message.endsWith('overflow'))
    return new CelError(`field type conversion error for ${name}.value value type: ${made.message}`);
  return made;
}

/** Why a value that was typed only at run time does not become the field's. */
function conversionError(type: t.Type, value: Value): string | undefined {
  const basic = ['bool', 'bytes', 'double', 'int', 'string', 'uint'].includes(type.kind);
  return !basic || typeNameOf(value) === type.name ? undefined : `unsupported type conversion from '${typeNameOf(value)}' to ${type.name}`;
}
