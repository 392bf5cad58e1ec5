/** How much of one capacity a request takes: its amount after the device's request policy (KEP 5075). */
import type { CapacityRequestPolicyRange, DeviceCapacity } from '#api';
import { Quantity } from '#machinery';
import { readQuantity } from './device.ts';

/** An amount that upstream's 64-bit arithmetic cannot handle: fatal, since no other device would change the request. */
export class CapacityError extends Error {
  override readonly name = 'CapacityError';
}

const INT64_MAX = 2n ** 63n - 1n;
const NANO_PER_UNIT = 1_000_000_000n;

/** The amount taken, or undefined when the policy forbids what is asked for. Throws CapacityError. */
export function shareOf(capacity: DeviceCapacity, requested: string | undefined, fractional: boolean): Quantity | undefined {
  const policy = capacity.requestPolicy;
  const standard = policy?.default === undefined ? undefined : readQuantity(policy.default);
  if (requested === undefined) return permitted(capacity, standard ?? readQuantity(capacity.value), standard, fractional);
  const wanted = readQuantity(requested);
  if (wanted.sign() < 0) throw new CapacityError('capacity value is negative');
  return permitted(capacity, rounded(capacity, wanted, fractional), standard, fractional);
}

/** Rounds up to what the device hands out. */
function rounded({ requestPolicy: policy }: DeviceCapacity, wanted: Quantity, fractional: boolean): Quantity {
  if (policy?.validRange !== undefined) return roundedInRange(policy.validRange, wanted, fractional);
  const values = (policy?.validValues ?? []).map(readQuantity);
  return values.find((value) => value.compare(wanted) >= 0) ?? wanted;
}

function roundedInRange(range: CapacityRequestPolicyRange, wanted: Quantity, fractional: boolean): Quantity {
  const min = readQuantity(range.min ?? '0');
  if (wanted.compare(min) < 0) return min;
  const steps = stepArithmetic(range, fractional);
  if (steps === undefined) return wanted;
  const from = steps.units(min);
  const amount = from + roundUp(steps.units(wanted) - from, steps.step);
  if (amount > INT64_MAX) throw unrepresentable(`rounding request ${wanted.toString()} up to the next step passes MaxInt64`);
  return fractional ? Quantity.parse(`${amount}m`) : Quantity.of(amount, wanted.format);
}

/** The default is always permitted; otherwise the amount has to lie in the range and on a step, or among the values. */
function permitted({ requestPolicy: policy }: DeviceCapacity, amount: Quantity, standard: Quantity | undefined, fractional: boolean): Quantity | undefined {
  if (policy === undefined || (standard !== undefined && amount.compare(standard) === 0)) return amount;
  if (policy.validRange !== undefined) return inRange(policy.validRange, amount, fractional) ? amount : undefined;
  const values = policy.validValues ?? [];
  return values.length === 0 || values.some((value) => readQuantity(value).compare(amount) === 0) ? amount : undefined;
}

function inRange(range: CapacityRequestPolicyRange, amount: Quantity, fractional: boolean): boolean {
  if (range.max !== undefined && amount.compare(readQuantity(range.max)) > 0) return false;
  const steps = stepArithmetic(range, fractional);
  return steps === undefined || (steps.units(amount) - steps.units(readQuantity(range.min ?? '0'))) % steps.step === 0n;
}

interface StepArithmetic {
  readonly step: bigint;
  units(amount: Quantity): bigint;
}

/** Steps are counted in whole units, with fractional ranges in thousandths. No step, or none that leads upwards: undefined. */
function stepArithmetic(range: CapacityRequestPolicyRange, fractional: boolean): StepArithmetic | undefined {
  if (range.step === undefined) return undefined;
  const units = fractional ? milliUnits : wholeUnits;
  const step = units(readQuantity(range.step));
  return step > 0n ? { step, units } : undefined;
}

function wholeUnits(amount: Quantity): bigint {
  const nano = amount.exactly(-9);
  if (nano === undefined) throw unrepresentable(`request ${amount.toString()} is not a representable value`);
  const units = roundUp(nano, NANO_PER_UNIT) / NANO_PER_UNIT;
  if (units > INT64_MAX) throw unrepresentable(`request ${amount.toString()} exceeds MaxInt64`);
  return units;
}

function milliUnits(amount: Quantity): bigint {
  const milli = amount.exactly(-3);
  if (milli === undefined || milli > INT64_MAX) throw unrepresentable(`request ${amount.toString()} is not a representable milli value`);
  return milli;
}

function roundUp(amount: bigint, unit: bigint): bigint {
  const rest = amount % unit;
  return rest > 0n ? amount + unit - rest : amount - rest;
}

function unrepresentable(why: string): CapacityError {
  return new CapacityError(`capacity request cannot be represented in the device's range arithmetic: ${why}`);
}
