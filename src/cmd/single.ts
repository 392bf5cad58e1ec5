/** One component alone, against any API server. */
import { once } from 'node:events';
import { RestClient } from '#client';
import { createLogger, openDataDir, systemClock, systemRandom, transportFromKubeconfig } from '#platform';
import { startControlPlane } from './control-plane.ts';
import { type ApiServerFlags, type ComponentFlags, devicesOf, type DriverFlags, gatesOf, logLevelOf, type NodeFlags } from './flags.ts';

/** `dray apiserver`, until `stop` aborts. */
export async function apiserver(flags: ApiServerFlags, stop: AbortSignal): Promise<void> {
  // A wrong flag is refused before anything is made on disk.
  gatesOf(flags);
  const dataDir = await openDataDir(flags.dataDir);
  try {
    const plane = await startControlPlane(flags, dataDir.path, false);
    process.stdout.write(`apiserver ready on ${plane.url}, kubeconfig ${plane.kubeconfig}\n`);
    if (!stop.aborted) await once(stop, 'abort');
    await plane.close();
  } finally {
    await dataDir.release();
  }
}

/** `dray scheduler` and `dray controller-manager`, until `stop` aborts. */
export async function controller(name: 'scheduler' | 'controller-manager', flags: ComponentFlags, stop: AbortSignal): Promise<void> {
  const gates = gatesOf(flags);
  const client = await connect(`dray-${name}`, flags.kubeconfig);
  const world = { client, clock: systemClock, random: systemRandom, logger: createLogger(name, logLevelOf(flags)), gates, signal: stop };
  if (name === 'scheduler') return (await import('#scheduler')).runScheduler(world);
  return (await import('#controllers')).runControllers(world);
}

/** `dray nodeagent`, until `stop` aborts. */
export async function nodeagent(flags: NodeFlags, stop: AbortSignal): Promise<void> {
  const gates = gatesOf(flags);
  const client = await connect('dray-nodeagent', flags.kubeconfig);
  const { startNode } = await import('./node.ts');
  const node = await startNode({ nodeName: flags.nodeName, rootDir: flags.rootDir, client, gates, logLevel: logLevelOf(flags) }, stop);
  await node.ended;
}

/** `dray driver run`: the example driver with the devices of a file or a preset, until `stop` aborts. */
export async function driver(devices: string, flags: DriverFlags, stop: AbortSignal): Promise<void> {
  const { keepDriverRunning } = await import('./node.ts');
  await keepDriverRunning({ ...flags, devices: devicesOf(devices) }, stop);
}

async function connect(userAgent: string, kubeconfig: string): Promise<RestClient> {
  return new RestClient(await transportFromKubeconfig(kubeconfig), { userAgent });
}
