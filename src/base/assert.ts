/** States what must hold; a broken assertion is a programmer's error and is never caught to go on. */

/** The error of a broken assertion: a defect in dray, not a condition of its surroundings. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws AssertionError with `message` unless `condition` holds. On in production. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Marks a branch that the types rule out: a switch over a union stays exhaustive when the union grows. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`);
}
