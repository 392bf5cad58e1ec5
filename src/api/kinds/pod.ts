/** Pod. */
import type { ApiObject } from '#machinery';
import { POD_COLUMNS } from '../columns/pod.ts';
import { defaultPod } from '../defaults/pod.ts';
import { firstGeneration, nextGeneration } from '../object.ts';
import { dropPodClaims } from '../strategy/drop-pod.ts';
import { updatedPodStatus } from '../strategy/pod-status.ts';
import { qosClassOf } from '../strategy/qos.ts';
import type { StrategyContext } from '../kind.ts';
import type { Pod } from '../types/core-v1.ts';
import { validatePod } from '../validation/pod.ts';
import { validatePodUpdate } from '../validation/pod-update.ts';
import { nameWarnings, podWarnings } from '../validation/pod-warnings.ts';
import { defineKind, version } from './define.ts';

/** Grace of a pod nobody runs yet, and of one whose spec names none. */
const DEFAULT_GRACE_SECONDS = 30;

/** Field labels of pods (core/v1 AddFieldLabelConversionsForPod). */
const FIELD_NAMES = [
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.schedulerName',
  'spec.serviceAccountName',
  'spec.hostNetwork',
  'status.phase',
  'status.podIP',
  'status.podIPs',
  'status.nominatedNodeName',
] as const;

/** Pods: created pending, bound by `binding`, run by the node agent. */
export const POD = defineKind({
  group: '',
  kind: 'Pod',
  checksMetadataAgain: true,
  createOnUpdate: false,
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  versions: [version('v1', 'io.k8s.api.core.v1.Pod', defaultPod)],
  subresources: ['status'],
  resetByStatus: [['f:spec'], ['f:metadata', 'f:deletionTimestamp'], ['f:metadata', 'f:ownerReferences']],
  generation: true,
  gracePeriodSeconds: (object) => graceOf(object as Pod),
  prepareForCreate: (object, context) => createdPod(dropPodClaims(object as Pod, undefined, context), context.now),
  prepareForUpdate: (object, old, context) =>
    context.subresource === 'status'
      ? updatedPodStatus(object as Pod, old as Pod, context.gates)
      : updatedPod(dropPodClaims(object as Pod, old as Pod, context), old as Pod),
  validateCreate: validatePod,
  validateUpdate: validatePodUpdate,
  selectableFieldNames: FIELD_NAMES,
  selectableFields: (object) => fieldsOf(object as Pod),
  indexedFields: ['spec.nodeName'],
  warnings: newPodWarnings,
  table: POD_COLUMNS,
});

/** Changed pods are not warned of, as upstream. */
function newPodWarnings(object: ApiObject, _context: StrategyContext, old?: ApiObject): readonly string[] {
  if (old !== undefined) return [];
  return [...nameWarnings(object.metadata.name ?? '', "the Pod's hostname"), ...podWarnings(object as Pod, '')];
}

function createdPod(pod: Pod, now: string): ApiObject {
  if (pod.spec === undefined) return firstGeneration(pod);
  const conditions = (pod.spec.schedulingGates ?? []).length > 0 ? { conditions: [{ ...SCHEDULING_GATED, lastTransitionTime: now }] } : {};
  return firstGeneration({ ...pod, status: { phase: 'Pending', qosClass: qosClassOf(pod.spec), ...conditions } } as Pod);
}

/** What a pod with scheduling gates is created with (registry/core/pod applySchedulingGatedCondition). */
const SCHEDULING_GATED = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
  lastProbeTime: null,
};

function updatedPod(pod: Pod, old: Pod): ApiObject {
  return nextGeneration({ ...pod, status: old.status }, old);
}

/** A pod that is not bound, or has ended, goes at once. */
function graceOf(pod: Pod): number {
  const ended = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
  if ((pod.spec?.nodeName ?? '') === '' || ended) return 0;
  return Number(pod.spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS);
}

function fieldsOf({ spec, status }: Pod): Readonly<Record<(typeof FIELD_NAMES)[number], string>> {
  return {
    'spec.nodeName': spec?.nodeName ?? '',
    'spec.restartPolicy': spec?.restartPolicy ?? '',
    'spec.schedulerName': spec?.schedulerName ?? '',
    'spec.serviceAccountName': spec?.serviceAccountName ?? '',
    'spec.hostNetwork': String(spec?.hostNetwork ?? false),
    'status.phase': status?.phase ?? '',
    'status.podIP': status?.podIPs?.[0]?.ip ?? status?.podIP ?? '',
    'status.podIPs': (status?.podIPs ?? []).map(({ ip }) => ip).join(','),
    'status.nominatedNodeName': status?.nominatedNodeName ?? '',
  };
}
