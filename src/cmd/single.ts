/** One component alone, against any API server. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asError, Metrics } from '#base';
import { RestClient } from '#client';
import { connectKubeconfig, createLogger, growHeapSparingly, openDataDir, systemClock, systemRandom } from '#platform';
import { apiSettingsOf, electionOf, gatesOf } from './api-flags.ts';
import { startControlPlane } from './control-plane.ts';
import { EXIT_FAILURE } from './failure.ts';
import { type ApiServerFlags, type ControllerFlags, devicesOf, type DriverFlags, logLevelOf, type NodeFlags } from './flags.ts';

/** `dray apiserver`, until `stop` aborts. */
export async function apiserver(flags: ApiServerFlags, stop: AbortSignal): Promise<void> {
  // A wrong flag is refused before anything is made on disk.
  const settings = apiSettingsOf(flags, false);
  const dataDir = await openDataDir(flags.dataDir);
  try {
    const plane = await startControlPlane(flags, dataDir.path, { settings, metrics: new Metrics() });
    process.stdout.write(`apiserver ready on ${plane.url}, kubeconfig ${plane.kubeconfig}\n`);
    growHeapSparingly();
    if (!stop.aborted) await once(stop, 'abort');
    await plane.close();
  } finally {
    await dataDir.release();
  }
}

/** Upstream's ports of the components' own endpoints. */
const USUAL_PORTS = { scheduler: 10_259, 'controller-manager': 10_257 } as const;

/** `dray scheduler` and `dray controller-manager`, beside their own endpoint, until `stop` aborts. */
export async function controller(name: 'scheduler' | 'controller-manager', flags: ControllerFlags, stop: AbortSignal): Promise<void> {
  const gates = gatesOf(flags);
  const election = electionOf(flags);
  const { readSchedulerConfiguration, runControllerLoops, runSchedulerLoop } = await import('./control-loops.ts');
  const configuration = await readSchedulerConfiguration(flags.config);
  const givenCaPem = flags.rootCaFile === undefined ? undefined : await certificatesIn(flags.rootCaFile);
  const { client, caPem, close } = await connect(`dray-${name}`, flags.kubeconfig, stop);
  const rootCaPem = givenCaPem ?? caPem;
  const metrics = new Metrics();
  const { serveComponent } = await import('./component-endpoint.ts');
  const certDir = flags.certDir ?? join('.dray', name);
  const listener = await serveComponent({
    component: name,
    certDir,
    address: flags.bindAddress,
    port: flags.securePort,
    usualPort: USUAL_PORTS[name],
    client,
    metrics,
  });
  const world = { client, clock: systemClock, random: systemRandom, logger: createLogger(name, logLevelOf(flags)), metrics, gates, rootCaPem };
  growHeapSparingly();
  try {
    if (name === 'scheduler') await runSchedulerLoop(world, configuration, { signal: stop, election });
    else await runControllerLoops(world, { signal: stop, election });
  } finally {
    close();
    await listener?.close();
  }
}

/** What --root-ca-file names; rejects when pods could not use it. */
async function certificatesIn(path: string): Promise<string> {
  try {
    const pem = await readFile(path, 'utf8');
    if (!beginsWithCertificate(pem)) throw new Error('there is no certificate in PEM');
    return pem;
  } catch (error) {
    throw new Error(`--root-ca-file ${path}: ${asError(error).message}`, { cause: error });
  }
}

function beginsWithCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/** Kubelet: --port. */
const USUAL_NODE_PORT = 10_250;

/** `dray nodeagent`, beside its own endpoint, until `stop` aborts. */
export async function nodeagent(flags: NodeFlags, stop: AbortSignal): Promise<void> {
  const gates = gatesOf(flags);
  const { client, close } = await connect('dray-nodeagent', flags.kubeconfig, stop);
  // Two agents on one checkpoint would each undo what the other prepared.
  const held = await openDataDir(flags.rootDir, '--root-dir');
  const { nodeName, bindAddress: address, securePort: port, certDir, cdiSpecDirs } = flags;
  const rootDir = held.path;
  const metrics = new Metrics();
  try {
    const { serveComponent } = await import('./component-endpoint.ts');
    const endpoint = { component: 'nodeagent', certDir: certDir ?? join(rootDir, 'pki'), address, port, usualPort: USUAL_NODE_PORT, client, metrics };
    const listener = await serveComponent(endpoint);
    try {
      const { startNode } = await import('./node.ts');
      const node = await startNode({ nodeName, rootDir, client, gates, logLevel: logLevelOf(flags), metrics, cdiSpecDirs }, stop);
      growHeapSparingly();
      await node.ended;
    } finally {
      close();
      await listener?.close();
    }
  } finally {
    await held.release();
  }
}

/** `dray driver run`: the example driver with the devices of a file or a preset, until `stop` aborts or it ends. */
export async function driver(devices: string, flags: DriverFlags, stop: AbortSignal): Promise<void> {
  const { runDriver } = await import('./driver-process.ts');
  const code = await runDriver({ ...flags, devices: devicesOf(devices) }, stop);
  process.exitCode = code === 0 ? 0 : EXIT_FAILURE;
}

/** How long a request that is under way may hold up the end of its process. */
const END_GRACE_MS = 5_000;

interface Connection {
  readonly client: RestClient;
  /** The certificates by which it knows the server. */
  readonly caPem: string | undefined;
  /** Gives up what is still under way. */
  readonly close: () => void;
}

/** A client whose requests are given up some time after `stop` aborts: a server that does not answer is no reason to stay. */
async function connect(userAgent: string, kubeconfig: string, stop: AbortSignal): Promise<Connection> {
  const end = new AbortController();
  let cancel = (): void => undefined;
  const giveUp = (): void => end.abort(new Error(`${userAgent} is ending`));
  const stopping = (): void => {
    cancel = systemClock.setTimer(END_GRACE_MS, giveUp);
  };
  const { transport, caPem } = await connectKubeconfig(kubeconfig, { end: end.signal });
  const client = new RestClient(transport, { userAgent });
  stop.addEventListener('abort', stopping, { once: true });
  const close = (): void => {
    stop.removeEventListener('abort', stopping);
    cancel();
    giveUp();
  };
  return { client, caPem, close };
}
