/** Which pods nobody else will ever clean away, and why: pure. */
import type { Node, Pod } from '#api';
import { nameOf } from '#machinery';

/** A pod to remove for good. */
export interface DoomedPod {
  readonly pod: Pod;
  /** Set when the pod may still count as running: it is marked as failed first. */
  readonly message?: string | undefined;
}

/** Finished pods that are kept; older ones go (kube-controller-manager --terminated-pod-gc-threshold). */
export const TERMINATED_POD_THRESHOLD = 12_500;
/** Taint that says a node will not come back by itself (core/v1: TaintNodeOutOfService). */
const OUT_OF_SERVICE_TAINT = 'node.kubernetes.io/out-of-service';

/** What is known of the cluster. */
export interface PodGcInput {
  readonly pods: readonly Pod[];
  readonly nodes: readonly Node[];
  /** Names of nodes that are known to be gone for a while. */
  readonly goneNodes: ReadonlySet<string>;
  readonly threshold: number;
}

/** Each pod at most once, for the first reason that holds (upstream: PodGCController.gc). */
export function doomedPods({ pods, nodes, goneNodes, threshold }: PodGcInput): readonly DoomedPod[] {
  const doomed = new Map<Pod, DoomedPod>();
  const add = (found: readonly Pod[], message?: string): void => {
    for (const pod of found) if (!doomed.has(pod)) doomed.set(pod, { pod, message });
  };
  const finished = pods.filter(isFinished);
  if (threshold > 0 && finished.length > threshold) add(oldestFirst(finished).slice(0, finished.length - threshold));
  const outOfService = new Set(nodes.filter(isOutOfService).map(nameOf));
  add(pods.filter((pod) => isGoing(pod) && !isFinished(pod) && outOfService.has(nodeOf(pod))));
  add(
    pods.filter((pod) => goneNodes.has(nodeOf(pod))),
    'PodGC: node no longer exists',
  );
  add(pods.filter((pod) => isGoing(pod) && nodeOf(pod) === ''));
  return [...doomed.values()];
}

/** The names of nodes that pods are on and that are not known. */
export function missingNodes(pods: readonly Pod[], nodes: readonly Node[]): ReadonlySet<string> {
  const known = new Set(nodes.map(nameOf));
  return new Set(pods.map(nodeOf).filter((name) => name !== '' && !known.has(name)));
}

/** Whether the pod has ended. */
export function isFinished({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

function isGoing({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}

function nodeOf({ spec }: Pod): string {
  return spec?.nodeName ?? '';
}

function isOutOfService({ spec, status }: Node): boolean {
  const isReady = status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;
  return !isReady && (spec?.taints ?? []).some((taint) => taint.key === OUT_OF_SERVICE_TAINT);
}

/** Pods that are being deleted first, then by age (upstream: byEvictionAndCreationTimestamp). */
function oldestFirst(pods: readonly Pod[]): readonly Pod[] {
  const created = ({ metadata }: Pod): number => Date.parse(metadata.creationTimestamp ?? '') || 0;
  return [...pods].sort((a, b) => Number(isGoing(b)) - Number(isGoing(a)) || created(a) - created(b) || (nameOf(a) < nameOf(b) ? -1 : 1));
}
