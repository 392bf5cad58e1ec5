/** A node: its object, its drivers, its pods. */
import { asError, type Clock, type Logger, Metrics, type Random, sleep } from '#base';
import { dropPodClaims, type Pod } from '#api';
import { CdiCache } from '#cdi';
import { EventRecorder, Informer, NODES, PODS, type RestClient } from '#client';
import { badRequest, isNotFound, keyOf, nameOf, notFound } from '#machinery';
import type { Grpc, GrpcServer, HostFiles, MachineFacts } from '#ports';
import { Controller, type ReconcileResult, WorkQueue } from '#reconcile';
import { ClaimManager } from './claim-manager.ts';
import { type LogRequest, readLog } from './container-log.ts';
import { NodeDrivers } from './node-drivers.ts';
import { NodeMetrics } from './node-metrics.ts';
import { keepAlive, registerNode } from './node-registration.ts';
import { fallbackRange, freeAddress } from './pod-addresses.ts';
import { podResourcesService } from './pod-resources.ts';
import { podsDirectoryOf, volumesDirectoryOf } from './pod-volumes.ts';
import { logFileOf, PodWorker, type PodWorkerContext } from './pod-worker.ts';
import type { ContainerRuntime } from './runtime.ts';

/** What a node agent needs. `rootDir` is absolute; runtimes are asked in order which image they accept. */
export interface NodeAgentOptions {
  readonly nodeName: string;
  /** Of dray, which the Node object reports as that of its container runtime. */
  readonly version: string;
  readonly client: RestClient;
  readonly files: HostFiles;
  readonly grpc: Grpc;
  readonly runtimes: readonly ContainerRuntime[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly rootDir: string;
  /** What the Node object reports. */
  readonly machine: MachineFacts;
  /** Gates by name; an unknown one is off. */
  readonly gates: ReadonlyMap<string, boolean>;
  /** Where the node agent's own metrics are declared; a registry serves one node agent. */
  readonly metrics?: Metrics | undefined;
  /** Rising priority; default `<rootDir>/cdi`. */
  readonly cdiDirectories?: readonly string[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly hostIP?: string | undefined;
  /** Port of the endpoint that serves logs; absent: none. */
  readonly kubeletPort?: number | undefined;
}

/** Pods worked on at a time. */
const WORKERS = 16;
/** Kubelet: reconcile period of the DRA manager for pods that vanished. */
const VANISHED_PERIOD_MS = 60_000;
/** After a failure: at the start of a node agent its drivers have often not registered yet. */
const VANISHED_RETRY_MS = 2_000;

/** Runs one node until its signal aborts. */
export class NodeAgent {
  readonly #options: NodeAgentOptions;
  readonly #pods: Informer<Pod>;
  readonly #queue: WorkQueue;
  readonly #drivers: NodeDrivers;
  readonly #claims: ClaimManager;
  readonly #metrics: NodeMetrics;
  readonly #context: PodWorkerContext;
  /** By namespace/name. */
  readonly #workers = new Map<string, PodWorker>();
  #registered = false;

  constructor(options: NodeAgentOptions) {
    this.#options = options;
    const { client, clock, random, logger, files, rootDir, nodeName, runtimes } = options;
    this.#queue = new WorkQueue(clock, { retry: { firstMs: 100, maxMs: 15_000 } });
    this.#pods = new Informer({ client, clock, random, logger, resource: PODS, fieldSelector: `spec.nodeName=${nodeName}` });
    this.#metrics = new NodeMetrics(options.metrics ?? new Metrics(), () => this.#claims.inUse());
    this.#claims = new ClaimManager({
      client,
      files,
      clock,
      checkpointFile: `${rootDir}/dra_manager_state`,
      driver: (name) => this.#drivers.driver(name),
      groupClaims: options.gates.get('DRAWorkloadResourceClaims') === true,
      observe: (operation, failed, seconds) => this.#metrics.observeOperation(operation, failed, seconds),
    });
    this.#drivers = new NodeDrivers({
      ...options,
      followsHealth: options.gates.get('ResourceHealthStatus') === true,
      observeCall: this.#metrics.observeCall,
      usable: () => this.#wake(() => true),
      healthChanged: (driver) => this.#wakeUsers(driver),
    });
    this.#context = {
      client,
      files,
      runtimes,
      clock,
      logger,
      rootDir,
      claims: this.#claims,
      cdi: new CdiCache(files, options.cdiDirectories ?? [`${rootDir}/cdi`]),
      events: new EventRecorder({ client, clock, random, logger, component: 'kubelet', host: nodeName }),
      hostIP: options.hostIP ?? '127.0.0.1',
      health:
        options.gates.get('ResourceHealthStatus') !== true
          ? undefined
          : {
              health: (driver, pool, device) => this.#drivers.deviceHealth(driver, pool, device),
              messages: options.gates.get('ResourceHealthStatusMessage') === true,
            },
      wake: (key) => this.#queue.add(key),
    };
  }

  /** Runs until `signal` aborts. Rejects when the checkpoint is damaged: nothing must be guessed about prepared devices. */
  async run(signal: AbortSignal): Promise<void> {
    const { files, rootDir, clock, logger } = this.#options;
    await files.makeDirectory(rootDir);
    await this.#claims.load();
    await this.#endLeftovers();
    const node = { ...this.#options, hostIP: this.#context.hostIP };
    await registerNode(node, signal);
    this.#registered = !signal.aborted;
    const enqueue = (pod: Pod): void => this.#queue.add(keyOf(pod));
    this.#pods.addHandler({ added: enqueue, updated: (_old, now) => enqueue(now), deleted: enqueue });
    const controller = new Controller({ name: 'nodeagent', queue: this.#queue, logger, workers: WORKERS, reconcile: (key) => this.#sync(key) });
    // A part that breaks off ends the others: what is left of a node must not look alive.
    const broken = new AbortController();
    const until = AbortSignal.any([signal, broken.signal]);
    const part = (running: Promise<void>): Promise<void> => {
      running.catch((error: unknown) => broken.abort(error));
      return running;
    };
    const parts = [part(this.#pods.run(until)), part(keepAlive(node, until))];
    if (this.#options.gates.get('DynamicResourceAllocation') === true) parts.push(part(this.#drivers.run(until)));
    await Promise.race([this.#pods.whenSynced(), aborted(until)]);
    parts.push(part(this.#cleanVanished(until)));
    const podResources = await this.#servePodResources();
    const working = controller.run(until);
    await aborted(until);
    await Promise.all([...this.#workers.values()].map((worker) => worker.hurry()));
    await working;
    await podResources?.close();
    await Promise.all([...this.#workers.values()].map((worker) => worker.detach()));
    await Promise.all(parts);
    logger.info('Node agent stopped', { node: this.#options.nodeName, atMs: clock.monotonicMs() });
  }

  /** Whether this run has made or renewed the Node object, which may be there from an earlier one. */
  get isRegistered(): boolean {
    return this.#registered;
  }

  /** Names of the registered drivers. */
  drivers(): readonly string[] {
    return this.#drivers.names();
  }

  #wake(which: (pod: Pod) => boolean): void {
    for (const pod of this.#pods.lister.list()) if (which(pod)) this.#queue.add(keyOf(pod));
  }

  #wakeUsers(driver: string): void {
    const uids = this.#claims.podsWith(driver);
    this.#wake((pod) => uids.has(pod.metadata.uid ?? ''));
  }

  /** Monitoring agents are no reason for a node to stay away: a socket that cannot be served is logged. */
  async #servePodResources(): Promise<GrpcServer | undefined> {
    const { files, grpc, rootDir, clock, logger } = this.#options;
    const socket = `${rootDir}/pod-resources/kubelet.sock`;
    const methods = podResourcesService({
      clock,
      pods: () => this.#pods.lister.list(),
      prepared: (namespace, claim) => this.#claims.prepared(namespace, claim),
      observe: this.#metrics.observePodResources,
    });
    try {
      await files.makeDirectory(`${rootDir}/pod-resources`, 0o750);
      return await grpc.serve(socket, methods);
    } catch (error) {
      logger.warn('The pod resources socket cannot be served', { socket, error: asError(error).message });
      return undefined;
    }
  }

  async #sync(key: string): Promise<ReconcileResult> {
    const pod = this.#podOf(key);
    const worker = this.#workers.get(key);
    if (worker !== undefined && worker.uid !== pod?.metadata.uid) return this.#forget(key, worker);
    if (pod === undefined) return {};
    if (pod.metadata.deletionTimestamp !== undefined) return this.#terminate(key, pod);
    const result = await (await this.#workerOf(key, pod)).sync(pod);
    await this.#writeStatus(pod, result.status);
    return { requeueAfterMs: result.requeueAfterMs };
  }

  /** Without DRA a pod's claims have no effect, as in the kubelet. */
  #podOf(key: string): Pod | undefined {
    const pod = this.#pods.lister.get(key);
    return pod === undefined ? undefined : dropPodClaims(pod, undefined, this.#options);
  }

  /** A pod that vanished without waiting for its node: its containers go at once. */
  async #forget(key: string, worker: PodWorker): Promise<ReconcileResult> {
    await worker.detach();
    await this.#claims.unprepare(worker.uid);
    this.#workers.delete(key);
    await this.#removeFiles(worker.uid);
    return { requeueAfterMs: 0 };
  }

  async #terminate(key: string, pod: Pod): Promise<ReconcileResult> {
    const { uid = '', namespace, deletionGracePeriodSeconds } = pod.metadata;
    const status = await (await this.#workerOf(key, pod)).terminate(pod, Number(deletionGracePeriodSeconds ?? 30));
    await this.#writeStatus(pod, status);
    // While the object is there somebody knows of the files: after a crash here this is done again.
    await this.#removeFiles(uid);
    await this.#options.client.delete(PODS, nameOf(pod), { namespace, uid, gracePeriodSeconds: 0 }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
    this.#workers.delete(key);
    return {};
  }

  async #workerOf(key: string, pod: Pod): Promise<PodWorker> {
    const working = this.#workers.get(key);
    if (working !== undefined) return working;
    const isKnown = pod.status?.podIP !== undefined || pod.spec?.hostNetwork === true;
    // Of a pod that is going nothing will be started: it must not wait for an address.
    const podCidr = isKnown || pod.metadata.deletionTimestamp !== undefined ? undefined : await this.#podRange();
    const known = pod.spec?.hostNetwork === true ? this.#context.hostIP : pod.status?.podIP;
    const worker = new PodWorker(this.#context, pod, podCidr === undefined ? known : this.#newAddress(pod, podCidr));
    this.#workers.set(key, worker);
    return worker;
  }

  /** Of the node, which the node IPAM controller may have written after the node was registered. */
  async #podRange(): Promise<string> {
    const { client, nodeName } = this.#options;
    return (await client.get(NODES, nodeName)).spec?.podCIDR ?? fallbackRange(nodeName);
  }

  #newAddress(pod: Pod, podCidr: string): string {
    // A pod that is over keeps its address in its status, but not for itself.
    const used = [...this.#workers.values()].flatMap((worker) => (worker.isFinished ? [] : (worker.podIP ?? [])));
    const recorded = this.#pods.lister.list().flatMap((pod) => (isOver(pod) ? [] : (pod.status?.podIP ?? [])));
    const address = freeAddress(podCidr, new Set([...used, ...recorded]));
    if (address !== undefined) return address;
    const message = `Failed to create pod sandbox: no address of ${podCidr} is free for another pod`;
    this.#context.events.event(pod, { type: 'Warning', reason: 'FailedCreatePodSandBox', message });
    throw new Error(message);
  }

  async #writeStatus(pod: Pod, status: NonNullable<Pod['status']>): Promise<void> {
    if (sameJson(status, pod.status)) return;
    // A patch, because the scheduler and controllers write other parts of the status; the UID guards against a namesake.
    const body = { metadata: { uid: pod.metadata.uid }, status: plain(status) };
    await this.#options.client
      .patch(PODS, nameOf(pod), { namespace: pod.metadata.namespace, type: 'strategic', subresource: 'status', body })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  }

  /** UIDs of pods that have files: volumes come first, bundles go last, and logs lie between them. */
  async #podsWithFiles(): Promise<ReadonlySet<string>> {
    const { files, rootDir } = this.#options;
    const entries = await Promise.all([podsDirectoryOf(rootDir), `${rootDir}/bundles`].map((directory) => files.list(directory)));
    return new Set(entries.flat().map(({ name }) => name));
  }

  async #removeFiles(uid: string): Promise<void> {
    const { files, rootDir } = this.#options;
    await files.remove(`${rootDir}/logs/${uid}`);
    await files.remove(volumesDirectoryOf(rootDir, uid));
    await files.remove(`${rootDir}/bundles/${uid}`);
  }

  /** Containers of a node agent that crashed: devices must not be in use by somebody nobody watches. */
  async #endLeftovers(): Promise<void> {
    const { files, rootDir, runtimes } = this.#options;
    const bundles = `${rootDir}/bundles`;
    const left: string[] = [];
    for (const pod of await files.list(bundles)) {
      for (const container of await files.list(`${bundles}/${pod.name}`)) left.push(`${bundles}/${pod.name}/${container.name}`);
    }
    for (const runtime of runtimes) await runtime.endLeftovers?.(left);
  }

  /** Claims of pods that went while the node agent was down are given back. */
  async #cleanVanished(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // Asked for each anew: while one is cleaned up others come.
      const isHere = (uid: string): boolean =>
        this.#pods.lister.list().some((pod) => pod.metadata.uid === uid) || [...this.#workers.values()].some((worker) => worker.uid === uid);
      for (const uid of await this.#podsWithFiles()) if (!isHere(uid)) await this.#removeFiles(uid);
      let failed = false;
      for (const uid of this.#claims.podUids()) {
        if (isHere(uid)) continue;
        await this.#claims.unprepare(uid).catch((error: unknown) => {
          failed = true;
          this.#options.logger.warn('Unpreparing for a vanished pod failed', { pod: uid, error: asError(error).message });
        });
      }
      await sleep(this.#options.clock, failed ? VANISHED_RETRY_MS : VANISHED_PERIOD_MS, signal).catch(() => undefined);
    }
  }

  /** The output of a container. Rejects with an ApiError when the pod is not on this node or the container has not started yet. */
  async logs(request: LogRequest): Promise<AsyncIterable<Uint8Array>> {
    const key = `${request.namespace}/${request.pod}`;
    const pod = this.#pods.lister.get(key);
    if (pod === undefined) throw notFound({ group: '', resource: 'pods' }, request.pod);
    const { uid = '' } = pod.metadata;
    const container = request.container ?? pod.spec?.containers[0]?.name ?? '';
    const run = (): string | undefined => {
      const worker = this.#workers.get(key);
      return worker?.uid === uid ? worker.runOf(container) : undefined;
    };
    const started = run();
    const why = started === undefined ? whyNotStarted(pod, container) : undefined;
    if (why !== undefined) throw badRequest(`container ${JSON.stringify(container)} in pod ${JSON.stringify(request.pod)} is waiting to start${why}`);
    const grows = (): boolean => started !== undefined && run() === started;
    return readLog(this.#options, { file: logFileOf(this.#options.rootDir, uid, container), grows }, request);
  }
}

/** In the kubelet's words (validateContainerLogStatus); undefined when the container has run. */
function whyNotStarted({ status }: Pod, container: string): string | undefined {
  const known = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].find(({ name }) => name === container);
  if (known?.state === undefined) return ' - no logs yet';
  const { waiting } = known.state;
  return waiting === undefined || known.lastState?.terminated !== undefined ? undefined : `: ${waiting.reason ?? ''}`;
}

function isOver(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })));
}

function plain<T extends object>(value: T): { readonly [key: string]: never } {
  // API objects are JSON; the round trip drops undefined members.
  return JSON.parse(JSON.stringify(value)) as { readonly [key: string]: never };
}

function sameJson(a: unknown, b: unknown): boolean {
  const sorted = (value: unknown): string =>
    JSON.stringify(value, (_key, member: unknown) =>
      typeof member === 'object' && member !== null && !Array.isArray(member)
        ? Object.fromEntries(Object.entries(member).sort(([x], [y]) => (x < y ? -1 : 1)))
        : member,
    ) ?? '';
  return sorted(a) === sorted(b);
}
