/** A node: its object, its drivers, its pods. */
import { asError, type Clock, type Logger, type Random, sleep } from '#base';
import type { Pod } from '#api';
import { CdiCache } from '#cdi';
import { EventRecorder, Informer, PODS, type RestClient } from '#client';
import { isNotFound, keyOf, nameOf } from '#machinery';
import { type Grpc, type HostFiles, isFileMissing } from '#ports';
import { Controller, type ReconcileResult, WorkQueue } from '#reconcile';
import { ClaimManager } from './claim-manager.ts';
import { keepAlive, registerNode } from './node-registration.ts';
import { PluginRegistry } from './plugin-registry.ts';
import { logFileOf, PodWorker, type PodWorkerContext } from './pod-worker.ts';
import type { ContainerRuntime } from './runtime.ts';

/** What a node agent needs. `rootDir` is absolute; runtimes are asked in order which image they accept. */
export interface NodeAgentOptions {
  readonly nodeName: string;
  readonly client: RestClient;
  readonly files: HostFiles;
  readonly grpc: Grpc;
  readonly runtimes: readonly ContainerRuntime[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly rootDir: string;
  readonly gates?: ReadonlyMap<string, boolean> | undefined;
  /** Rising priority; default `<rootDir>/cdi`. */
  readonly cdiDirectories?: readonly string[] | undefined;
  readonly capacity?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly hostIP?: string | undefined;
  /** Port of the endpoint that serves logs; absent: none. */
  readonly kubeletPort?: number | undefined;
}

/** Which log to read. */
export interface LogRequest {
  readonly namespace: string;
  readonly pod: string;
  /** Default: the first container. */
  readonly container?: string | undefined;
  readonly tailLines?: number | undefined;
  readonly follow?: boolean | undefined;
}

/** Pods worked on at a time. */
const WORKERS = 16;
/** Kubelet: reconcile period of the DRA manager for pods that vanished. */
const VANISHED_PERIOD_MS = 60_000;
/** Pause between two looks at a log that is followed. */
const FOLLOW_MS = 300;

/** Runs one node until its signal aborts. */
export class NodeAgent {
  readonly #options: NodeAgentOptions;
  readonly #pods: Informer<Pod>;
  readonly #queue: WorkQueue;
  readonly #registry: PluginRegistry;
  readonly #claims: ClaimManager;
  readonly #context: PodWorkerContext;
  /** By namespace/name. */
  readonly #workers = new Map<string, PodWorker>();
  #nextAddress = 1;

  constructor(options: NodeAgentOptions) {
    this.#options = options;
    const { client, clock, random, logger, files, grpc, rootDir, nodeName, runtimes } = options;
    this.#queue = new WorkQueue(clock, { firstMs: 100, maxMs: 15_000 });
    this.#pods = new Informer({ client, clock, random, logger, resource: PODS, fieldSelector: `spec.nodeName=${nodeName}` });
    const wakeAll = (): void => this.#pods.lister.list().forEach((pod) => this.#queue.add(keyOf(pod)));
    this.#registry = new PluginRegistry({ directory: `${rootDir}/plugins_registry`, files, grpc, clock, logger, registered: wakeAll });
    this.#claims = new ClaimManager({ client, files, logger, checkpointFile: `${rootDir}/dra_manager_state`, driver: (name) => this.#registry.driver(name) });
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
      wake: (key) => this.#queue.add(key),
    };
  }

  /** Runs until `signal` aborts. Rejects when the checkpoint is damaged: nothing must be guessed about prepared devices. */
  async run(signal: AbortSignal): Promise<void> {
    const { files, rootDir, clock, logger } = this.#options;
    await files.makeDirectory(rootDir);
    await this.#claims.load();
    const node = { ...this.#options, hostIP: this.#context.hostIP };
    await registerNode(node, signal);
    const enqueue = (pod: Pod): void => this.#queue.add(keyOf(pod));
    this.#pods.addHandler({ added: enqueue, updated: (_old, now) => enqueue(now), deleted: enqueue });
    const controller = new Controller({ name: 'nodeagent', queue: this.#queue, logger, workers: WORKERS, reconcile: (key) => this.#sync(key) });
    const informing = this.#pods.run(signal);
    const registering = this.#registry.run(signal);
    const beating = keepAlive(node, signal);
    await Promise.race([this.#pods.whenSynced(), aborted(signal)]);
    const cleaning = this.#cleanVanished(signal);
    await controller.run(signal);
    await Promise.all([...this.#workers.values()].map((worker) => worker.detach()));
    await Promise.all([informing, registering, beating, cleaning]);
    logger.info('Node agent stopped', { node: this.#options.nodeName, atMs: clock.monotonicMs() });
  }

  /** Names of the registered drivers. */
  drivers(): readonly string[] {
    return this.#registry.drivers();
  }

  async #sync(key: string): Promise<ReconcileResult> {
    const pod = this.#pods.lister.get(key);
    const worker = this.#workers.get(key);
    if (worker !== undefined && worker.uid !== pod?.metadata.uid) return this.#forget(key, worker);
    if (pod === undefined) return {};
    if (pod.metadata.deletionTimestamp !== undefined) return this.#terminate(key, pod);
    const result = await this.#workerOf(key, pod).sync(pod);
    await this.#writeStatus(pod, result.status);
    return { requeueAfterMs: result.requeueAfterMs };
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
    const status = await this.#workerOf(key, pod).terminate(pod, Number(deletionGracePeriodSeconds ?? 30));
    await this.#writeStatus(pod, status);
    await this.#options.client.delete(PODS, nameOf(pod), { namespace, uid, gracePeriodSeconds: 0 }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
    this.#workers.delete(key);
    await this.#removeFiles(uid);
    return {};
  }

  #workerOf(key: string, pod: Pod): PodWorker {
    const known = this.#workers.get(key);
    if (known !== undefined) return known;
    const number = this.#nextAddress++;
    const worker = new PodWorker(this.#context, pod, `10.244.${(number >> 8) & 255}.${number & 255}`);
    this.#workers.set(key, worker);
    return worker;
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

  #removeFiles(uid: string): Promise<void> {
    return this.#options.files.remove(`${this.#options.rootDir}/bundles/${uid}`);
  }

  /** Claims of pods that went while the node agent was down are given back. */
  async #cleanVanished(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const present = new Set(this.#pods.lister.list().map((pod) => pod.metadata.uid));
      for (const uid of this.#claims.podUids()) {
        if (present.has(uid)) continue;
        await this.#claims
          .unprepare(uid)
          .catch((error: unknown) => this.#options.logger.warn('Unpreparing for a vanished pod failed', { pod: uid, error: asError(error).message }));
      }
      await sleep(this.#options.clock, VANISHED_PERIOD_MS, signal).catch(() => undefined);
    }
  }

  /** The output of a container. Rejects when the pod is not on this node. */
  async logs(request: LogRequest): Promise<AsyncIterable<Uint8Array>> {
    const pod = this.#pods.lister.get(`${request.namespace}/${request.pod}`);
    if (pod === undefined) throw new Error(`pod ${request.namespace}/${request.pod} is not on node ${this.#options.nodeName}`);
    const container = request.container ?? pod.spec?.containers[0]?.name ?? '';
    return this.#read(logFileOf(this.#options.rootDir, pod.metadata.uid ?? '', container), request);
  }

  async *#read(file: string, { tailLines, follow }: LogRequest): AsyncGenerator<Uint8Array> {
    const read = (): Promise<Uint8Array> =>
      this.#options.files.read(file).catch((error: unknown) => (isFileMissing(error) ? new Uint8Array() : Promise.reject(asError(error))));
    let content = await read();
    yield tailLines === undefined ? content : tail(content, tailLines);
    while (follow === true) {
      await sleep(this.#options.clock, FOLLOW_MS);
      const offset = content.length;
      content = await read();
      if (content.length > offset) yield content.subarray(offset);
    }
  }
}

function tail(content: Uint8Array, lines: number): Uint8Array {
  const end = content.at(-1) === NEWLINE ? content.length - 1 : content.length;
  let start = end;
  for (let left = lines; left > 0 && start > 0; left--) start = content.lastIndexOf(NEWLINE, start - 1);
  return lines === 0 ? new Uint8Array() : content.subarray(start <= 0 ? 0 : start + 1);
}

const NEWLINE = 10;

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
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
