/** Starts all controllers over shared informers. */
import { asError, type Clock, type Logger, type Metrics, type Random, sleep } from '#base';
import type { RestClient } from '#client';
import { type ControllerContext, SharedInformers } from './controller-context.ts';
import { runDeviceTaintEviction } from './devicetainteviction/taint-eviction-controller.ts';
import { runGarbageCollector } from './garbagecollector/garbage-collector.ts';
import { runNamespaceController } from './namespace/namespace-controller.ts';
import { runNodeIpamController } from './nodeipam/nodeipam-controller.ts';
import { runResourceClaimController } from './resourceclaim/resourceclaim-controller.ts';

/** What the controllers need. They run until `signal` aborts. */
export interface ControllersOptions {
  readonly client: RestClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly gates: ReadonlyMap<string, boolean>;
  readonly signal: AbortSignal;
}

/** How long a controller that could not start (its server was not up) rests before the next try. */
const RESTART_MS = 1000;

type Run = (context: ControllerContext, signal: AbortSignal) => Promise<void>;

/** All controllers by name. */
const CONTROLLERS: Readonly<Record<string, Run>> = {
  resourceclaim: runResourceClaimController,
  'device-taint-eviction': runDeviceTaintEviction,
  namespace: runNamespaceController,
  garbagecollector: runGarbageCollector,
  nodeipam: runNodeIpamController,
};

/** Runs all controllers until `options.signal` aborts; never rejects for one of them. A controller whose feature is off ends at once. */
export async function runControllers(options: ControllersOptions): Promise<void> {
  const { client, clock, random, logger, metrics, gates, signal } = options;
  const informers = new SharedInformers({ client, clock, random, logger }, signal);
  const context: ControllerContext = { client, clock, random, logger, metrics, gates, informers };
  await Promise.all(Object.entries(CONTROLLERS).map(([name, run]) => keepRunning(name, () => run(context, signal), options)));
  await informers.ended();
}

async function keepRunning(name: string, run: () => Promise<void>, { clock, logger, signal }: ControllersOptions): Promise<void> {
  while (!signal.aborted) {
    try {
      await run();
      return;
    } catch (error) {
      if (signal.aborted) return;
      logger.error('a controller broke off and is started again', { controller: name, error: asError(error).message });
      await sleep(clock, RESTART_MS, signal).catch(() => undefined);
    }
  }
}
