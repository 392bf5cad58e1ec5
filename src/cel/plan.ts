/** The parts a compiled expression is made of: frames, closures and the access paths that cel-go calls attributes (interpreter/attributes.go). */
import { goText, goTypeName } from './go-values.ts';
import { CelError, CelMap, ConcatList, CostLimitExceeded, guardSize, isList, isOwnKey, NONE, Optional, typeNameOf, Uint, type Value } from './values.ts';

/** One evaluation: the device, the variables of loops and what has been spent. */
export class Frame {
  cost = 0;
  #written = 0;
  #variables: Value[] | undefined;

  readonly device: Value;
  readonly costLimit: number;

  constructor(device: Value, costLimit: number) {
    this.device = device;
    this.costLimit = costLimit;
  }

  /** The variables of loops by slot. */
  get variables(): Value[] {
    return (this.#variables ??= []);
  }

  /** Spends `units`; throws CostLimitExceeded when that is more than there is. */
  charge(units: number): void {
    this.cost += units;
    if (this.cost > this.costLimit) throw new CostLimitExceeded();
  }

  /** Counts characters of a text that was written for less than texts cost; throws CostLimitExceeded when all of them are more than one text may have. */
  write(characters: number): void {
    this.#written += characters;
    guardSize(this.#written, 'characters');
  }
}

/** Evaluates a node in a frame. */
export type Eval = (frame: Frame) => Value;

/** A compiled node: how to evaluate it, and what is known of it beforehand. */
export interface Plan {
  readonly eval: Eval;
  /** The value of a constant, which costs nothing. */
  readonly constant?: Value;
  /** For names, selects, indexes and conditionals: the path that further qualifiers are added to. */
  readonly attribute?: Attribute;
}

/** The plan of a constant. */
export function constant(value: Value): Plan {
  return { eval: () => value, constant: value };
}

/** An access path: from a value by qualifiers, or either of two paths. */
export type Attribute =
  | { readonly kind: 'path'; readonly root: Eval; readonly qualifiers: readonly Qualifier[] }
  | { readonly kind: 'conditional'; readonly condition: Eval; readonly truthy: Attribute; readonly falsy: Attribute };

/** One step of an access path. */
export interface Qualifier {
  readonly optional: boolean;
  /** The text that the step looks up, if it does nothing else. */
  readonly name?: string | undefined;
  /** The part of `value`; an error when it is not there. */
  readonly qualify: (frame: Frame, value: Value) => Value;
  /** The part of `value`; undefined when it is not there. */
  readonly ifPresent: (frame: Frame, value: Value) => Value | undefined;
}

/** The path that starts at a value. */
export function pathFrom(root: Eval): Attribute {
  return { kind: 'path', root, qualifiers: [] };
}

/** The plan of an access path: each use of it costs one, save that of a conditional. */
export function attributePlan(attribute: Attribute): Plan {
  const resolve = resolver(attribute);
  if (attribute.kind === 'conditional') return { eval: resolve, attribute };
  return {
    attribute,
    eval: (frame) => {
      const value = resolve(frame);
      frame.charge(1);
      return value;
    },
  };
}

/** The path as it goes on from another node: its own path, or a new one that starts with its value. */
export function attributeOf(plan: Plan): Attribute {
  return plan.attribute ?? pathFrom(plan.eval);
}

/** The path with one more step. */
export function extended(attribute: Attribute, qualifier: Qualifier): Attribute {
  if (attribute.kind === 'path') return { ...attribute, qualifiers: [...attribute.qualifiers, qualifier] };
  return { ...attribute, truthy: extended(attribute.truthy, qualifier), falsy: extended(attribute.falsy, qualifier) };
}

/** Walks the path without the charge for using it. */
export function resolver(attribute: Attribute): Eval {
  if (attribute.kind === 'conditional') return conditional(attribute.condition, resolver(attribute.truthy), resolver(attribute.falsy));
  const { root, qualifiers } = attribute;
  if (qualifiers.length === 0) return root;
  const names = qualifiers.map((qualifier) => qualifier.name);
  if (names.every((name) => name !== undefined)) return (frame) => walkNames(frame, root(frame), names, qualifiers);
  if (qualifiers.some((qualifier) => qualifier.optional)) return (frame) => walkOptionally(frame, root(frame), qualifiers, false);
  return (frame) => walk(frame, root(frame), qualifiers, true);
}

/** The common path: names looked up in maps. */
function walkNames(frame: Frame, start: Value, names: readonly string[], qualifiers: readonly Qualifier[]): Value {
  let value = start;
  for (let i = 0; i < names.length; i++) {
    if (!(value instanceof CelMap)) return walk(frame, value, qualifiers.slice(i), i === 0);
    const name = names[i] ?? '';
    frame.charge(1);
    const next = value.getText(name);
    if (next === undefined) return missing(value, name);
    value = next;
  }
  return value;
}

/** Walks on step by step; an optional value makes the path optional only where it begins. */
function walk(frame: Frame, start: Value, qualifiers: readonly Qualifier[], isBeginning: boolean): Value {
  if (isBeginning && start instanceof Optional) return walkOptionally(frame, start, qualifiers, false);
  let value = start;
  for (const qualifier of qualifiers) {
    if (value instanceof CelError) return value;
    value = qualifier.qualify(frame, value);
  }
  return value;
}

function conditional(condition: Eval, truthy: Eval, falsy: Eval): Eval {
  return (frame) => {
    const value = condition(frame);
    if (value === true) return truthy(frame);
    if (value === false) return falsy(frame);
    return value instanceof CelError ? value : new CelError('no such overload');
  };
}

/** From an optional value, or from the first optional step on, absent parts make the whole path absent. */
function walkOptionally(frame: Frame, start: Value, qualifiers: readonly Qualifier[], isOptional: boolean): Value {
  let value = start;
  let optional = isOptional;
  if (value instanceof Optional) {
    if (value.value === undefined) return NONE;
    optional = true;
    value = value.value;
  }
  for (const qualifier of qualifiers) {
    if (value instanceof CelError) return value;
    optional ||= qualifier.optional;
    const next: Value | undefined = optional ? qualifier.ifPresent(frame, value) : qualifier.qualify(frame, value);
    if (next === undefined) return NONE;
    value = next;
  }
  return value instanceof CelError ? value : new Optional(value);
}

/** A step by a fixed key; it costs one, unless it is optional and absent. A CelError when a value cannot be a key at all. */
export function fixedQualifier(key: Value, optional: boolean): Qualifier | CelError {
  const invalid = invalidKey(key);
  if (invalid !== undefined) return invalid;
  return {
    optional,
    name: !optional && typeof key === 'string' && isOwnKey(key) ? key : undefined,
    qualify: (frame, value) => {
      frame.charge(1);
      return partOrMissing(value, key);
    },
    ifPresent: (frame, value) => {
      const found = part(value, key);
      if (found !== undefined && !(found instanceof CelError)) frame.charge(1);
      return found;
    },
  };
}

/** A step by a key that is evaluated first. */
export function computedQualifier(index: Plan, optional: boolean): Qualifier {
  const key = index.attribute === undefined ? index.eval : resolver(index.attribute);
  return {
    optional,
    qualify: (frame, value) => {
      const evaluated = key(frame);
      frame.charge(1);
      return invalidKey(evaluated) ?? partOrMissing(value, evaluated);
    },
    ifPresent: (frame, value) => {
      const evaluated = key(frame);
      const found = invalidKey(evaluated) ?? part(value, evaluated);
      if (found !== undefined && !(found instanceof CelError)) frame.charge(1);
      return found;
    },
  };
}

/** The last step of has(): whether the field is there. */
export function presenceQualifier(field: string): Qualifier {
  const test = (value: Value): Value => {
    const found = part(value, field);
    return found instanceof CelError ? found : found !== undefined;
  };
  return {
    optional: false,
    qualify: (frame, value) => {
      frame.charge(1);
      return test(value);
    },
    ifPresent: (frame, value) => {
      const found = test(value);
      if (found === false) return undefined;
      if (found === true) frame.charge(1);
      return found;
    },
  };
}

/** The plan of has(): what is optional is there when it has a value. */
export function presencePlan(attribute: Attribute): Plan {
  const resolve = resolver(attribute);
  const test: Eval = (frame) => {
    const found = resolve(frame);
    return found instanceof Optional ? found.value !== undefined : found;
  };
  return { eval: test, attribute };
}

function invalidKey(key: Value): CelError | undefined {
  if (typeof key === 'string' || typeof key === 'bigint' || typeof key === 'boolean' || typeof key === 'number') return undefined;
  if (key instanceof CelError) return key;
  return key instanceof Uint ? undefined : new CelError(`invalid qualifier type: ${goTypeName(key)}`);
}

/** The part of a value under a key: undefined when absent, an error when the key is of the wrong type. */
function part(value: Value, key: Value): Value | undefined {
  if (value instanceof CelMap) return value.get(key);
  if (value instanceof CelError) return value;
  const length = isList(value) || value instanceof ConcatList ? value.length : undefined;
  if (length === undefined) return undefined;
  const position = listIndex(key);
  if (position instanceof CelError) return position;
  if (position < 0 || position >= length) return undefined;
  return (value instanceof ConcatList ? value.items : isList(value) ? value : [])[position];
}

function partOrMissing(value: Value, key: Value): Value {
  const found = part(value, key);
  return found === undefined ? missing(value, key) : found;
}

function listIndex(key: Value): number | CelError {
  if (typeof key === 'bigint') return Number(key);
  if (key instanceof Uint && key.value < 2n ** 63n) return Number(key.value);
  if (typeof key === 'number' && Number.isInteger(key) && Math.abs(key) < 2 ** 63) return key;
  if (typeof key === 'number' || key instanceof Uint) return new CelError(`unsupported index value ${goText(key)} in list`);
  return new CelError(`unsupported index type '${typeNameOf(key)}' in list`);
}

function missing(value: Value, key: Value): CelError {
  return new CelError(isList(value) || value instanceof ConcatList ? `index out of bounds: ${goText(key)}` : `no such key: ${goText(key)}`);
}
