/** Runs one pod: prepares its claims, starts, restarts and stops its containers, and says what to write as status. */
import { asError, type Clock, type Logger } from '#base';
import type { Container, ContainerState, Pod, PodStatus, ResourceStatus } from '#api';
import type { CdiCache } from '#cdi';
import type { EventRecorder, RestClient } from '#client';
import type { HostFiles } from '#ports';
import type { ClaimManager } from './claim-manager.ts';
import { containerSpec } from './container-spec.ts';
import { allocatedResourcesStatus, type HealthView } from './allocated-resources.ts';
import { cdiDevicesFor, claimUsesOrNone } from './pod-claims.ts';
import { PodVolumes } from './pod-volumes.ts';
import { type ContainerRecord, isInitialized, podStatus } from './pod-status.ts';
import type { ContainerExit, ContainerHandle, ContainerRuntime } from './runtime.ts';

/** What all workers of a node share. */
export interface PodWorkerContext {
  readonly client: RestClient;
  readonly claims: ClaimManager;
  readonly cdi: CdiCache;
  readonly files: HostFiles;
  readonly runtimes: readonly ContainerRuntime[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventRecorder;
  readonly rootDir: string;
  readonly hostIP: string;
  /** How device health is shown; undefined when it is not (gate ResourceHealthStatus). */
  readonly health: HealthView | undefined;
  /** Asks for another sync of the pod of this key. */
  readonly wake: (key: string) => void;
}

/** What came of a sync. */
export interface SyncResult {
  readonly status: PodStatus;
  readonly requeueAfterMs?: number | undefined;
}

/** Kubelet: MaxContainerBackOff, initial back-off; a container that ran for ten minutes starts afresh. */
const RESTART_BACKOFF_MIN_MS = 10_000;
const RESTART_BACKOFF_MAX_MS = 300_000;
const RESTART_BACKOFF_RESET_MS = 600_000;

/** How long a failed prepare waits: below the kubelet's minute, since waiting costs a user more than a call a driver. */
const PREPARE_RETRY_MS = 10_000;

interface Started {
  record: ContainerRecord;
  handle: ContainerHandle | undefined;
  /** Monotonic; a restart waits until then. */
  restartAtMs: number;
  backoffMs: number;
}

/** Owns one pod of one UID. Calls must not overlap. */
export class PodWorker {
  readonly #context: PodWorkerContext;
  readonly #key: string;
  readonly #startTime: string;
  readonly #containers = new Map<string, Started>();
  readonly uid: string;
  /** Undefined for a pod that was being deleted before it got one. */
  readonly podIP: string | undefined;
  readonly #volumes: PodVolumes;
  #sandboxReady = false;
  #recovered = false;
  #finished = false;
  #terminating = false;
  #hurried = false;

  constructor(context: PodWorkerContext, pod: Pod, podIP: string | undefined) {
    this.#context = context;
    this.uid = pod.metadata.uid ?? '';
    this.#key = `${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`;
    this.podIP = podIP;
    this.#volumes = new PodVolumes(context, this.uid);
    this.#startTime = pod.status?.startTime ?? this.#now();
  }

  /** Whether none of its containers runs or will run. */
  get isFinished(): boolean {
    return this.#finished;
  }

  /** What tells this run of a container from others; undefined when it does not run. */
  runOf(container: string): string | undefined {
    return this.#containers.get(container)?.handle?.id;
  }

  /** Brings the pod one step further. */
  async sync(pod: Pod): Promise<SyncResult> {
    await this.#recover(pod);
    if (!this.#finished && !(await this.#setUpVolumes(pod))) return { status: this.#status(pod), requeueAfterMs: this.#volumes.dueInMs };
    if (!this.#finished && !this.#sandboxReady && !(await this.#prepare(pod))) return { status: this.#status(pod), requeueAfterMs: PREPARE_RETRY_MS };
    const waitMs = this.#finished ? Infinity : Math.min((await this.#advance(pod)) ?? Infinity, this.#volumes.dueInMs);
    const requeueAfterMs = Number.isFinite(waitMs) ? waitMs : undefined;
    const status = this.#status(pod);
    if (status.phase === 'Succeeded' || status.phase === 'Failed') await this.#finish();
    return { status, requeueAfterMs };
  }

  /** Stops all containers within the grace period and unprepares the claims; the last status of the pod. */
  async terminate(pod: Pod, graceSeconds: number): Promise<PodStatus> {
    await this.#recover(pod);
    this.#finished = true;
    this.#terminating = true;
    await this.#stop(this.#hurried ? 0 : graceSeconds);
    // The exits were noted by whoever waited for them, before this line: #watch runs first.
    await Promise.resolve();
    await this.#context.claims.unprepare(this.uid);
    this.#sandboxReady = false;
    return this.#status(pod);
  }

  /** The node agent ends: a pod that is being terminated gets no more time for it. */
  async hurry(): Promise<void> {
    this.#hurried = true;
    if (this.#terminating) await this.#stop(0);
  }

  /** Ends what cannot outlive the node agent. */
  async detach(): Promise<void> {
    this.#finished = true;
    await this.#stop(0);
  }

  async #stop(graceSeconds: number): Promise<void> {
    await Promise.all([...this.#containers.values()].map(async ({ handle }) => handle?.stop(graceSeconds)));
  }

  async #finish(): Promise<void> {
    this.#finished = true;
    await this.#stop(0);
    await this.#volumes.tearDown();
    await this.#context.claims.unprepare(this.uid);
    this.#sandboxReady = false;
  }

  /** After a restart of the node agent: takes over what still runs, and what is over stays as it was. */
  async #recover(pod: Pod): Promise<void> {
    if (this.#recovered) return;
    this.#recovered = true;
    this.#finished = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    const known = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
    for (const container of allContainers(pod)) {
      const status = known.find((other) => other.name === container.name);
      if (status?.state === undefined || status.containerID === undefined) continue;
      const { state, lastState, containerID, restartCount } = status;
      const started: Started = {
        record: { state, lastState, containerID, restartCount },
        handle: undefined,
        restartAtMs: 0,
        backoffMs: RESTART_BACKOFF_MIN_MS,
      };
      this.#containers.set(container.name, started);
      this.#sandboxReady ||= state.running !== undefined;
      if (state.running === undefined) continue;
      const handle = await this.#runtimeFor(container)?.adopt(this.#request(pod, container, restartCount));
      if (handle === undefined) this.#ended(container.name, started, { exitCode: 137 }, 'ContainerStatusUnknown');
      else this.#watch(container.name, started, handle);
    }
  }

  /** Writes the volumes when that is due: whether they are there. */
  async #setUpVolumes(pod: Pod): Promise<boolean> {
    if (this.#volumes.dueInMs > 0) return this.#volumes.areReady;
    const { client, hostIP } = this.#context;
    try {
      await this.#volumes.setUp(pod, { client, hostIP, podIP: this.podIP ?? '' });
    } catch (error) {
      const { message } = asError(error);
      this.#context.logger.warn(message, { pod: this.#key });
      this.#context.events.event(pod, { type: 'Warning', reason: 'FailedMount', message });
    }
    return this.#volumes.areReady;
  }

  async #prepare(pod: Pod): Promise<boolean> {
    try {
      await this.#context.claims.prepare(pod);
      this.#sandboxReady = true;
      return true;
    } catch (error) {
      const message = `Failed to prepare dynamic resources: ${asError(error).message}`;
      this.#context.logger.warn(message, { pod: this.#key });
      this.#context.events.event(pod, { type: 'Warning', reason: 'FailedPrepareDynamicResources', message });
      return false;
    }
  }

  /** Starts what may start now; the time until the next restart is due. */
  async #advance(pod: Pod): Promise<number | undefined> {
    const waits: number[] = [];
    for (const container of pod.spec?.initContainers ?? []) {
      const wait = await this.#ensure(pod, container);
      if (wait !== undefined) waits.push(wait);
      if (!isInitialized(container, this.#containers.get(container.name)?.record)) return shortest(waits);
    }
    for (const container of pod.spec?.containers ?? []) {
      const wait = await this.#ensure(pod, container);
      if (wait !== undefined) waits.push(wait);
    }
    return shortest(waits);
  }

  /** Starts the container if it should run and does not; the milliseconds to wait if it is too early. */
  async #ensure(pod: Pod, container: Container): Promise<number | undefined> {
    const started = this.#containers.get(container.name);
    if (started?.handle !== undefined) return undefined;
    if (started !== undefined && !this.#shouldRestart(pod, container, started)) return undefined;
    const wait = (started?.restartAtMs ?? 0) - this.#context.clock.monotonicMs();
    if (started !== undefined && wait > 0) {
      this.#backOff(container.name, started);
      return wait;
    }
    return this.#start(pod, container, started);
  }

  #shouldRestart(pod: Pod, container: Container, started: Started): boolean {
    const terminated = started.record.state.terminated ?? started.record.lastState?.terminated;
    if (terminated === undefined) return true;
    const isInit = (pod.spec?.initContainers ?? []).includes(container);
    const policy = container.restartPolicy ?? pod.spec?.restartPolicy ?? 'Always';
    if (policy === 'Never') return false;
    return terminated.exitCode !== 0 || (policy === 'Always' && (!isInit || container.restartPolicy === 'Always'));
  }

  #backOff(name: string, started: Started): void {
    const { record } = started;
    if (record.state.terminated === undefined) return;
    const message = `back-off ${Math.round(started.backoffMs / 1000)}s restarting failed container=${name} pod=${this.#key}`;
    started.record = { ...record, state: { waiting: { reason: 'CrashLoopBackOff', message } }, lastState: { terminated: record.state.terminated } };
  }

  async #start(pod: Pod, container: Container, previous: Started | undefined): Promise<number | undefined> {
    const attempt = previous?.record.containerID === undefined ? 0 : previous.record.restartCount + 1;
    const before = previous?.record.state.terminated === undefined ? previous?.record.lastState : { terminated: previous.record.state.terminated };
    const started: Started = {
      record: { state: { waiting: { reason: 'ContainerCreating' } }, lastState: before, restartCount: attempt },
      handle: undefined,
      restartAtMs: 0,
      backoffMs: previous?.backoffMs ?? RESTART_BACKOFF_MIN_MS,
    };
    this.#containers.set(container.name, started);
    try {
      const handle = await this.#create(pod, container, attempt);
      started.record = { ...started.record, containerID: handle.id, state: { running: { startedAt: this.#now() } } };
      this.#watch(container.name, started, handle);
      this.#context.events.event(pod, { type: 'Normal', reason: 'Started', message: `Started container ${container.name}` });
      return undefined;
    } catch (error) {
      const message = asError(error).message;
      this.#context.events.event(pod, { type: 'Warning', reason: 'Failed', message: `Error: ${message}` });
      started.record = {
        ...started.record,
        containerID: previous?.record.containerID,
        restartCount: previous?.record.restartCount ?? 0,
        state: { waiting: { reason: 'CreateContainerError', message } },
      };
      started.restartAtMs = this.#context.clock.monotonicMs() + RESTART_BACKOFF_MIN_MS;
      return RESTART_BACKOFF_MIN_MS;
    }
  }

  /** Writes the bundle with CDI edits applied and hands it to the runtime. */
  async #create(pod: Pod, container: Container, attempt: number): Promise<ContainerHandle> {
    const { claims, cdi, files, client, hostIP } = this.#context;
    const { namespace = '' } = pod.metadata;
    const runtime = this.#runtimeFor(container);
    if (runtime === undefined) throw new Error(`no runtime of this node runs image ${container.image ?? ''}`);
    const devices = cdiDevicesFor(pod, container, (name) => claims.prepared(namespace, name));
    // A driver may have written its file a moment ago.
    if (devices.length > 0) await cdi.refresh();
    const secrets = new Set<string>();
    const mounts = this.#volumes.mountsOf(container);
    const bare = await containerSpec(container, { pod, podIP: this.podIP ?? '', hostIP, client, secrets, mounts });
    const oci = devices.length > 0 ? await cdi.inject(bare, devices) : bare;
    const request = this.#request(pod, container, attempt);
    await files.makeDirectory(request.bundleDir);
    await files.makeDirectory(directoryOf(request.logFile));
    await files.writeAtomic(`${request.bundleDir}/config.json`, `${JSON.stringify(oci, undefined, 2)}\n`, 0o600);
    return runtime.start({ ...request, oci, secrets });
  }

  #runtimeFor(container: Container): ContainerRuntime | undefined {
    return this.#context.runtimes.find((runtime) => runtime.accepts(container.image ?? ''));
  }

  #request(pod: Pod, container: Container, attempt: number): Parameters<ContainerRuntime['adopt']>[0] {
    const { rootDir } = this.#context;
    const { namespace = '', name = '' } = pod.metadata;
    return {
      podUid: this.uid,
      podNamespace: namespace,
      podName: name,
      containerName: container.name,
      image: container.image ?? '',
      attempt,
      bundleDir: `${rootDir}/bundles/${this.uid}/${container.name}`,
      logFile: logFileOf(rootDir, this.uid, container.name),
    };
  }

  #watch(name: string, started: Started, handle: ContainerHandle): void {
    started.handle = handle;
    void handle.exited.then((exit) => {
      this.#ended(name, started, exit, exit.exitCode === 0 ? 'Completed' : 'Error');
      this.#context.wake(this.#key);
    });
  }

  #ended(name: string, started: Started, exit: ContainerExit, reason: string): void {
    const { record } = started;
    const { clock } = this.#context;
    const startedAt = record.state.running?.startedAt;
    const state: ContainerState = {
      terminated: { exitCode: exit.exitCode, reason, signal: exit.signal, startedAt, finishedAt: this.#now(), containerID: record.containerID },
    };
    const ranMs = startedAt === undefined ? 0 : clock.nowMs() - Date.parse(startedAt);
    const again = record.restartCount > 0 && ranMs < RESTART_BACKOFF_RESET_MS;
    started.backoffMs = again ? Math.min(RESTART_BACKOFF_MAX_MS, started.backoffMs * 2) : RESTART_BACKOFF_MIN_MS;
    // The first restart is immediate, later ones wait.
    started.restartAtMs = record.restartCount === 0 ? 0 : clock.monotonicMs() + started.backoffMs;
    started.record = { ...record, state };
    started.handle = undefined;
    this.#context.logger.info('Container ended', { pod: this.#key, container: name, exitCode: exit.exitCode });
  }

  #status(pod: Pod): PodStatus {
    const records = new Map([...this.#containers].map(([name, { record }]) => [name, record]));
    return podStatus(pod, {
      records,
      sandboxReady: this.#sandboxReady,
      podIP: this.podIP,
      hostIP: this.#context.hostIP,
      startTime: this.#startTime,
      now: this.#now(),
      resources: this.#finished ? undefined : (container) => this.#deviceHealth(pod, container),
    });
  }

  /** Nothing before the claims are prepared. */
  #deviceHealth(pod: Pod, container: Container): readonly ResourceStatus[] {
    const { health, claims } = this.#context;
    if (health === undefined || !this.#sandboxReady) return [];
    const { namespace = '' } = pod.metadata;
    return allocatedResourcesStatus(
      claimUsesOrNone(pod, container, (name) => claims.prepared(namespace, name)),
      health,
    );
  }

  #now(): string {
    return rfc3339(this.#context.clock.nowMs());
  }
}

/** Milliseconds since the epoch as the API writes times: UTC, whole seconds. */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** Where a container's output goes. */
export function logFileOf(rootDir: string, podUid: string, containerName: string): string {
  return `${rootDir}/logs/${podUid}/${containerName}.log`;
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function allContainers(pod: Pod): readonly Container[] {
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
}

function shortest(waits: readonly number[]): number | undefined {
  return waits.length === 0 ? undefined : Math.min(...waits);
}
