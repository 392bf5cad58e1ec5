/** The resource pool status controller: answers each ResourcePoolStatusRequest once. */
import type { ResourcePoolStatusRequest } from '#api';
import { RESOURCE_CLAIMS, RESOURCE_SLICES, servedIn } from '#client';
import { keyOf } from '#machinery';
import { Controller } from '#reconcile';
import { type ControllerContext, queueFor, synced } from '../controller-context.ts';
import { poolStatuses } from './pool-status.ts';

const REQUESTS = { group: 'resource.k8s.io', plural: 'resourcepoolstatusrequests', kind: 'ResourcePoolStatusRequest', namespaced: false };

/** Runs until `signal` aborts; at once ends when nobody can ask. */
export async function runResourcePoolStatus(context: ControllerContext, signal: AbortSignal): Promise<void> {
  const { client, clock, logger, gates, informers } = context;
  if (gates.get('DRAResourcePoolStatus') !== true) return;
  const resource = await servedIn<ResourcePoolStatusRequest>(client, REQUESTS, ['v1alpha3'], signal);
  if (resource === undefined) return;
  const requests = informers.of(resource);
  const slices = informers.of(RESOURCE_SLICES);
  const claims = informers.of(RESOURCE_CLAIMS);
  const queue = queueFor(context, 'resource_pool_status_request');
  await synced([requests, slices, claims], signal);
  requests.addHandler({ added: (request) => queue.add(keyOf(request)), updated: (_old, request) => queue.add(keyOf(request)) });
  const reconcile = async (name: string): Promise<void> => {
    const request = requests.lister.get(name);
    // Written once: the server refuses every later change.
    if (request === undefined || request.status !== undefined) return;
    const { poolCount, pools } = poolStatuses(request, slices.lister.list(), claims.lister.list());
    const lastTransitionTime = `${new Date(clock.nowMs()).toISOString().slice(0, 19)}Z`;
    const message = `Calculated status for ${String(poolCount)} pools`;
    const conditions = [{ type: 'Complete', status: 'True' as const, reason: 'CalculationComplete', message, lastTransitionTime }];
    await client.updateStatus(resource, { ...request, status: { poolCount, conditions, ...(pools.length === 0 ? {} : { pools }) } });
  };
  await new Controller({ name: 'resource_pool_status_request', reconcile, queue, logger }).run(signal);
}
