/** The resource quota controller: counts what the namespaces of quotas hold, since admission only adds. */
import type { ResourceClaim, ResourceQuota } from '#api';
import { DEVICE_CLASSES, PODS, RESOURCE_CLAIMS, RESOURCE_QUOTAS } from '#client';
import { type ApiObject, keyOf, nameOf, stringifyJson } from '#machinery';
import { Controller, type ReconcileResult } from '#reconcile';
import { type ControllerContext, queueFor, synced } from '../controller-context.ts';
import { deletableResources } from '../discovery.ts';
import { type CountedObjects, countsResource, quotaStatus } from './quota-status.ts';

/** Upstream: --resource-quota-sync-period. */
const SYNC_PERIOD_MS = 5 * 60_000;
/** resource.ExtendedResourceClaimAnnotation. */
const EXTENDED_CLAIM_ANNOTATION = 'resource.kubernetes.io/extended-resource-claim';

/** Runs until `signal` aborts. */
export async function runResourceQuotaController(context: ControllerContext, signal: AbortSignal): Promise<void> {
  const { client, logger, informers } = context;
  const [quotas, pods, claims, classes] = [informers.of(RESOURCE_QUOTAS), informers.of(PODS), informers.of(RESOURCE_CLAIMS), informers.of(DEVICE_CLASSES)];
  const queue = queueFor(context, 'resource_quota');
  const changed = (quota: ResourceQuota): void => queue.add(keyOf(quota));
  quotas.addHandler({ added: changed, updated: (_old, quota) => changed(quota) });
  // What admission cannot see: objects that go, and pods that end.
  const recount = (object: ApiObject): void => {
    for (const quota of quotas.lister.list()) if (quota.metadata.namespace === object.metadata.namespace) changed(quota);
  };
  pods.addHandler({ deleted: recount, updated: (old, pod) => old.status?.phase !== pod.status?.phase && recount(pod) });
  claims.addHandler({ deleted: recount });
  await synced([quotas, pods, claims, classes], signal);
  const podOf = (claim: ResourceClaim): ReturnType<typeof pods.lister.get> => {
    const owner = claim.metadata.ownerReferences?.find(({ controller, kind }) => controller === true && kind === 'Pod');
    if (owner === undefined || claim.metadata.annotations?.[EXTENDED_CLAIM_ANNOTATION] !== 'true') return undefined;
    const pod = pods.lister.get(`${claim.metadata.namespace ?? ''}/${owner.name}`);
    return pod?.metadata.uid === owner.uid ? pod : undefined;
  };
  const world = {
    countsExtended: context.gates.get('DRAExtendedResource') === true,
    extendedResourceOf: (name: string): string | undefined => classes.lister.get(name)?.spec.extendedResourceName,
    podOf,
  };
  const counted = async (namespace: string, names: readonly string[]): Promise<readonly CountedObjects[]> => {
    const resources = (await deletableResources(client, signal)).filter(({ namespaced, group, plural }) => namespaced && countsResource(names, group, plural));
    return Promise.all(resources.map(async (resource) => ({ ...resource, objects: (await client.list(resource, { namespace })).items })));
  };
  const reconcile = async (key: string): Promise<ReconcileResult> => {
    const quota = quotas.lister.get(key);
    if (quota === undefined) return {};
    const { namespace = '' } = quota.metadata;
    const status = quotaStatus(quota, await counted(namespace, Object.keys(quota.spec?.hard ?? {})), world);
    if (stringifyJson(status) !== stringifyJson({ hard: quota.status?.hard ?? {}, used: quota.status?.used ?? {} })) {
      // Made from this revision: what admission charged meanwhile must not be lost.
      await client.updateStatus(RESOURCE_QUOTAS, { ...quota, status });
      logger.info('counted a quota', { namespace, quota: nameOf(quota) });
    }
    return { requeueAfterMs: SYNC_PERIOD_MS };
  };
  await new Controller({ name: 'resourcequota', reconcile, queue, logger, workers: 1 }).run(signal);
}
