/** Validation of PriorityClass (upstream: pkg/apis/scheduling/validation). */
import type { ApiObject } from '#machinery';
import type { FieldError } from '../kind.ts';
import type { PriorityClass } from '../types/scheduling-v1.ts';
import { FieldErrors } from './report.ts';

/** Upstream: HighestUserDefinablePriority. */
export const HIGHEST_USER_DEFINABLE_PRIORITY = 1_000_000_000;

/** Names that only the classes of every cluster may have (upstream: SystemPriorityClassPrefix). */
const SYSTEM_PREFIX = 'system-';
/** The classes of every cluster and their values (upstream: SystemPriorityClasses). */
export const SYSTEM_PRIORITIES: ReadonlyMap<string, number> = new Map([
  ['system-node-critical', 2 * HIGHEST_USER_DEFINABLE_PRIORITY + 1000],
  ['system-cluster-critical', 2 * HIGHEST_USER_DEFINABLE_PRIORITY],
]);
const POLICIES = ['PreemptLowerPriority', 'Never'];

/** A new class: reserved names, the highest value, the policy. */
export function validatePriorityClass(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const { metadata, value = 0, preemptionPolicy, globalDefault = false } = object as PriorityClass;
  const { name = '' } = metadata;
  if (name.startsWith(SYSTEM_PREFIX)) {
    const why = systemProblem(name, value, globalDefault);
    if (why !== undefined)
      errors.forbidden('metadata.name', `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only. error: ${why}`);
  } else if (value > HIGHEST_USER_DEFINABLE_PRIORITY) {
    errors.forbidden('value', `maximum allowed value of a user defined priority is ${String(HIGHEST_USER_DEFINABLE_PRIORITY)}`);
  }
  if ((preemptionPolicy as string | undefined) === '') errors.required('preemptionPolicy');
  else if (preemptionPolicy !== undefined && !POLICIES.includes(preemptionPolicy)) errors.notSupported('preemptionPolicy', preemptionPolicy, POLICIES);
  return errors.list;
}

/** Upstream: IsKnownSystemPriorityClass. */
function systemProblem(name: string, value: number, globalDefault: boolean): string | undefined {
  const known = SYSTEM_PRIORITIES.get(name);
  if (known === undefined) return `${name} is not a known system priority class`;
  if (value !== known) return `value of ${name} PriorityClass must be ${String(known)}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

/** An update: value and policy are fixed. */
export function validatePriorityClassUpdate(object: ApiObject, old: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const [next, before] = [object as PriorityClass, old as PriorityClass];
  if ((next.value ?? 0) !== (before.value ?? 0)) errors.forbidden('value', 'may not be changed in an update.');
  if (next.preemptionPolicy !== before.preemptionPolicy) errors.invalid('preemptionPolicy', next.preemptionPolicy, 'field is immutable');
  return errors.list;
}
