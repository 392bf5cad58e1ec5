/** Starts all controllers over shared informers. */
import { asError, type Clock, type Logger, type Metrics, type Random, sleep } from '#base';
import type { RestClient } from '#client';
import { type ControllerContext, SharedInformers } from './controller-context.ts';
import { runDeploymentController } from './deployment/deployment-controller.ts';
import { runDeviceTaintEviction } from './devicetainteviction/taint-eviction-controller.ts';
import { runGarbageCollector } from './garbagecollector/garbage-collector.ts';
import { runNamespaceController } from './namespace/namespace-controller.ts';
import { runNodeIpamController } from './nodeipam/nodeipam-controller.ts';
import { runPodGarbageCollector } from './podgc/pod-garbage-collector.ts';
import { runPodGroupProtection } from './podgroupprotection/pod-group-protection.ts';
import { runClusterRoleAggregation } from './clusterroleaggregation/clusterrole-aggregation-controller.ts';
import { runResourceQuotaController } from './resourcequota/resourcequota-controller.ts';
import { runReplicaSetController } from './replicaset/replicaset-controller.ts';
import { runResourceClaimController } from './resourceclaim/resourceclaim-controller.ts';
import { runResourcePoolStatus } from './resourcepoolstatus/pool-status-controller.ts';
import { runRootCaCertPublisher } from './rootcacertpublisher/root-ca-cert-publisher.ts';
import { runServiceAccountController } from './serviceaccount/serviceaccount-controller.ts';

/** What the controllers need. They run until `signal` aborts. */
export interface ControllersOptions {
  readonly client: RestClient;
  /** The client of a controller's own service account in kube-system; without it all controllers share `client`. */
  readonly clientOf?: ((account: string) => RestClient) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly gates: ReadonlyMap<string, boolean>;
  /** The certificates by which pods shall know the API server, PEM; without them none are published. */
  readonly rootCaPem?: string | undefined;
  readonly signal: AbortSignal;
}

/** How long a controller that could not start (its server was not up) rests before the next try. */
const RESTART_MS = 1000;

/** A controller and the service account that has its rights (upstream: the roles system:controller:…). */
interface ControllerEntry {
  readonly run: (context: ControllerContext, signal: AbortSignal) => Promise<void>;
  readonly account: string;
}

/** All controllers by name. */
const CONTROLLERS: Readonly<Record<string, ControllerEntry>> = {
  // First: no pod can be created in a namespace before.
  serviceaccount: { run: runServiceAccountController, account: 'service-account-controller' },
  'root-ca-cert-publisher': { run: runRootCaCertPublisher, account: 'root-ca-cert-publisher' },
  resourceclaim: { run: runResourceClaimController, account: 'resource-claim-controller' },
  'device-taint-eviction': { run: runDeviceTaintEviction, account: 'device-taint-eviction-controller' },
  namespace: { run: runNamespaceController, account: 'namespace-controller' },
  garbagecollector: { run: runGarbageCollector, account: 'generic-garbage-collector' },
  nodeipam: { run: runNodeIpamController, account: 'node-controller' },
  resourcequota: { run: runResourceQuotaController, account: 'resourcequota-controller' },
  clusterroleaggregation: { run: runClusterRoleAggregation, account: 'clusterrole-aggregation-controller' },
  'podgroup-protection': { run: runPodGroupProtection, account: 'podgroup-protection-controller' },
  deployment: { run: runDeploymentController, account: 'deployment-controller' },
  replicaset: { run: runReplicaSetController, account: 'replicaset-controller' },
  podgc: { run: runPodGarbageCollector, account: 'pod-garbage-collector' },
  'resource-pool-status': { run: runResourcePoolStatus, account: 'resourcepoolstatusrequest-controller' },
};

/** Runs all controllers until `options.signal` aborts; never rejects for one of them. A controller whose feature is off ends at once. */
export async function runControllers(options: ControllersOptions): Promise<void> {
  const { client, clock, random, logger, metrics, gates, rootCaPem, signal } = options;
  const informers = new SharedInformers({ client, clock, random, logger }, signal);
  const context: ControllerContext = { client, clock, random, logger, metrics, gates, rootCaPem, informers };
  const started = Object.entries(CONTROLLERS).map(async ([name, { run, account }]) => {
    const own = { ...context, client: options.clientOf?.(account) ?? client };
    await keepRunning(name, () => run(own, signal), options);
  });
  await Promise.all(started);
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
