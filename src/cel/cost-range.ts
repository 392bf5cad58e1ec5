/** Ranges of costs and sizes with arithmetic that stops at 2^64-1 (cel-go checker/cost.go, CostEstimate and SizeEstimate). */

/** The largest cost or size there is: no bound. */
export const MAX = 2n ** 64n - 1n;

/** At least `min`, at most `max`. */
export interface Range {
  readonly min: bigint;
  readonly max: bigint;
}

/** A range of one number. */
export const exactly = (value: bigint): Range => ({ min: value, max: value });

/** At most so much. */
export const upTo = (max: bigint): Range => ({ min: 0n, max });

/** Nothing is known. */
export const UNKNOWN: Range = upTo(MAX);

const clamp = (value: bigint): bigint => (value > MAX ? MAX : value);

/** Sum. */
export function add(a: Range, b: Range): Range {
  return { min: clamp(a.min + b.min), max: clamp(a.max + b.max) };
}

/** Product. */
export function multiply(a: Range, b: Range): Range {
  return { min: clamp(a.min * b.min), max: clamp(a.max * b.max) };
}

/** Product with a factor, rounded up. */
export function scale(a: Range, factor: number): Range {
  return { min: scaled(a.min, factor), max: scaled(a.max, factor) };
}

function scaled(value: bigint, factor: number): bigint {
  const product = Math.ceil(Number(value) * factor);
  return product >= 2 ** 64 ? MAX : BigInt(product);
}

/** The range that holds both. */
export function union(a: Range, b: Range): Range {
  return { min: a.min < b.min ? a.min : b.min, max: a.max > b.max ? a.max : b.max };
}
