/** Validation of PodDisruptionBudget (policy/validation). */
import type { ApiObject } from '#machinery';
import type { FieldError, StrategyContext } from '../kind.ts';
import type { PodDisruptionBudget } from '../types/policy-v1.ts';
import { checkConditions } from './conditions.ts';
import { checkAtMostAll, checkIntOrPercent, checkNonNegative } from './counts.ts';
import { goStruct } from './go-struct.ts';
import { checkLabelSelector } from './label-selector.ts';
import { FieldErrors } from './report.ts';

const EVICTION_POLICIES = ['AlwaysAllow', 'IfHealthyBudget'];

/** A new budget: one of two limits. */
export function validateBudget(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const { spec = {} } = object as PodDisruptionBudget;
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec;
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    errors.invalid('spec', goStruct(spec, 'io.k8s.api.policy.v1.PodDisruptionBudgetSpec'), 'minAvailable and maxUnavailable cannot be both set');
  for (const [member, amount] of Object.entries({ minAvailable, maxUnavailable })) {
    if (amount === undefined) continue;
    checkIntOrPercent(errors, `spec.${member}`, amount);
    checkAtMostAll(errors, `spec.${member}`, amount);
  }
  checkLabelSelector(errors, 'spec.selector', selector ?? {});
  if (policy !== undefined && !EVICTION_POLICIES.includes(policy)) errors.notSupported('spec.unhealthyPodEvictionPolicy', policy, EVICTION_POLICIES);
  return errors.list;
}

/** A changed budget, or its status. */
export function validateBudgetUpdate(object: ApiObject, _old: ApiObject, { subresource }: StrategyContext): readonly FieldError[] {
  if (subresource === '') return validateBudget(object);
  const errors = new FieldErrors();
  const { status } = object as PodDisruptionBudget;
  if (status === undefined) return errors.list;
  checkConditions(errors, 'status.conditions', status.conditions, Number.POSITIVE_INFINITY);
  checkNonNegative(errors, 'status', status, ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods']);
  return errors.list;
}
