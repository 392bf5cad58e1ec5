/** One component alone, against any API server. */
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { RestClient } from '#client';
import { runControllers } from '#controllers';
import { createLogger, openDataDir, systemClock, systemRandom, transportFromKubeconfig } from '#platform';
import { runScheduler } from '#scheduler';
import { startControlPlane } from './control-plane.ts';
import { type ClusterFlags, gatesOf, logLevelOf } from './flags.ts';
import { keepDriverRunning, startNode } from './node.ts';

/** Flags of a single component. */
export interface SingleFlags extends ClusterFlags {
  readonly nodeName: string;
  readonly rootDir?: string;
}

/** Runs the component until `stop` aborts. */
export async function single(name: 'apiserver' | 'scheduler' | 'controller-manager' | 'nodeagent', flags: SingleFlags, stop: AbortSignal): Promise<void> {
  if (name === 'apiserver') return apiserver(flags, stop);
  if (flags.kubeconfig === undefined) throw new Error(`dray ${name} needs a --kubeconfig`);
  const client = new RestClient(await transportFromKubeconfig(flags.kubeconfig), { userAgent: `dray-${name}` });
  const gates = gatesOf(flags);
  const world = { client, clock: systemClock, random: systemRandom, logger: createLogger(name, logLevelOf(flags)), gates, signal: stop };
  if (name === 'scheduler') return runScheduler(world);
  if (name === 'controller-manager') return runControllers(world);
  const rootDir = resolve(flags.rootDir ?? join(flags.dataDir, 'nodes', flags.nodeName));
  const node = await startNode({ nodeName: flags.nodeName, rootDir, client, gates, logLevel: logLevelOf(flags) }, stop);
  await node.ended;
}

async function apiserver(flags: SingleFlags, stop: AbortSignal): Promise<void> {
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

/** `dray driver run FILE`: the example driver with the devices of a file. */
export async function runDriver(
  file: string,
  flags: { readonly kubeconfig: string; readonly nodeName: string; readonly rootDir: string },
  stop: AbortSignal,
): Promise<void> {
  await keepDriverRunning({ ...flags, devices: resolve(file) }, stop);
}
