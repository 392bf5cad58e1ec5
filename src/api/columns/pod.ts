/** Table columns of Pod, with the status word that `kubectl get pods` shows (upstream printers, printPod). */
import type { Json } from '#machinery';
import type { Cell, TableColumns } from '../kind.ts';
import type { ContainerStatus, Pod } from '../types/core-v1.ts';
import { AGE, Age, ageCell, column, NAME } from './age.ts';

/** Columns of Pod. */
export const POD_COLUMNS: TableColumns = {
  columns: [
    NAME,
    column('Ready', 'The aggregate readiness state of this pod for accepting traffic.'),
    column('Status', 'The aggregate status of the containers in this pod.'),
    column('Restarts', 'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.'),
    AGE,
    column('IP', 'IP address allocated to the pod. Routable at least within the cluster. Empty if not yet allocated.', 1),
    column(
      'Node',
      'NodeName indicates in which node this pod is scheduled. If empty, this pod is a candidate for scheduling by the scheduler defined in schedulerName. Once this field is set, the kubelet for this node becomes responsible for the lifecycle of this pod. This field should not be used to express a desire for the pod to be scheduled on a specific node. https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename',
      1,
    ),
    column(
      'Nominated Node',
      'nominatedNodeName is set only when this pod preempts other pods on the node, but it cannot be scheduled right away as preemption victims receive their graceful termination periods. This field does not guarantee that the pod will be scheduled on this node. Scheduler may decide to place the pod elsewhere if other nodes become available sooner. Scheduler may also decide to give the resources on this node to a higher priority pod that is created after preemption. As a result, this field may be different than PodSpec.nodeName when the pod is scheduled.',
      1,
    ),
    column(
      'Readiness Gates',
      'If specified, all readiness gates will be evaluated for pod readiness. A pod is ready when all its containers are ready AND all conditions specified in the readiness gates have status equal to "True" More info: https://git.k8s.io/enhancements/keps/sig-network/580-pod-readiness-gates',
      1,
    ),
  ],
  cells: (object) => podCells(object as Pod),
  conditions: (object) => COMPLETED[(object as Pod).status?.phase ?? ''],
};

/** By phase (podSuccessConditions and podFailedConditions). */
const COMPLETED: Readonly<Record<string, readonly Json[]>> = Object.fromEntries(
  [
    ['Succeeded', 'The pod has completed successfully.'],
    ['Failed', 'The pod failed.'],
  ].map(([reason = '', message = '']) => [reason, [{ type: 'Completed', status: 'True', reason, message }]]),
);

const NODE_UNREACHABLE = 'NodeLost';

interface Summary {
  readonly reason: string;
  readonly restarts: number;
  readonly lastRestart: string | undefined;
  readonly ready: number;
}

function podCells(pod: Pod): readonly Cell[] {
  const summary = podSummary(pod);
  const total = (pod.spec?.containers.length ?? 0) + restartableInits(pod).size;
  const restarts =
    summary.restarts === 0 || summary.lastRestart === undefined ? String(summary.restarts) : new Age(summary.lastRestart, `${summary.restarts} (`, ' ago)');
  return [
    pod.metadata.name ?? '',
    `${summary.ready}/${total}`,
    summary.reason,
    restarts,
    ageCell(pod),
    pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || '<none>',
    pod.spec?.nodeName || '<none>',
    pod.status?.nominatedNodeName || '<none>',
    readinessGates(pod),
  ];
}

function podSummary(pod: Pod): Summary {
  const phase = pod.status?.phase ?? '';
  let reason = pod.status?.reason || phase;
  const scheduled = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled');
  if (scheduled?.reason === 'SchedulingGated') reason = 'SchedulingGated';
  const init = initSummary(pod, reason);
  const initialized = pod.status?.conditions?.some((condition) => condition.type === 'Initialized' && condition.status === 'True') ?? false;
  const summary = init.initializing && !initialized ? init : containersSummary(pod, init);
  if (pod.metadata.deletionTimestamp === undefined) return summary;
  if (pod.status?.reason === NODE_UNREACHABLE) return { ...summary, reason: 'Unknown' };
  return phase === 'Failed' || phase === 'Succeeded' ? summary : { ...summary, reason: 'Terminating' };
}

function restartableInits(pod: Pod): ReadonlySet<string> {
  const sidecars = (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  return new Set(sidecars.map((container) => container.name));
}

function initSummary(pod: Pod, reason: string): Summary & { readonly initializing: boolean } {
  const sidecars = restartableInits(pod);
  const total = pod.spec?.initContainers?.length ?? 0;
  let restarts = 0;
  let ready = 0;
  let lastRestart: string | undefined;
  let sidecarRestart: string | undefined;
  let sidecarRestarts = 0;
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    restarts += status.restartCount;
    lastRestart = later(lastRestart, status.lastState?.terminated?.finishedAt);
    if (sidecars.has(status.name)) {
      sidecarRestarts += status.restartCount;
      sidecarRestart = later(sidecarRestart, status.lastState?.terminated?.finishedAt);
      if (status.ready) ready++;
      if (status.started === true) continue;
    } else if (status.state?.terminated?.exitCode === 0) continue;
    return { reason: initReason(status, index, total), restarts, lastRestart, ready, initializing: true };
  }
  return { reason, restarts: sidecarRestarts, lastRestart: sidecarRestart, ready, initializing: false };
}

function initReason(status: ContainerStatus, index: number, total: number): string {
  const { terminated, waiting } = status.state ?? {};
  if (terminated !== undefined) return `Init:${terminated.reason || exitReason(terminated)}`;
  if (waiting?.reason && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`;
  return `Init:${index}/${total}`;
}

function containersSummary(pod: Pod, init: Summary): Summary {
  let { reason, restarts, lastRestart, ready } = init;
  let running = false;
  for (const status of (pod.status?.containerStatuses ?? []).toReversed()) {
    restarts += status.restartCount;
    lastRestart = later(lastRestart, status.lastState?.terminated?.finishedAt);
    const { waiting, terminated } = status.state ?? {};
    if (waiting?.reason) reason = waiting.reason;
    else if (terminated !== undefined) reason = terminated.reason || exitReason(terminated);
    else if (status.ready && status.state?.running !== undefined) {
      running = true;
      ready++;
    }
  }
  if (reason === 'Completed' && running) {
    const isReady = pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
    reason = isReady ? 'Running' : 'NotReady';
  }
  return { reason, restarts, lastRestart, ready };
}

function exitReason(terminated: { readonly exitCode: number; readonly signal?: number | undefined }): string {
  return terminated.signal === undefined || terminated.signal === 0 ? `ExitCode:${terminated.exitCode}` : `Signal:${terminated.signal}`;
}

function later(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Date.parse(b) > Date.parse(a) ? b : a;
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  const conditions = pod.status?.conditions ?? [];
  const met = gates.filter((gate) => conditions.some(({ type, status }) => type === gate.conditionType && status === 'True'));
  return `${met.length}/${gates.length}`;
}
