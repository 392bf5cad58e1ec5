/** The kinds of scheduling.k8s.io. */
import type { ApiObject } from '#machinery';
import { NAME_AND_AGE } from '../columns/dra.ts';
import { POD_GROUP_COLUMNS, PRIORITY_CLASS_COLUMNS } from '../columns/scheduling.ts';
import type { StrategyContext } from '../kind.ts';
import { firstGeneration, onlyStatus, withStatus } from '../object.ts';
import type { PriorityClass } from '../types/scheduling-v1.ts';
import type { PodGroup, Workload } from '../types/scheduling-v1alpha2.ts';
import { validatePriorityClass, validatePriorityClassUpdate } from '../validation/priority-class.ts';
import { validatePodGroup, validatePodGroupUpdate, validateWorkload, validateWorkloadUpdate } from '../validation/workload.ts';
import { defineKind, version } from './define.ts';

/** PriorityClasses: names for the priorities of pods. */
export const PRIORITY_CLASS = defineKind({
  group: 'scheduling.k8s.io',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  shortNames: ['pc'],
  namespaced: false,
  createOnUpdate: false,
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

const ALPHA = 'io.k8s.api.scheduling.v1alpha2';
const WORKLOAD_SHARED = { group: 'scheduling.k8s.io', namespaced: true, createOnUpdate: false };

/** Workloads: templates of pod groups. */
export const WORKLOAD = defineKind({
  ...WORKLOAD_SHARED,
  kind: 'Workload',
  plural: 'workloads',
  versions: [version('v1alpha2', `${ALPHA}.Workload`)],
  prepareForCreate: (object, { gates }) => claimsOfTemplates(object as Workload, undefined, gates),
  prepareForUpdate: (object, old, { gates }) => claimsOfTemplates(object as Workload, old as Workload, gates),
  validateCreate: validateWorkload,
  validateUpdate: validateWorkloadUpdate,
  table: NAME_AND_AGE,
});

/** PodGroups: pods that are scheduled together. */
export const POD_GROUP = defineKind({
  ...WORKLOAD_SHARED,
  kind: 'PodGroup',
  plural: 'podgroups',
  subresources: ['status'],
  // Upstream's storage forgets to ask the strategy.
  resetByMain: [],
  resetByStatus: [['f:spec'], ['f:metadata']],
  versions: [version('v1alpha2', `${ALPHA}.PodGroup`, withMode)],
  prepareForCreate: (object, { gates }) => withStatus(gatedGroup(object as PodGroup, undefined, gates), {}),
  prepareForUpdate: (object, old, { gates, subresource }) =>
    subresource === 'status' ? onlyStatus(object, old) : withStatus(gatedGroup(object as PodGroup, old as PodGroup, gates), (old as PodGroup).status),
  validateCreate: validatePodGroup,
  validateUpdate: validatePodGroupUpdate,
  table: POD_GROUP_COLUMNS,
});

function withMode(object: ApiObject): ApiObject {
  const group = object as PodGroup;
  return { ...group, spec: { ...group.spec, disruptionMode: group.spec.disruptionMode ?? DEFAULT_MODE } } as ApiObject;
}

const DEFAULT_MODE = 'Pod';

/** Members of groups and the gates without which they are dropped unless the old group has them. */
const GATED: readonly (readonly [member: 'resourceClaims' | 'schedulingConstraints' | 'disruptionMode' | 'priorityClassName' | 'priority', gate: string])[] = [
  ['resourceClaims', 'DRAWorkloadResourceClaims'],
  ['schedulingConstraints', 'TopologyAwareWorkloadScheduling'],
  ['disruptionMode', 'WorkloadAwarePreemption'],
  ['priorityClassName', 'WorkloadAwarePreemption'],
  ['priority', 'WorkloadAwarePreemption'],
];

/** The group without what closed gates drop; its mode is then the usual one again. */
function gatedGroup(group: PodGroup, old: PodGroup | undefined, gates: StrategyContext['gates']): PodGroup {
  const dropped = GATED.filter(([member, gate]) => gates.get(gate) !== true && old?.spec[member] === undefined).map(([member]) => [member, undefined] as const);
  const spec: PodGroup['spec'] = { ...group.spec, ...Object.fromEntries(dropped) };
  return { ...group, spec: { ...spec, disruptionMode: spec.disruptionMode ?? DEFAULT_MODE } };
}

const CLAIMS_GATE = 'DRAWorkloadResourceClaims';

function claimsOfTemplates(workload: Workload, old: Workload | undefined, gates: StrategyContext['gates']): Workload {
  const inUse = (old?.spec.podGroupTemplates ?? []).some(({ resourceClaims }) => resourceClaims !== undefined);
  if (gates.get(CLAIMS_GATE) === true || inUse) return workload;
  const podGroupTemplates = (workload.spec.podGroupTemplates ?? []).map(({ resourceClaims: _dropped, ...template }) => template);
  return { ...workload, spec: { ...workload.spec, podGroupTemplates } };
}
