/** The status of a pod as a kubelet writes it, computed from its containers. Pure. */
import type { Container, ContainerState, ContainerStatus, Pod, PodCondition, PodStatus, ResourceStatus } from '#api';

/** What is known of one container. */
export interface ContainerRecord {
  readonly state: ContainerState;
  readonly lastState?: ContainerState | undefined;
  readonly containerID?: string | undefined;
  readonly restartCount: number;
}

/** What the node knows of a pod. `now` is RFC 3339. */
export interface PodView {
  readonly records: ReadonlyMap<string, ContainerRecord>;
  readonly sandboxReady: boolean;
  readonly podIP: string | undefined;
  readonly hostIP: string;
  readonly startTime: string;
  readonly now: string;
  /** allocatedResourcesStatus of a container; undefined: as it stands, for a pod that is over. */
  readonly resources?: ((container: Container) => readonly ResourceStatus[]) | undefined;
}

type Phase = NonNullable<PodStatus['phase']>;

const WAITING: ContainerRecord = { state: { waiting: { reason: 'ContainerCreating' } }, restartCount: 0 };
const WAITING_FOR_INIT: ContainerRecord = { state: { waiting: { reason: 'PodInitializing' } }, restartCount: 0 };

/** The complete status; what others wrote into it (scheduling, claims, resize) is kept. */
export function podStatus(pod: Pod, view: PodView): PodStatus {
  const init = pod.spec?.initContainers ?? [];
  const main = pod.spec?.containers ?? [];
  const initialized = init.every((container) => isInitialized(container, view.records.get(container.name)));
  const phase = phaseOf(pod, view.records, initialized);
  const idle = init.length > 0 && !initialized ? WAITING_FOR_INIT : WAITING;
  const statuses = (containers: readonly Container[], absent: ContainerRecord): ContainerStatus[] =>
    containers.map((container) => containerStatus(container, view.records.get(container.name) ?? absent, init.includes(container)));
  const containerStatuses = statuses(main, idle).map((status, i) => withResources(status, main[i], pod, view));
  const podIP = phase === 'Pending' && !view.sandboxReady ? undefined : view.podIP;
  return {
    ...pod.status,
    observedGeneration: pod.metadata.generation,
    phase,
    conditions: conditionsOf(pod, { ...view, phase, initialized, unready: containerStatuses.filter((status) => !status.ready).map((status) => status.name) }),
    hostIP: view.hostIP,
    hostIPs: [{ ip: view.hostIP }],
    ...(podIP === undefined ? {} : { podIP, podIPs: [{ ip: podIP }] }),
    startTime: view.startTime,
    ...(init.length > 0 ? { initContainerStatuses: statuses(init, WAITING_FOR_INIT) } : {}),
    containerStatuses,
  };
}

function withResources(status: ContainerStatus, container: Container | undefined, pod: Pod, view: PodView): ContainerStatus {
  const before = pod.status?.containerStatuses?.find((other) => other.name === status.name)?.allocatedResourcesStatus ?? [];
  const resources = container === undefined || view.resources === undefined ? before : view.resources(container);
  return resources.length === 0 ? status : { ...status, allocatedResourcesStatus: resources };
}

/** An init container is done when it succeeded, a sidecar when it has started. */
export function isInitialized(container: Container, record: ContainerRecord | undefined): boolean {
  if (container.restartPolicy === 'Always')
    return record?.state.running !== undefined || record?.state.terminated !== undefined || (record?.restartCount ?? 0) > 0;
  return record?.state.terminated?.exitCode === 0;
}

function phaseOf(pod: Pod, records: ReadonlyMap<string, ContainerRecord>, initialized: boolean): Phase {
  const policy = pod.spec?.restartPolicy ?? 'Always';
  if (!initialized) {
    const failed = (pod.spec?.initContainers ?? []).some((container) => {
      const exitCode = records.get(container.name)?.state.terminated?.exitCode;
      return container.restartPolicy !== 'Always' && exitCode !== undefined && exitCode !== 0;
    });
    return failed && policy === 'Never' ? 'Failed' : 'Pending';
  }
  const main = (pod.spec?.containers ?? []).map((container) => records.get(container.name));
  if (main.some((record) => record === undefined || (record.state.waiting !== undefined && record.lastState === undefined))) return 'Pending';
  const exitCodes = main.map((record) => record?.state.terminated?.exitCode);
  if (exitCodes.some((code) => code === undefined)) return 'Running';
  const succeeded = exitCodes.every((code) => code === 0);
  if (policy === 'Always') return 'Running';
  if (succeeded) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

function containerStatus(container: Container, record: ContainerRecord, isInit: boolean): ContainerStatus {
  const running = record.state.running !== undefined;
  const completedInit = isInit && container.restartPolicy !== 'Always' && record.state.terminated?.exitCode === 0;
  return {
    name: container.name,
    image: container.image ?? '',
    imageID: record.containerID === undefined ? '' : (container.image ?? ''),
    ...(record.containerID === undefined ? {} : { containerID: record.containerID }),
    state: record.state,
    lastState: record.lastState ?? {},
    ready: running ? !isInit || container.restartPolicy === 'Always' : completedInit,
    started: running,
    restartCount: record.restartCount,
  };
}

interface ConditionView extends PodView {
  readonly phase: Phase;
  readonly initialized: boolean;
  readonly unready: readonly string[];
}

function conditionsOf(pod: Pod, view: ConditionView): readonly PodCondition[] {
  const done = view.phase === 'Succeeded' || view.phase === 'Failed';
  const waiting = (pod.spec?.initContainers ?? []).filter((container) => !isInitialized(container, view.records.get(container.name)));
  const initialized = view.initialized
    ? { status: 'True', ...(view.phase === 'Succeeded' ? { reason: 'PodCompleted' } : {}) }
    : { status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${waiting.map((c) => c.name).join(' ')}]` };
  const unready = done
    ? { status: 'False', reason: view.phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed' }
    : { status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: [${view.unready.join(' ')}]` };
  const ready = done || view.unready.length > 0 ? unready : { status: 'True' };
  const own: readonly Omit<PodCondition, 'lastTransitionTime'>[] = [
    { type: 'PodReadyToStartContainers', status: view.sandboxReady ? 'True' : 'False' },
    { type: 'Initialized', ...initialized },
    { type: 'Ready', ...ready },
    { type: 'ContainersReady', ...ready },
  ];
  const known = pod.status?.conditions ?? [];
  const stamped = own.map((condition): PodCondition => {
    const before = known.find((other) => other.type === condition.type);
    const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : view.now;
    return { ...condition, observedGeneration: pod.metadata.generation, lastTransitionTime };
  });
  return [...stamped, ...known.filter((condition) => !own.some((other) => other.type === condition.type))];
}
