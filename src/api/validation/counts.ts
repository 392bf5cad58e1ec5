/** Numbers of workloads and budgets: counts that are not negative, and amounts given as a number or in percent (apps/validation). */
import type { FieldErrors } from './report.ts';

const NEGATIVE = 'must be greater than or equal to 0';
const PERCENT = /^[0-9]+%$/;
const PERCENT_TEXT = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

/** Those members that are there are not negative. */
export function checkNonNegative<T extends object>(errors: FieldErrors, path: string, object: T, members: readonly (keyof T & string)[]): void {
  for (const member of members) {
    const value: unknown = object[member];
    if (typeof value === 'number' && value < 0) errors.invalid(`${path}.${member}`, value, NEGATIVE);
  }
}

/** A number that is not negative, or a percentage (ValidatePositiveIntOrPercent). */
export function checkIntOrPercent(errors: FieldErrors, path: string, amount: number | string): void {
  if (typeof amount === 'string') {
    if (!PERCENT.test(amount)) errors.invalid(path, amount, PERCENT_TEXT);
  } else if (amount < 0) errors.invalid(path, amount, NEGATIVE);
}

/** A percentage is at most 100 (IsNotMoreThan100Percent). */
export function checkAtMostAll(errors: FieldErrors, path: string, amount: number | string): void {
  if (typeof amount === 'string' && PERCENT.test(amount) && amountValue(amount) > 100) errors.invalid(path, amount, 'must not be greater than 100%');
}

/** The number, that of a percentage, or what Go reads of another text (getIntOrPercentValue). */
export function amountValue(amount: number | string): number {
  if (typeof amount === 'number') return amount;
  return /^[+-]?\d+%?$/.test(amount) ? Number.parseInt(amount, 10) : 0;
}

/** What a status must keep besides its counts not being negative. */
export interface StatusRules<T> {
  readonly counts: readonly (keyof T & string)[];
  /** Pairs of members of which the first is at most the second, which the text calls by the third. */
  readonly limits: readonly (readonly [keyof T & string, keyof T & string, string])[];
}

/** Counts of a status and how they relate; a count of collisions never shrinks. */
export function checkCounts<T extends object>(errors: FieldErrors, rules: StatusRules<T>, status: T, old: T): void {
  checkNonNegative(errors, 'status', status, rules.counts);
  for (const [less, more, name] of rules.limits) {
    const [small, large] = [countOf(status, less) ?? 0, countOf(status, more) ?? 0];
    if (small > large) errors.invalid(`status.${less}`, small, `cannot be greater than ${name}`);
  }
  const [collisions, before] = [countOf(status, COLLISIONS), countOf(old, COLLISIONS)];
  if (before !== undefined && (collisions ?? -1) < before) errors.invalid(`status.${COLLISIONS}`, collisions ?? 0, 'cannot be decremented');
}

const COLLISIONS = 'collisionCount';

function countOf(status: object, member: string): number | undefined {
  const value: unknown = Reflect.get(status, member);
  return typeof value === 'number' ? value : undefined;
}
