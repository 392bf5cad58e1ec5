/** How many pods a ReplicaSet has, lacks or has too many: pure. */
import type { Pod, PodTemplateSpec, ReplicaSet, ReplicaSetStatus } from '#api';
import { nameOf, namespaceOf } from '#machinery';

/** What to do for a ReplicaSet. */
export interface ReplicaPlan {
  readonly create: number;
  readonly remove: readonly Pod[];
}

/** The difference between what the set has and what it wants; pods that are over or going do not count. */
export function replicaPlan({ spec }: ReplicaSet, pods: readonly Pod[]): ReplicaPlan {
  const active = pods.filter(isActive);
  const wanted = Number(spec?.replicas ?? 1);
  const surplus = active.length - wanted;
  return { create: Math.max(0, -surplus), remove: surplus <= 0 ? [] : [...active].sort(expendableFirst).slice(0, surplus) };
}

/** The status that the set's pods give it. */
export function replicaStatus(set: ReplicaSet, pods: readonly Pod[], nowMs: number): ReplicaSetStatus {
  const active = pods.filter(isActive);
  const labels = Object.entries(set.spec?.template?.metadata?.labels ?? {});
  const isFullyLabeled = ({ metadata }: Pod): boolean => labels.every(([name, value]) => metadata.labels?.[name] === value);
  return {
    ...set.status,
    replicas: active.length,
    fullyLabeledReplicas: active.filter(isFullyLabeled).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: active.filter((pod) => availableInMs(pod, minReadyMs(set), nowMs) === 0).length,
    observedGeneration: Number(set.metadata.generation ?? 0),
  };
}

/** Milliseconds until the next pod becomes available; undefined when none is on the way. */
export function nextAvailableMs(set: ReplicaSet, pods: readonly Pod[], nowMs: number): number | undefined {
  const waits = pods.filter(isActive).map((pod) => availableInMs(pod, minReadyMs(set), nowMs));
  const ahead = waits.filter((ms) => ms > 0 && Number.isFinite(ms));
  return ahead.length === 0 ? undefined : Math.min(...ahead);
}

/** Whether two statuses count the same; an absent number is 0, as the server may leave it out. */
export function sameCounts(a: object, b: object | undefined): boolean {
  const counts = (of: object): ReadonlyMap<string, unknown> => new Map(Object.entries(of).filter(([, value]) => typeof value === 'number' && value !== 0));
  const [left, right] = [counts(a), counts(b ?? {})];
  return left.size === right.size && [...left].every(([name, value]) => right.get(name) === value);
}

/** A new pod from a template, owned by `owner`. */
export function podFromTemplate(owner: { readonly apiVersion: string; readonly kind: string; readonly object: ReplicaSet }, template: PodTemplateSpec): Pod {
  const { apiVersion, kind, object } = owner;
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const reference = { apiVersion, kind, name: nameOf(object), uid: object.metadata.uid ?? '', controller: true, blockOwnerDeletion: true };
  return {
    metadata: { generateName: `${nameOf(object)}-`, namespace: namespaceOf(object), labels, annotations, finalizers, ownerReferences: [reference] },
    spec: template.spec ?? { containers: [] },
  };
}

function minReadyMs({ spec }: ReplicaSet): number {
  return Number(spec?.minReadySeconds ?? 0) * 1000;
}

function isActive({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp === undefined && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

function readySinceMs({ status }: Pod): number | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' ? Date.parse(ready.lastTransitionTime ?? '') || 0 : undefined;
}

function isReady(pod: Pod): boolean {
  return readySinceMs(pod) !== undefined;
}

/** 0 for a pod that is available, Infinity for one that is not ready. */
function availableInMs(pod: Pod, minMs: number, nowMs: number): number {
  const since = readySinceMs(pod);
  return since === undefined ? Infinity : Math.max(0, since + minMs - nowMs);
}

/** Where nobody misses them first: without node, pending, not ready, cheap to delete (annotation), young (upstream: ActivePodsWithRanks). */
function expendableFirst(a: Pod, b: Pod): number {
  const ranks = (pod: Pod): readonly number[] => [
    (pod.spec?.nodeName ?? '') === '' ? 0 : 1,
    pod.status?.phase === 'Pending' ? 0 : 1,
    isReady(pod) ? 1 : 0,
    Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0) || 0,
    -(Date.parse(pod.metadata.creationTimestamp ?? '') || 0),
  ];
  const [left, right] = [ranks(a), ranks(b)];
  const at = left.findIndex((rank, i) => rank !== right[i]);
  return at < 0 ? (nameOf(a) < nameOf(b) ? -1 : 1) : (left[at] ?? 0) - (right[at] ?? 0);
}
