/** The kinds of scheduling.k8s.io. */
import type { ApiObject } from '#machinery';
import { PRIORITY_CLASS_COLUMNS } from '../columns/scheduling.ts';
import { firstGeneration } from '../object.ts';
import type { PriorityClass } from '../types/scheduling-v1.ts';
import { validatePriorityClass, validatePriorityClassUpdate } from '../validation/priority-class.ts';
import { defineKind, version } from './define.ts';

/** PriorityClasses: names for the priorities of pods. */
export const PRIORITY_CLASS = defineKind({
  group: 'scheduling.k8s.io',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  shortNames: ['pc'],
  namespaced: false,
  versions: [version('v1', 'io.k8s.api.scheduling.v1.PriorityClass', printedWhole)],
  prepareForCreate: firstGeneration,
  validateCreate: validatePriorityClass,
  validateUpdate: validatePriorityClassUpdate,
  table: PRIORITY_CLASS_COLUMNS,
});

/** The value is printed even when it is 0 (no omitempty upstream). */
function printedWhole(object: ApiObject): ApiObject {
  const { value = 0, preemptionPolicy = 'PreemptLowerPriority', ...rest } = object as PriorityClass;
  const whole: PriorityClass = { ...rest, value, preemptionPolicy };
  return whole as ApiObject;
}
