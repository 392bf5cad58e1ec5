/** The values of the language as they are at run time, errors among them. */
import { Quantity, Semver } from '#machinery';
import type { Type } from './types.ts';

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

/** A point in time: nanoseconds since the Unix epoch. */
export class Timestamp {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
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
  /** Whether the other value is of the same type and equal; a CelError where upstream has no overload. */
  abstract equals(other: Value): boolean | CelError;

  /** Length of the pattern that a validation by this value is counted by; 0 when it validates nothing. */
  readonly patternSize: number = 0;

  /** The size that costs are counted by. */
  get size(): number {
    return 1;
  }
}

/** The `device` variable: a struct with fixed fields. */
export class StructValue {
  readonly typeName: string;
  readonly fields: ReadonlyMap<string, Value>;

  constructor(typeName: string, fields: ReadonlyMap<string, Value>) {
    this.typeName = typeName;
    this.fields = fields;
  }
}

/** A list. Lists are never changed once they are visible. */
export type List = readonly Value[];

/** Whatever an expression can evaluate to. */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | List
  | CelMap
  | Uint
  | Timestamp
  | Duration
  | Optional
  | TypeValue
  | OpaqueValue
  | StructValue
  | Quantity
  | Semver
  | CelError;

/** The key of a value in a map, or undefined when the value cannot be one. Numbers that are equal share a key. */
export function mapKey(value: Value): string | undefined {
  switch (typeof value) {
    case 'string':
      return `s${value}`;
    case 'bigint':
      return `n${value}`;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      return Number.isInteger(value) ? `n${BigInt(value)}` : undefined;
    default:
      return value instanceof Uint ? `n${value.value}` : undefined;
  }
}

/** A map in order of insertion; `fallback` answers for absent keys (the domains of a device). */
export class CelMap {
  readonly #entries = new Map<string, { readonly key: Value; readonly value: Value }>();
  readonly #fallback: Value | undefined;

  constructor(fallback?: Value) {
    this.#fallback = fallback;
  }

  /** How many entries there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** Adds an entry; only while the map is built. */
  set(key: Value, value: Value): void {
    this.#entries.set(mapKey(key) ?? '', { key, value });
  }

  /** The value under a key. */
  get(key: Value): Value | undefined {
    return this.#entries.get(mapKey(key) ?? '')?.value ?? this.#fallback;
  }

  /** The value under a string key. */
  getString(key: string): Value | undefined {
    return this.#entries.get(`s${key}`)?.value ?? this.#fallback;
  }

  /** Whether the key itself is there, fallback aside. */
  has(key: Value): boolean {
    return this.#entries.has(mapKey(key) ?? '');
  }

  /** Keys in order of insertion. */
  keys(): Value[] {
    return Array.from(this.#entries.values(), (entry) => entry.key);
  }

  /** Entries in order of insertion. */
  entries(): Iterable<{ readonly key: Value; readonly value: Value }> {
    return this.#entries.values();
  }
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
  if (isList(value)) return 'list';
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

/** The run-time value of a type named in an expression. */
export function typeValue(type: Type): TypeValue {
  return new TypeValue(type.name);
}

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;

/** The integer when it fits int64, else the overflow error. */
export function int64(value: bigint): bigint | CelError {
  return value < INT_MIN || value > INT_MAX ? new CelError('integer overflow') : value;
}

/** The integer when it fits uint64, else the overflow error. */
export function uint64(value: bigint): Uint | CelError {
  return value < 0n || value > UINT_MAX ? new CelError('unsigned integer overflow') : new Uint(value);
}

/** The error of an operation that no overload takes. */
export function noSuchOverload(): CelError {
  return new CelError('no such overload');
}
