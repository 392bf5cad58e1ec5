/** `dray up`: a whole cluster in one process, the example driver beside it, and the examples on top. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { asError, Metrics, sleep } from '#base';
import type { Manifest } from '#cli';
import { NODES, RESOURCE_SLICES, RestClient } from '#client';
import {
  type CertificateAuthority,
  connectKubeconfig,
  createLogger,
  growHeapSparingly,
  memoryTransport,
  openDataDir,
  systemClock,
  systemRandom,
  transportFromKubeconfig,
} from '#platform';
import type { LoopWorld } from './control-loops.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { EXIT_FAILURE, EXIT_NOT_REACHED, printFailure } from './failure.ts';
import { type ApiSettings, apiSettingsOf } from './api-flags.ts';
import { type ComponentName, COMPONENTS, devicesOf, isPreset, logLevelOf, nodeNamesOf, type UpFlags } from './flags.ts';
import { writeKubeconfig } from './kubeconfig-file.ts';
import type { DriverEnded } from './driver-process.ts';
import type { NodeAgent } from '#nodeagent';
import type { RunningNode } from './node.ts';
import { type Progress, progressTo } from './progress.ts';

/** A cluster that stays outlives its examples: somebody may have deleted their namespaces meanwhile. */
function examplesFailed(error: unknown, flags: UpFlags): number {
  if (flags.once === true) throw error;
  process.stdout.write(`the examples were not finished: ${asError(error).message}\n`);
  return 0;
}

/** Starts everything, runs until `stop` aborts (or with --once until the examples are done); resolves with the exit code. */
export async function up(flags: UpFlags, stop: AbortSignal): Promise<number> {
  // A wrong flag is refused before anything is made on disk.
  const settings = apiSettingsOf(flags, true);
  const devices = devicesOf(flags.devices);
  const components = flags.components ?? new Set(COMPONENTS);
  if (!components.has('apiserver') && flags.kubeconfig === undefined) throw new Error('without the component apiserver --kubeconfig must name one to use');
  checkServed(flags, settings, components);
  const dataDir = await openDataDir(flags.dataDir);
  const cluster = new Cluster({
    flags: { ...flags, devices },
    components,
    settings,
    dataDir: dataDir.path,
    progress: progressTo(process.stdout),
    stop,
  });
  try {
    await cluster.start();
    growHeapSparingly();
    if (stop.aborted) return 0;
    const code = flags.examples && components.has('apiserver') ? await cluster.examples(stop).catch((error: unknown) => examplesFailed(error, flags)) : 0;
    if (flags.once === true) return code;
    cluster.explain();
    const failed = await Promise.race([stopped(stop), cluster.failed]);
    if (failed !== undefined) printFailure(failed);
    return failed === undefined ? 0 : EXIT_FAILURE;
  } finally {
    await cluster.stop();
    await dataDir.release();
  }
}

/** Refused before anything is made: the driver would wait for an API version that never comes. */
function checkServed(flags: UpFlags, { served, emulatedVersion }: ApiSettings, components: ReadonlySet<ComponentName>): void {
  if (!components.has('apiserver') || !components.has('driver') || served('resource.k8s.io', 'v1', 'resourceslices')) return;
  const cause = flags.runtimeConfig === undefined ? `--emulated-version ${emulatedVersion}` : '--runtime-config';
  throw new Error(
    `${cause} leaves out resource.k8s.io/v1, which the driver speaks; start without it: --no-examples --components apiserver,scheduler,controller-manager,nodeagent`,
  );
}

async function stopped(stop: AbortSignal): Promise<undefined> {
  if (!stop.aborted) await once(stop, 'abort');
}

/** What a cluster is made of; when `stop` aborts, starting it ends early. */
interface ClusterOptions {
  readonly flags: UpFlags;
  readonly components: ReadonlySet<ComponentName>;
  readonly settings: ApiSettings;
  readonly dataDir: string;
  readonly progress: Progress;
  readonly stop: AbortSignal;
}

/** In this process a controller is its service account without a token. */
function accountClient(plane: ControlPlane, account: string): RestClient {
  const user = { name: `system:serviceaccount:kube-system:${account}`, groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'] };
  return new RestClient(memoryTransport(plane.apiServer, user), { userAgent: `dray/${account}` });
}

/** Whoever has waited for the API server gets an answer before reading the other components' modules keeps the process busy. */
const FIRST_ANSWERS_MS = 20;

/** The components of one `dray up`, stopped in the reverse order of their start. */
class Cluster {
  readonly #options: ClusterOptions;
  readonly #flags: UpFlags;
  readonly #progress: Progress;
  /** One registry for the whole process; the API server's /metrics prints it. */
  readonly #metrics = new Metrics();
  readonly #drivers = new AbortController();
  readonly #nodes = new AbortController();
  readonly #control = new AbortController();
  readonly #running: { readonly drivers: Promise<void>[]; readonly nodes: Promise<void>[]; readonly control: Promise<void>[] } = {
    drivers: [],
    nodes: [],
    control: [],
  };
  readonly #agents = new Map<string, NodeAgent>();
  #plane: ControlPlane | undefined;
  #examples: Promise<readonly Manifest[]> | undefined;
  #fail: (error: Error) => void = () => undefined;
  /** Resolves with the error of the first component that broke off. */
  readonly failed: Promise<Error>;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#flags = options.flags;
    this.#progress = options.progress;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  /**
   * Starts what the flags name. Modules are loaded when their component is started: the API server answers while the others are still
   * being read. Drivers take longest, and are processes of their own: they start up while the scheduler and the controllers do and the examples are read.
   */
  async start(): Promise<void> {
    const { components, settings, dataDir, stop } = this.#options;
    const starts = (name: ComponentName): boolean => components.has(name) && !stop.aborted;
    if (starts('apiserver')) {
      this.#plane = await startControlPlane(this.#flags, dataDir, { settings, metrics: this.#metrics });
      this.#progress('apiserver', `ready on ${this.#plane.url}`);
      await sleep(systemClock, FIRST_ANSWERS_MS, stop).catch(() => undefined);
    }
    if (starts('nodeagent')) await Promise.all(nodeNamesOf(this.#flags).map((name) => this.#startNode(name)));
    const withDriver = starts('driver') ? nodeNamesOf(this.#flags) : [];
    if (withDriver.length > 0 && this.#plane !== undefined) await (await import('./driver-account.ts')).applyDriverAccount(this.client);
    await Promise.all(withDriver.map((name) => this.#startDriver(name)));
    if (starts('scheduler') || starts('controller-manager')) await this.#startLoops(starts);
    if (this.#flags.examples && this.#plane !== undefined) void this.#readExamples().catch(() => undefined);
    await Promise.all(withDriver.map((name) => this.#published(name)));
  }

  async #startLoops(starts: (name: ComponentName) => boolean): Promise<void> {
    const { readSchedulerConfiguration, runControllerLoops, runSchedulerLoop } = await import('./control-loops.ts');
    const { signal } = this.#control;
    const rootCaPem = await this.#rootCaPem();
    const start = async (name: string, run: (world: LoopWorld) => Promise<void>): Promise<void> => {
      const client = await this.#client(`system:kube-${name}`, []);
      const logger = createLogger(name, logLevelOf(this.#flags));
      const plane = this.#plane;
      const clientOf = plane === undefined ? undefined : (account: string): RestClient => accountClient(plane, account);
      const { gates } = this.#options.settings;
      const world = { client, clientOf, clock: systemClock, random: systemRandom, logger, metrics: this.#metrics, gates, rootCaPem };
      this.#keep(name, this.#running.control, run(world));
      this.#progress(name, 'running');
    };
    const configuration = await readSchedulerConfiguration(this.#flags.schedulerConfig);
    if (starts('scheduler')) await start('scheduler', (world) => runSchedulerLoop(world, configuration, { signal }));
    if (starts('controller-manager')) await start('controller-manager', (world) => runControllerLoops(world, { signal }));
  }

  async #startNode(nodeName: string): Promise<void> {
    const client = await this.#client(`system:node:${nodeName}`, ['system:nodes']);
    const spec = {
      nodeName,
      rootDir: this.#rootDir(nodeName),
      client,
      gates: this.#options.settings.gates,
      logLevel: logLevelOf(this.#flags),
      authority: this.#authority(),
    };
    const { startNode } = await import('./node.ts');
    const node: RunningNode = await startNode(spec, this.#nodes.signal);
    this.#agents.set(nodeName, node.agent);
    this.#keep(`node agent ${nodeName}`, this.#running.nodes, node.ended);
    const seen = await this.#seen(`node agent ${nodeName}`, 'try -v', async () => node.agent.isRegistered);
    if (seen) this.#progress(`nodeagent ${nodeName}`, 'registered, Ready');
  }

  async #startDriver(nodeName: string): Promise<void> {
    const plane = this.#plane;
    const rootDir = this.#rootDir(nodeName);
    const kubeconfig = plane === undefined ? (this.#flags.kubeconfig ?? '') : join(rootDir, 'driver.kubeconfig');
    if (plane !== undefined) {
      const { driverToken } = await import('./driver-account.ts');
      const registered = async (): Promise<boolean> => (await this.client.get(NODES, nodeName)).metadata.uid !== undefined;
      if (!(await this.#seen(`the node ${nodeName}`, 'its driver needs a token that is bound to it', registered))) return;
      const credentials = { token: await driverToken(this.client, nodeName) };
      await writeKubeconfig(kubeconfig, { server: plane.url, caPem: plane.authority.caPem, user: 'example-gpu', credentials });
    }
    const { devices } = this.#flags;
    const { DRIVER_LOG, keepDriverRunning } = await import('./driver-process.ts');
    const spec = { nodeName, rootDir, kubeconfig, devices, nodes: nodeNamesOf(this.#flags) };
    const tell: DriverEnded = (how, pauseMs) =>
      this.#progress(`driver ${nodeName}`, `${how}, started again in ${String(Math.round(pauseMs / 1000))} s; see ${join(rootDir, DRIVER_LOG)}`);
    this.#keep(`driver of ${nodeName}`, this.#running.drivers, keepDriverRunning(spec, tell, this.#drivers.signal));
  }

  /** Resolves when the driver of the node has published its devices. */
  async #published(nodeName: string): Promise<void> {
    const { devices } = this.#flags;
    const rootDir = this.#rootDir(nodeName);
    const { DRIVER_LOG } = await import('./driver-process.ts');
    const client = await this.#client('system:kube-controller-manager', []);
    // Slices and sockets may be an earlier run's: the node agent knows whether this one's driver is here. A file may have no pool for this node.
    const published = async (): Promise<boolean> =>
      this.#agents.get(nodeName)?.drivers().includes(DRIVER_NAME) !== false &&
      (isPreset(devices)
        ? (await client.list(RESOURCE_SLICES)).items.some((slice) => slice.spec.nodeName === nodeName)
        : existsSync(join(rootDir, 'plugins_registry', `${DRIVER_NAME}-reg.sock`)));
    const seen = await this.#seen(`the driver of ${nodeName}`, `see ${join(rootDir, DRIVER_LOG)}`, published);
    if (seen) this.#progress(`driver ${nodeName}`, `own process, ${isPreset(devices) ? 'published its devices' : 'running'}`);
  }

  /** Reads the examples, once: while the drivers start there is time for it. */
  #readExamples(): Promise<readonly Manifest[]> {
    this.#examples ??= import('./examples.ts').then(async ({ readExamples }) => readExamples());
    return this.#examples;
  }

  /** Applies the examples; the exit code of --once. */
  async examples(stop: AbortSignal): Promise<number> {
    const { client } = this;
    const reached = ({ pod, state }: { pod: string; state: string }): void => this.#progress('example', `${pod} ${state}`);
    const manifests = await this.#readExamples();
    const { runExamples } = await import('./examples.ts');
    const nodeDirs = nodeNamesOf(this.#flags).map((name) => this.#rootDir(name));
    const outcome = await runExamples({ client, manifests, timeoutMs: this.#flags.timeout * 1000, nodeDirs, reached }, stop);
    if (stop.aborted) return 0;
    process.stdout.write(`\n${outcome.table}\n`);
    for (const { pod, state } of outcome.missed) process.stderr.write(`dray: pod ${pod} is not ${state} after ${String(this.#flags.timeout)} s\n`);
    return outcome.missed.length === 0 ? 0 : EXIT_NOT_REACHED;
  }

  /** The administrator's view. */
  get client(): RestClient {
    if (this.#plane === undefined) throw new Error('there is no API server in this process');
    return new RestClient(memoryTransport(this.#plane.apiServer, { name: 'kubernetes-admin', groups: ['system:masters'] }), { userAgent: 'dray-up' });
  }

  explain(): void {
    if (this.#plane === undefined) return;
    const { kubeconfig } = this.#plane;
    process.stdout.write(
      `kubeconfig: ${kubeconfig}\n\n  export KUBECONFIG=${kubeconfig}\n  kubectl get pods,resourceclaims -A -o wide\n\nCtrl-C stops the cluster; its objects stay in ${this.#options.dataDir}.\n`,
    );
  }

  /** Drivers outlive the node agents' last calls to them, the API server all others. */
  async stop(): Promise<void> {
    this.#nodes.abort();
    await Promise.allSettled(this.#running.nodes);
    this.#drivers.abort();
    await Promise.allSettled(this.#running.drivers);
    this.#control.abort();
    await Promise.allSettled(this.#running.control);
    await this.#plane?.close();
  }

  #keep(name: string, group: Promise<void>[], running: Promise<void>): void {
    group.push(running);
    running.catch((error: unknown) => this.#fail(new Error(`${name}: ${asError(error).message}`, { cause: error })));
  }

  async #client(name: string, groups: readonly string[]): Promise<RestClient> {
    const { kubeconfig } = this.#flags;
    if (this.#plane === undefined && kubeconfig === undefined) throw new Error('without the component apiserver a --kubeconfig is needed');
    const transport = this.#plane === undefined ? await transportFromKubeconfig(kubeconfig ?? '') : memoryTransport(this.#plane.apiServer, { name, groups });
    return new RestClient(transport, { userAgent: `dray/${name}` });
  }

  /** The certificates by which pods know the API server. */
  async #rootCaPem(): Promise<string | undefined> {
    const { kubeconfig } = this.#flags;
    if (this.#plane !== undefined || kubeconfig === undefined) return this.#plane?.authority.caPem;
    return (await connectKubeconfig(kubeconfig)).caPem;
  }

  #authority(): CertificateAuthority | undefined {
    return this.#plane?.authority;
  }

  #rootDir(nodeName: string): string {
    return join(this.#flags.rootDir ?? join(this.#options.dataDir, 'nodes'), nodeName);
  }

  /** Waits until `look` says true (then true) or starting is to end (then false); a component that broke off ends the wait with its error. */
  async #seen(component: string, advice: string, look: () => Promise<boolean>): Promise<boolean> {
    const { stop } = this.#options;
    let broken: Error | undefined;
    void this.failed.then((error) => (broken = error));
    const deadlineMs = systemClock.monotonicMs() + START_TIMEOUT_MS;
    while (!stop.aborted && !(await look().catch(() => false))) {
      if (broken !== undefined) throw broken;
      if (systemClock.monotonicMs() > deadlineMs) throw new Error(`${component} did not start within ${String(START_TIMEOUT_MS / 1000)} s; ${advice}`);
      await new Promise<void>((resolve) => systemClock.setTimer(POLL_MS, resolve));
    }
    return !stop.aborted;
  }
}

const DRIVER_NAME = 'gpu.example.com';
const START_TIMEOUT_MS = 30_000;
const POLL_MS = 20;
