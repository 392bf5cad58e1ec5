/** Validation of a device's capacity and the policy for asking for a part of it. */
import { parseQuantity, Quantity } from '#machinery';
import type { CapacityRequestPolicy, CapacityRequestPolicyRange, DeviceCapacity } from '../types/resource-v1.ts';
import type { FieldErrors } from './report.ts';

/** resource.CapacityRequestPolicyDiscreteMaxOptions. */
export const CAPACITY_REQUEST_POLICY_DISCRETE_MAX_OPTIONS = 10;

/** A policy needs a device that takes several allocations, and at most one form. */
export function checkCapacity(errors: FieldErrors, path: string, capacity: DeviceCapacity, allowMultiple: boolean): void {
  const policy = capacity.requestPolicy;
  if (policy === undefined) return;
  const at = `${path}.requestPolicy`;
  if (!allowMultiple) return errors.forbidden(at, 'allowMultipleAllocations must be true');
  const values = policy.validValues ?? [];
  if (values.length > 0 && policy.validRange !== undefined) {
    return errors.forbidden(at, 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time');
  }
  const total = parseQuantity(capacity.value) ?? Quantity.of(0);
  if (values.length > 0) checkValues(errors, at, policy, total);
  else if (policy.validRange !== undefined) checkRange(errors, at, policy, { range: policy.validRange, total });
}

function quantity(text: string | null | undefined): Quantity | undefined {
  return text === null || text === undefined ? undefined : parseQuantity(text);
}

function checkValues(errors: FieldErrors, path: string, policy: CapacityRequestPolicy, total: Quantity): void {
  const standard = quantity(policy.default);
  if (standard === undefined) errors.required(`${path}.default`, 'required when validValues is defined');
  const texts = policy.validValues ?? [];
  const at = `${path}.validValues`;
  if (texts.length > CAPACITY_REQUEST_POLICY_DISCRETE_MAX_OPTIONS) {
    errors.tooMany(at, texts.length, CAPACITY_REQUEST_POLICY_DISCRETE_MAX_OPTIONS);
  }
  // Of too many values none is looked at, so that the default is not found among them either.
  const values = texts.length > CAPACITY_REQUEST_POLICY_DISCRETE_MAX_OPTIONS ? [] : texts.map((text) => parseQuantity(text) ?? Quantity.of(0));
  checkOptions(errors, at, values, total);
  if (standard !== undefined && !values.some((value) => value.compare(standard) === 0)) {
    errors.invalid(at, policy.default, 'default value is not valid according to the requestPolicy');
  }
}

function checkOptions(errors: FieldErrors, path: string, values: readonly Quantity[], total: Quantity): void {
  const seen = new Set<bigint>();
  values.forEach((value, index) => {
    const previous = values[index - 1];
    if (previous !== undefined && value.compare(previous) < 0)
      errors.invalid(`${path}[${index}]`, value.toString(), 'values must be sorted in ascending order');
  });
  values.forEach((value, index) => {
    const at = `${path}[${index}]`;
    if (value.compare(total) > 0) errors.invalid(at, value.toString(), `option is larger than capacity value: ${total.toString()}`);
    // 1.36 compares whole numbers, rounded up.
    if (seen.has(value.value())) errors.duplicate(at, value.value().toString());
    seen.add(value.value());
  });
}

function checkRange(
  errors: FieldErrors,
  path: string,
  policy: CapacityRequestPolicy,
  { range, total }: { readonly range: CapacityRequestPolicyRange; readonly total: Quantity },
): void {
  const standard = quantity(policy.default);
  if (standard === undefined) errors.required(`${path}.default`, 'required when validRange is defined');
  const at = `${path}.validRange`;
  const [min, max, step] = [quantity(range.min), quantity(range.max), quantity(range.step)];
  if (min === undefined) return errors.required(`${at}.min`, 'required when validRange is defined');
  if (min.compare(total) > 0) errors.invalid(`${at}.min`, range.min, `min is larger than capacity value: ${total.toString()}`);
  if (standard !== undefined && standard.compare(min) < 0) errors.invalid(`${at}.min`, policy.default, `default is less than min: ${range.min}`);
  if (max !== undefined) {
    if (min.compare(max) > 0) errors.invalid(`${at}.max`, range.min, `min is larger than max: ${max.toString()}`);
    if (max.compare(total) > 0) errors.invalid(`${at}.max`, max.toString(), `max is larger than capacity value: ${total.toString()}`);
    if (standard !== undefined && standard.compare(max) > 0) errors.invalid(`${at}.max`, policy.default, `default is more than max: ${max.toString()}`);
  }
  if (step !== undefined) checkStep(errors, `${at}.step`, step, { min, max, standard, total });
}

interface Range {
  readonly min: Quantity;
  readonly max: Quantity | undefined;
  readonly standard: Quantity | undefined;
  readonly total: Quantity;
}

function checkStep(errors: FieldErrors, path: string, step: Quantity, { min, max, standard, total }: Range): void {
  // A step of zero crashes upstream; here it is an error like any other.
  if (step.value() === 0n) return errors.invalid(path, step.toString(), 'must be greater than zero');
  const first = min.add(step);
  if (first.compare(total) > 0) errors.invalid(path, step.toString(), `one step ${first.toString()} is larger than capacity value: ${total.toString()}`);
  for (const value of [standard, max]) {
    if (value === undefined || (value.value() - min.value()) % step.value() === 0n) continue;
    errors.invalid(path, value.toString(), `value is not a multiple of a given step (${step.toString()}) from (${min.toString()})`);
  }
}
