/** The static types of the language, how they are written and which may stand for which. */

/** What sort of type it is. */
export type TypeKind =
  | 'dyn'
  | 'any'
  | 'error'
  | 'null'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'timestamp'
  | 'duration'
  | 'list'
  | 'map'
  | 'opaque'
  | 'struct'
  | 'type'
  | 'param';

/** A static type. `name` is the name at run time; type parameters are named by their letter. */
export interface Type {
  readonly kind: TypeKind;
  readonly name: string;
  readonly params: readonly Type[];
  /** How the type is written where that is not its name: `wrapper(bool)`, which may be null too. */
  readonly wrapper?: string;
}

const simple = (kind: TypeKind, name: string = kind): Type => ({ kind, name, params: [] });

/** Unknown until run time. */
export const DYN = simple('dyn');
/** Unknown until run time, as the attributes of devices are declared without list types. */
export const ANY = simple('any', 'google.protobuf.Any');
/** The type of what was refused. */
export const ERROR = simple('error', '!error!');
/** The type of `null`. */
export const NULL = simple('null', 'null_type');
/** Booleans. */
export const BOOL = simple('bool');
/** Signed 64-bit integers. */
export const INT = simple('int');
/** Unsigned 64-bit integers. */
export const UINT = simple('uint');
/** Floating point numbers. */
export const DOUBLE = simple('double');
/** Unicode text. */
export const STRING = simple('string');
/** Bytes. */
export const BYTES = simple('bytes');
/** Points in time. */
export const TIMESTAMP = simple('timestamp', 'google.protobuf.Timestamp');
/** Spans of time. */
export const DURATION = simple('duration', 'google.protobuf.Duration');
/** A type with fields, or one that upstream declares so. */
export const object = (name: string): Type => simple('struct', name);

/** Kubernetes quantities. */
export const QUANTITY = object('kubernetes.Quantity');
/** Semantic versions. */
export const SEMVER = object('kubernetes.Semver');
/** IP addresses. */
export const IP = simple('opaque', 'net.IP');
/** Networks. */
export const CIDR = simple('opaque', 'net.CIDR');
/** URLs. */
export const URL = object('kubernetes.URL');
/** Named formats of text. */
export const FORMAT = object('kubernetes.NamedFormat');
/** The variable `device`. */
export const DEVICE = object('kubernetes.DRADevice');
/** The type of types, when it is not known of which. */
export const TYPE = simple('type');

/** A list of the element type. */
export const listOf = (element: Type): Type => ({ kind: 'list', name: 'list', params: [element] });
/** A map. */
export const mapOf = (key: Type, value: Type): Type => ({ kind: 'map', name: 'map', params: [key, value] });
/** An optional value. */
export const optionalOf = (type: Type): Type => ({ kind: 'opaque', name: 'optional_type', params: [type] });
/** A basic type or null: what messages that wrap one value are seen as. */
export const wrapperOf = (type: Type): Type => ({ ...type, wrapper: `wrapper(${type.name})` });
/** The type of a type. */
export const typeOf = (type: Type): Type => ({ kind: 'type', name: 'type', params: [type] });
/** A type parameter. */
export const param = (name: string): Type => simple('param', name);

/** Whether the type is optional_type(...). */
export function isOptionalType(type: Type): boolean {
  return type.kind === 'opaque' && type.name === 'optional_type';
}

/** Whether values of the type are judged only at run time. */
export function isDyn(type: Type): boolean {
  return type.kind === 'dyn' || type.kind === 'any';
}

/** Whether the two types are the same. */
export function sameType(a: Type, b: Type): boolean {
  if (a === b) return true;
  return a.kind === b.kind && a.name === b.name && a.params.length === b.params.length && a.params.every((param, i) => sameType(param, at(b, i)));
}

/** A parameter of a type; dyn where there is none. */
export function at(type: Type, index: number): Type {
  return type.params[index] ?? DYN;
}

/** The type as compile errors write it (checker/format.go). */
export function describeType(type: Type): string {
  switch (type.kind) {
    case 'any':
    case 'null':
    case 'timestamp':
    case 'duration':
    case 'error':
      return type.kind === 'error' ? '!error!' : type.kind;
    default:
      return withParams(type, describeType);
  }
}

/** The type as result types are printed (common/types, Type.String). */
export function typeText(type: Type): string {
  return withParams(type, typeText);
}

function withParams(type: Type, text: (type: Type) => string): string {
  return type.params.length === 0 ? (type.wrapper ?? type.name) : `${type.name}(${type.params.map(text).join(', ')})`;
}

/** What is known of type parameters while a call is judged. */
export class Mapping {
  readonly #known = new Map<string, Type>();
  /** What was put last, with what stood there before: for taking attempts back. */
  readonly #history: (readonly [name: string, before: Type | undefined])[] = [];

  /** The type put for a parameter. */
  find(type: Type): Type | undefined {
    return this.#known.get(type.name);
  }

  /** Puts a type for a parameter. */
  add(parameter: Type, type: Type): void {
    this.#history.push([parameter.name, this.#known.get(parameter.name)]);
    this.#known.set(parameter.name, type);
  }

  /** Runs `attempt`; keeps what it learnt only if it answers true. */
  attempt(attempt: () => boolean): boolean {
    const mark = this.#history.length;
    if (attempt()) return true;
    while (this.#history.length > mark) {
      const [name, before] = this.#history.pop() ?? ['', undefined];
      if (before === undefined) this.#known.delete(name);
      else this.#known.set(name, before);
    }
    return false;
  }

  /** The type with its parameters replaced; unknown ones become dyn if asked. */
  substitute(type: Type, unknownToDyn: boolean): Type {
    if (type.kind === 'param') {
      const known = this.find(type);
      if (known !== undefined) return this.substitute(known, unknownToDyn);
      return unknownToDyn ? DYN : type;
    }
    if (type.params.length === 0) return type;
    return { ...type, params: type.params.map((inner) => this.substitute(inner, unknownToDyn)) };
  }

  /** Whether a value of type `from` may stand where `to` is declared (checker/types.go, isAssignable). */
  assignable(from: Type, to: Type): boolean {
    return this.attempt(() => this.#assignable(from, to));
  }

  /** Whether all of `from` may stand for the first of `to`, one by one. */
  allAssignable(from: readonly Type[], to: readonly Type[]): boolean {
    return this.attempt(() => from.every((type, i) => this.#assignable(type, to[i] ?? DYN)));
  }

  #assignable(a: Type, b: Type): boolean {
    if (b.kind === 'param') {
      const { valid, known } = this.#mayStandFor(a, b);
      if (valid) return true;
      if (known) return false;
    }
    if (a.kind === 'param') return this.#mayStandFor(b, a).valid;
    if (isDyn(a) || isDyn(b) || a.kind === 'error' || b.kind === 'error') return true;
    if (a.kind === 'null') return isNullable(b);
    if (b.kind === 'null') return isNullable(a);
    if (a.kind === 'type') return b.kind === 'type';
    if (a.kind !== b.kind || a.name !== b.name || a.params.length !== b.params.length) return false;
    return a.params.every((inner, i) => this.#assignable(inner, at(b, i)));
  }

  #mayStandFor(type: Type, parameter: Type): { valid: boolean; known: boolean } {
    if (sameType(type, parameter)) return { valid: true, known: true };
    const known = this.find(parameter);
    if (known !== undefined) {
      if (sameType(type, known)) return { valid: true, known: true };
      if (!this.#assignable(type, known)) return { valid: false, known: true };
      const general = mostGeneral(type, known);
      if (!this.#refersTo(general, parameter)) this.add(parameter, general);
      return { valid: true, known: true };
    }
    if (this.#refersTo(type, parameter)) return { valid: false, known: false };
    this.add(parameter, type);
    return { valid: true, known: false };
  }

  #refersTo(type: Type, parameter: Type): boolean {
    if (type.kind === 'param') {
      if (type.name === parameter.name) return true;
      const known = this.find(type);
      return known !== undefined && this.#refersTo(known, parameter);
    }
    return type.params.some((inner) => this.#refersTo(inner, parameter));
  }
}

function isNullable(type: Type): boolean {
  return type.wrapper !== undefined || ['any', 'dyn', 'duration', 'timestamp', 'opaque', 'struct', 'null'].includes(type.kind);
}

/** The less specific of two types that go together. */
export function mostGeneral(a: Type, b: Type): Type {
  return isAtMostAsSpecific(a, b) ? a : b;
}

function isAtMostAsSpecific(a: Type, b: Type): boolean {
  if (isDyn(a) || a.kind === 'param') return true;
  if (isDyn(b) || b.kind === 'param') return false;
  if (a.kind !== b.kind || a.name !== b.name) return false;
  if (a.kind === 'type') return true;
  return a.params.length === b.params.length && a.params.every((inner, i) => isAtMostAsSpecific(inner, at(b, i)));
}

const MESSAGE_NAMES: Readonly<Partial<Record<TypeKind, string>>> = {
  any: 'google.protobuf.Any',
  bool: 'google.protobuf.BoolValue',
  bytes: 'google.protobuf.BytesValue',
  double: 'google.protobuf.DoubleValue',
  duration: 'google.protobuf.Duration',
  dyn: 'google.protobuf.Value',
  int: 'google.protobuf.Int64Value',
  list: 'google.protobuf.ListValue',
  map: 'google.protobuf.Struct',
  string: 'google.protobuf.StringValue',
  timestamp: 'google.protobuf.Timestamp',
  uint: 'google.protobuf.UInt64Value',
};

/** The message whose fields a type has that stands for a well-known message (checker.go, getWellKnownTypeName). */
export function messageName(type: Type): string | undefined {
  return MESSAGE_NAMES[type.kind];
}
