/** Ranges of costs and sizes with arithmetic that stops at 2^64-1. */
import type { Expr } from './ast.ts';
import type { Type } from './types.ts';
import type { Value } from './values.ts';

/** The largest cost or size there is: no bound. */
export const MAX = 2n ** 64n - 1n;

/** At least `min`, at most `max`. */
export interface Range {
  readonly min: bigint;
  readonly max: bigint;
}

/** What is known of an argument: its node, its type, its value if literal, and its size. */
export interface SizedNode {
  readonly expr: Expr;
  readonly type: Type;
  readonly literal: Value | undefined;
  /** The size where anything is known of it. */
  readonly computed: Range | undefined;
  /** The size, at worst anything. */
  readonly size: Range;
}

/** The cost of a call and, where known, the size of its result. */
export interface Estimate {
  readonly cost: Range;
  readonly size?: Range | undefined;
}

/** A range of one number. */
export const exactly = (value: bigint): Range => ({ min: value, max: value });

/** Library types that upstream declares as structs, whose size it never knows. */
const STRUCTS = new Set(['kubernetes.Quantity', 'kubernetes.Semver', 'kubernetes.URL', 'kubernetes.NamedFormat']);

/** The size of a value of the type when nothing more is known. */
export function unknownSize(type: Type): Range {
  if (STRUCTS.has(type.name)) return { min: 0n, max: MAX };
  if (type.kind === 'opaque') return type.name === 'optional_type' && type.params[0] !== undefined ? unknownSize(type.params[0]) : exactly(1n);
  const scalar = ['bool', 'int', 'uint', 'double', 'null', 'timestamp', 'duration'].includes(type.kind);
  return scalar ? exactly(1n) : { min: 0n, max: MAX };
}

const clamp = (value: bigint): bigint => (value > MAX ? MAX : value);

/** Sum. */
export function addCost(a: Range, b: Range): Range {
  return { min: clamp(a.min + b.min), max: clamp(a.max + b.max) };
}

/** Product. */
export function multiplyCost(a: Range, b: Range): Range {
  return { min: clamp(a.min * b.min), max: clamp(a.max * b.max) };
}

/** Product with a factor, rounded up. */
export function scaleCost(a: Range, factor: number): Range {
  return { min: scaled(a.min, factor), max: scaled(a.max, factor) };
}

function scaled(value: bigint, factor: number): bigint {
  const product = Number(value) * factor;
  return product >= 2 ** 64 ? MAX : BigInt(Math.ceil(product));
}

/** The range that holds both. */
export function unionCost(a: Range, b: Range): Range {
  return { min: a.min < b.min ? a.min : b.min, max: a.max > b.max ? a.max : b.max };
}

/** The bounds of the smaller of two. */
export function minCost(a: Range, b: Range): Range {
  return { min: a.min < b.min ? a.min : b.min, max: a.max < b.max ? a.max : b.max };
}
