/** The values of the language as they are at run time, errors among them. */
import { Quantity, Semver } from '#machinery';

/** An error as a value: operators pass it on, `&&`, `||` and optionals may absorb it. */
export class CelError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** An unsigned 64-bit integer; signed ones are plain bigints. */
export class Uint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

/** A point in time: nanoseconds since the Unix epoch, and seconds east of Greenwich where it was read, which only shows in its text. */
export class Timestamp {
  readonly nanos: bigint;
  readonly offset: number;

  constructor(nanos: bigint, offset = 0) {
    this.nanos = nanos;
    this.offset = offset;
  }
}

/** A span of time in nanoseconds. */
export class Duration {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** An optional value: present or not. */
export class Optional {
  readonly value: Value | undefined;

  constructor(value: Value | undefined) {
    this.value = value;
  }
}

/** The one absent optional. */
export const NONE = new Optional(undefined);

/** A type as a value. */
export class TypeValue {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A value of a library's own type, such as an IP address. */
export abstract class OpaqueValue {
  /** Name of the value's type. */
  abstract readonly typeName: string;
  /** Name of the Go type behind it, as some of upstream's errors show it. */
  abstract readonly goTypeName: string;
  /** Name of the type of the Go value that it holds. */
  abstract readonly goNativeName: string;
  /** Whether the other value is of the same type and equal; a CelError where upstream has no overload. */
  abstract equals(other: Value): boolean | CelError;
  /** The value as error texts show it. */
  abstract toString(): string;

  /** Length of the pattern that a validation by this value is counted by; 0 when it validates nothing. */
  readonly patternSize: number = 0;

  /** The size that costs are counted by. */
  get size(): number {
    return 1;
  }

  /** What makes it the key of a map: values with the same key are one key; undefined where each value is a key of its own. Throws Panic where upstream cannot hash it. */
  get key(): string | undefined {
    return undefined;
  }
}

/** A list. Lists are never changed once they are visible, save a GrowingList. */
export type List = readonly Value[];

/** The most elements that a list is spelled out with, and characters that a text has; whoever needs more would exceed any cost limit soon. */
export const MAX_SPELLED_OUT = { elements: 2_000_000, characters: 10_000_000 };

/** Thrown to end an evaluation whose cost exceeded the limit; caught where the evaluation began. */
export class CostLimitExceeded extends Error {
  constructor() {
    super('operation cancelled: actual cost limit exceeded');
  }
}

/** Thrown where upstream panics and reports an internal error; caught where the evaluation began. */
export class Panic extends Error {}

/** Thrown to end an evaluation with an error that nothing may absorb; caught where the evaluation began. */
export class Aborted extends Error {}

/** Ends the evaluation if so many elements or characters are more than any limit lets through. */
export function guardSize(size: number, of: keyof typeof MAX_SPELLED_OUT): void {
  if (size > MAX_SPELLED_OUT[of]) throw new CostLimitExceeded();
}

/** The texts of parts, parted by commas; ends the evaluation when that gets too long, as it does where lists hold others many times over. */
export function joined<T>(parts: Iterable<T>, textOf: (part: T) => string): string {
  const texts: string[] = [];
  let length = 0;
  for (const part of parts) {
    const text = textOf(part);
    guardSize((length += text.length), 'characters');
    texts.push(text);
  }
  return texts.join(', ');
}

/** A list that an accumulator holds: adding to it changes it, as upstream's mutable lists do. That keeps loops linear. */
export class GrowingList extends Array<Value> {}

/** Two lists after one another, spelled out only when somebody looks: adding a list to itself again and again stays cheap. */
export class ConcatList {
  /** How many elements there are. */
  readonly length: number;
  #parts: readonly [List | ConcatList, List | ConcatList] | undefined;
  #items: List | undefined;

  constructor(left: List | ConcatList, right: List | ConcatList) {
    this.length = left.length + right.length;
    this.#parts = [left, right];
  }

  /** The elements; throws CostLimitExceeded when there are too many to spell out. */
  get items(): List {
    if (this.#items !== undefined || this.#parts === undefined) return this.#items ?? [];
    guardSize(this.length, 'elements');
    const items: Value[] = [];
    const waiting: (List | ConcatList)[] = [...this.#parts];
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const parts = next instanceof ConcatList ? next.#parts : undefined;
      if (parts !== undefined) waiting.unshift(...parts);
      else for (const item of next instanceof ConcatList ? next.items : next) items.push(item);
    }
    this.#parts = undefined;
    this.#items = items;
    return items;
  }
}

/** The elements of a value that is a list; undefined for others. */
export function listItems(value: Value): List | undefined {
  if (isList(value)) return value;
  return value instanceof ConcatList ? value.items : undefined;
}

/** Whatever an expression can evaluate to. */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | List
  | ConcatList
  | CelMap
  | Uint
  | Timestamp
  | Duration
  | Optional
  | TypeValue
  | OpaqueValue
  | Quantity
  | Semver
  | CelError;

/** Whether the text stands for itself as the key of a map. */
export function isOwnKey(text: string): boolean {
  return !text.startsWith('\0');
}

/** What stands for a value as the key of a map; throws Panic for values that upstream cannot hash. Numbers of different types differ. */
export function mapKey(value: Value): unknown {
  if (typeof value === 'string') return isOwnKey(value) ? value : `\0s${value}`;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint) return `\0u${value.value}`;
  if (value instanceof Timestamp) return `\0t${value.nanos}`;
  if (value instanceof Duration) return `\0d${value.nanos}`;
  if (value instanceof TypeValue) return `\0y${value.name}`;
  if (value instanceof OpaqueValue) return value.key === undefined ? value : `\0o${value.typeName} ${value.key}`;
  if (value instanceof Semver) throw new Panic('runtime error: hash of unhashable type cel.Semver');
  if (value instanceof Uint8Array) throw new Panic('runtime error: hash of unhashable type types.Bytes');
  return value;
}

/** The numbers of other types that find the same entry: an int finds uints, a double both. */
function kinOf(key: Value): readonly Value[] {
  if (typeof key === 'bigint') return isUint64(key) ? [new Uint(key)] : [];
  if (key instanceof Uint) return isInt64(key.value) ? [key.value] : [];
  if (typeof key !== 'number' || !Number.isInteger(key)) return [];
  const whole = BigInt(key);
  return [...(isInt64(whole) ? [whole] : []), ...(isUint64(whole) ? [new Uint(whole)] : [])];
}

/** One entry of a map. */
export interface Entry {
  readonly key: Value;
  readonly value: Value;
}

/** A map in order of insertion. */
export class CelMap {
  readonly #values = new Map<unknown, Value>();
  /** The keys that are not their own map keys. */
  #keys: Map<unknown, Value> | undefined;
  /** Whether the map is one of a device. */
  readonly isOfDevice: boolean;
  readonly #fallback: Value | undefined;

  /** With `fallback`, or null for none, the map is one of a device: its keys are strings, and `fallback` answers for absent ones. */
  constructor(fallback?: Value) {
    this.isOfDevice = fallback !== undefined;
    this.#fallback = fallback ?? undefined;
  }

  /** How many entries there are. */
  get size(): number {
    return this.#values.size;
  }

  /** Adds an entry or replaces it; only while the map is built. */
  set(key: Value, value: Value): void {
    const mapped = mapKey(key);
    if (mapped !== key) (this.#keys ??= new Map()).set(mapped, key);
    this.#values.set(mapped, value);
  }

  /** Removes an entry; only while the map is built. */
  delete(key: Value): void {
    this.#values.delete(mapKey(key));
  }

  /** The value under a key, or the fallback. */
  get(key: Value): Value | undefined {
    const found = this.#find(key);
    return found === undefined ? this.#fallback : found;
  }

  /** The value under a text that is its own map key (isOwnKey), or the fallback. */
  getText(key: string): Value | undefined {
    const found = this.#values.get(key);
    return found === undefined ? this.#fallback : found;
  }

  /** Whether the key itself is there, fallback aside. */
  has(key: Value): boolean {
    return this.#find(key) !== undefined;
  }

  #find(key: Value): Value | undefined {
    if (this.#values.size === 0) return undefined;
    if (typeof key !== 'string' && this.isOfDevice) return undefined;
    const found = this.#values.get(mapKey(key));
    if (found !== undefined || typeof key === 'string') return found;
    for (const kin of kinOf(key)) {
      const other = this.#values.get(mapKey(kin));
      if (other !== undefined) return other;
    }
    return undefined;
  }

  #key(mapped: unknown): Value {
    const key = this.#keys?.get(mapped);
    // What is not kept apart is its own key, so it is a value.
    return key === undefined ? (mapped as Value) : key;
  }

  /** Keys in order of insertion. */
  keys(): Value[] {
    return Array.from(this.#values.keys(), (mapped) => this.#key(mapped));
  }

  /** Entries in order of insertion. */
  *entries(): Iterable<Entry> {
    for (const [mapped, value] of this.#values) yield { key: this.#key(mapped), value };
  }
}

/** A map that an accumulator holds, which grows in place as upstream's mutable maps do. */
export class GrowingMap extends CelMap {}

/** Quantities that were calculated: upstream hands them out by pointer, and nothing is equal to those. */
const CALCULATED = new WeakSet<Quantity>();

/** Notes that the quantity is the result of a calculation. */
export function calculated(quantity: Quantity): Quantity {
  CALCULATED.add(quantity);
  return quantity;
}

/** Whether the quantity is the result of a calculation. */
export function isCalculated(quantity: Quantity): boolean {
  return CALCULATED.has(quantity);
}

/** Lists of devices: upstream makes a new one for each access, which shows where lists are keys. */
const OF_DEVICES = new WeakSet<List>();

/** Notes that the list is an attribute of a device. */
export function listOfDevice(list: List): List {
  OF_DEVICES.add(list);
  return list;
}

/** What a further access to the value gives: another list if it is an attribute of a device. */
export function accessedAnew(value: Value): Value {
  if (value instanceof Optional && value.value !== undefined) return new Optional(accessedAnew(value.value));
  return isList(value) && OF_DEVICES.has(value) ? listOfDevice([...value]) : value;
}

/** Whether the value is a list. */
export function isList(value: Value): value is List {
  return Array.isArray(value);
}

/** The name of a value's run-time type. */
export function typeNameOf(value: Value): string {
  if (value === null) return 'null_type';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'double';
  if (typeof value === 'string') return 'string';
  if (isList(value) || value instanceof ConcatList) return 'list';
  if (value instanceof CelMap) return 'map';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Uint) return 'uint';
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp';
  if (value instanceof Duration) return 'google.protobuf.Duration';
  if (value instanceof Optional) return 'optional_type';
  if (value instanceof TypeValue) return 'type';
  if (value instanceof Quantity) return 'kubernetes.Quantity';
  if (value instanceof Semver) return 'kubernetes.Semver';
  if (value instanceof CelError) return 'error';
  return value.typeName;
}

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;

/** The integer when it fits int64, else the overflow error. */
export function int64(value: bigint): bigint | CelError {
  return isInt64(value) ? value : new CelError('integer overflow');
}

function isInt64(value: bigint): boolean {
  return value >= INT_MIN && value <= INT_MAX;
}

function isUint64(value: bigint): boolean {
  return value >= 0n && value <= UINT_MAX;
}

/** The integer when it fits uint64, else the overflow error. */
export function uint64(value: bigint): Uint | CelError {
  return isUint64(value) ? new Uint(value) : new CelError('unsigned integer overflow');
}

/** The error of an operation that no overload takes. */
export function noSuchOverload(): CelError {
  return new CelError('no such overload');
}
