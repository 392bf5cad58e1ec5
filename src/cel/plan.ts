/** The parts a compiled expression is made of: frames, closures and the access paths that cel-go calls attributes. */
import { typeText } from './types.ts';
import { CelError, CelMap, isList, NONE, Optional, StructValue, Uint, type Value } from './values.ts';

/** Thrown to end an evaluation whose cost exceeded the limit; caught where the evaluation began. */
export class CostLimitExceeded extends Error {
  constructor() {
    super('operation cancelled: actual cost limit exceeded');
  }
}

/** One evaluation: the device, the variables of loops and what has been spent. */
export class Frame {
  cost = 0;
  readonly variables: Value[] = [];

  readonly device: Value;
  readonly costLimit: number;

  constructor(device: Value, costLimit: number) {
    this.device = device;
    this.costLimit = costLimit;
  }

  /** Spends `units`; throws CostLimitExceeded when that is more than there is. */
  charge(units: number): void {
    this.cost += units;
    if (this.cost > this.costLimit) throw new CostLimitExceeded();
  }
}

/** Evaluates a node in a frame. */
export type Eval = (frame: Frame) => Value;

/** A compiled node: how to evaluate it, and what is known of it beforehand. */
export interface Plan {
  readonly eval: Eval;
  /** The value of a constant, which costs nothing. */
  readonly constant?: Value;
  /** For names, selects and indexes: the access without the charge for the whole path, to which qualifiers are added. */
  readonly resolve?: Eval;
}

/** The plan of a constant. */
export function constant(value: Value): Plan {
  return { eval: () => value, constant: value };
}

/** The plan of an access path: each use of it costs one. */
export function path(resolve: Eval): Plan {
  return {
    resolve,
    eval: (frame) => {
      const value = resolve(frame);
      frame.charge(1);
      return value;
    },
  };
}

/** How an access path goes on from a value: a fixed key or a computed one. */
export interface Qualifier {
  readonly key: Eval;
  readonly fixed?: Value | undefined;
  readonly optional: boolean;
}

/** The access that goes on from `operand` by one qualifier. */
export function qualified(operand: Eval, qualifier: Qualifier): Eval {
  const { key, fixed, optional } = qualifier;
  const step = (frame: Frame, value: Value, index: Value): Value => {
    if (value instanceof Optional) return value.value === undefined ? NONE : present(frame, value.value, index);
    if (optional) return present(frame, value, index);
    frame.charge(1);
    return lookUp(value, index) ?? missing(value, index);
  };
  if (fixed !== undefined) {
    return (frame) => {
      const value = operand(frame);
      return value instanceof CelError ? value : step(frame, value, fixed);
    };
  }
  return (frame) => {
    const value = operand(frame);
    if (value instanceof CelError) return value;
    if (value instanceof Optional && value.value === undefined) return NONE;
    const index = key(frame);
    return index instanceof CelError ? index : step(frame, value, index);
  };
}

/** What is there, wrapped; absent things cost nothing. */
function present(frame: Frame, value: Value, index: Value): Value {
  const found = lookUp(value, index);
  if (found === undefined) return NONE;
  frame.charge(1);
  return found instanceof CelError ? found : new Optional(found);
}

/** The test has(operand.field). */
export function presenceTest(operand: Eval, field: string): Eval {
  return (frame) => {
    let value = operand(frame);
    if (value instanceof CelError) return value;
    if (value instanceof Optional) {
      if (value.value === undefined) return false;
      value = value.value;
    }
    frame.charge(1);
    const found = value instanceof CelMap ? value.has(field) : lookUp(value, field);
    return found instanceof CelError ? found : found !== undefined && found !== false;
  };
}

/** The part of a value under a key: undefined when absent, an error when the key is of the wrong type. */
export function lookUp(value: Value, index: Value): Value | undefined {
  if (value instanceof CelMap) return typeof index === 'string' ? value.getString(index) : value.get(index);
  if (value instanceof StructValue) return typeof index === 'string' ? value.fields.get(index) : undefined;
  if (!isList(value)) return undefined;
  const position = listIndex(index);
  return position instanceof CelError ? position : position < 0 ? undefined : value[position];
}

function listIndex(index: Value): number | CelError {
  if (typeof index === 'bigint') return Number(index);
  if (index instanceof Uint) return Number(index.value);
  if (typeof index === 'number' && Number.isInteger(index)) return index;
  return new CelError(`unsupported index value ${indexText(index)} in list`);
}

function missing(value: Value, index: Value): CelError {
  return new CelError(isList(value) ? `index out of bounds: ${indexText(index)}` : `no such key: ${indexText(index)}`);
}

/** A key as error texts show it. */
export function indexText(index: Value): string {
  if (index instanceof Uint) return String(index.value);
  if (typeof index === 'object') return index === null ? 'null' : typeText({ kind: 'dyn', name: 'value', params: [] });
  return String(index);
}
