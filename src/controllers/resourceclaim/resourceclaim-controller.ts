/** The resource claim controller: turns events into keys, and keys into the syncs of pods and claims. */
import { type Pod, type PodGroup, podGroupNameOf, type ResourceClaim, type ResourceClaimTemplate } from '#api';
import { EventRecorder, type Informer, podGroups, PODS, RESOURCE_CLAIM_TEMPLATES, RESOURCE_CLAIMS } from '#client';
import { keyOf, namespaceOf } from '#machinery';
import { Controller, type WorkQueue } from '#reconcile';
import { type ControllerContext, queueFor, synced } from '../controller-context.ts';
import { claimMetrics } from './claim-metrics.ts';
import { syncClaim } from './claim-sync.ts';
import { BY_CONTROLLER, OwnClaims } from './own-claims.ts';
import { claimKeysOf, controllingGroup, controllingPod, controllerUid, isDone, usesClaims } from './pod-state.ts';
import { FIELD_MANAGER, syncPod } from './pod-sync.ts';
import { syncGroup } from './group-sync.ts';

/** Deleted pods remembered, so that the claims they used need no read of the API (upstream: maxUIDCacheEntries). */
const DELETED_UIDS_MAX = 500;

const BY_CLAIM = 'claim';
const BY_TEMPLATE = 'template';
const BY_GROUP = 'group';
const BY_CONSUMER = 'consumer';
const BY_CONTROLLING_POD_KEY = 'controlling-pod-key';

/** Runs until `signal` aborts; ends at once while DRA is off. */
export async function runResourceClaimController(context: ControllerContext, signal: AbortSignal): Promise<void> {
  const { client, clock, random, logger, gates, informers } = context;
  if (gates.get('DynamicResourceAllocation') !== true) return;
  const pods = informers.of(PODS);
  const claims = informers.of(RESOURCE_CLAIMS);
  const templates = informers.of(RESOURCE_CLAIM_TEMPLATES);
  const groupResource = gates.get('DRAWorkloadResourceClaims') === true ? await podGroups(client, signal) : undefined;
  const groups = groupResource === undefined ? undefined : informers.of(groupResource);
  const queue = queueFor(context, 'resource_claim');
  const own = new OwnClaims(claims.lister);
  const deleted = new DeletedPods();
  addIndexes(pods, claims);
  await synced([pods, claims, templates, ...(groups === undefined ? [] : [groups])], signal);
  watchClaims(queue, { pods, claims, own });
  watchPods(queue, { pods, claims, deleted });
  templates.addHandler({ added: (template) => queuePodsWaitingFor(template, queue, { pods, groups }) });
  if (groups !== undefined) watchGroups(queue, { groups, pods, claims });
  const events = new EventRecorder({ client, clock, random, logger, component: 'resource_claim' });
  const podParts = {
    client,
    events,
    gates,
    pods: pods.lister,
    claims: claims.lister,
    templates: templates.lister,
    own,
    metrics: claimMetrics(context.metrics, claims.lister),
    groups: groups?.lister,
  };
  const claimParts = {
    client,
    pods: pods.lister,
    claims: claims.lister,
    groups: groups === undefined || groupResource === undefined ? undefined : { lister: groups.lister, resource: groupResource },
    isDeleted: (uid: string) => deleted.has(uid),
  };
  const groupParts =
    groupResource === undefined || groups === undefined
      ? undefined
      : { ...podParts, resource: groupResource, groups: groups.lister, fieldManager: FIELD_MANAGER };
  const reconcile = async (key: string): Promise<void> => {
    const [sort = '', object = ''] = key.split(/:(.*)/s);
    if (sort === 'pod') await syncPod(object, podParts);
    else if (sort === 'claim') await syncClaim(object, claimParts);
    else if (groupParts !== undefined) await syncGroup(object, groupParts);
  };
  await new Controller({ name: 'resource_claim', reconcile, queue, logger }).run(signal);
  await events.flush();
}

function addIndexes(pods: Informer<Pod>, claims: Informer<ResourceClaim>): void {
  pods.addIndex(BY_CLAIM, claimKeysOf);
  pods.addIndex(BY_GROUP, (pod) => (podGroupNameOf(pod) === '' ? [] : [`${namespaceOf(pod)}/${podGroupNameOf(pod)}`]));
  pods.addIndex(BY_TEMPLATE, (pod) =>
    (pod.spec?.resourceClaims ?? []).flatMap((entry) =>
      entry.resourceClaimTemplateName === undefined ? [] : [`${namespaceOf(pod)}/${entry.resourceClaimTemplateName}`],
    ),
  );
  claims.addIndex(BY_CONTROLLER, (claim) => listOf(controllerUid(claim)));
  claims.addIndex(BY_CONTROLLING_POD_KEY, (claim) => listOf(controllingPod(claim)?.key));
  claims.addIndex(BY_CONSUMER, (claim) => (claim.status?.reservedFor ?? []).map((consumer) => consumer.uid));
}

function listOf(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}

function watchClaims(queue: WorkQueue, parts: { pods: Informer<Pod>; claims: Informer<ResourceClaim>; own: OwnClaims }): void {
  const changed = (claim: ResourceClaim): void => {
    parts.own.delivered(claim);
    queue.add(`claim:${keyOf(claim)}`);
    for (const pod of parts.pods.lister.byIndex(BY_CLAIM, keyOf(claim))) if (!isDone(pod)) queue.add(`pod:${keyOf(pod)}`);
    const owner = controllingPod(claim);
    if (owner !== undefined) queue.add(`pod:${owner.key}`);
    const group = controllingGroup(claim);
    if (group !== undefined) queue.add(`group:${group.key}`);
  };
  parts.claims.addHandler({ added: changed, updated: (_old, claim) => changed(claim), deleted: changed });
}

function watchPods(queue: WorkQueue, parts: { pods: Informer<Pod>; claims: Informer<ResourceClaim>; deleted: DeletedPods }): void {
  const queueClaims = (pod: Pod): void => {
    const uid = pod.metadata.uid ?? '';
    const { lister } = parts.claims;
    const keys = [...claimKeysOf(pod), ...lister.byIndex(BY_CONSUMER, uid).map(keyOf), ...lister.byIndex(BY_CONTROLLER, uid).map(keyOf)];
    for (const key of keys) queue.add(`claim:${key}`);
  };
  const changed = (pod: Pod): void => {
    if (!usesClaims(pod)) return;
    if (isDone(pod)) queueClaims(pod);
    else queue.add(`pod:${keyOf(pod)}`);
  };
  parts.pods.addHandler({
    added: (pod) => {
      changed(pod);
      // Claims made for a former pod of this name are known to be orphans now.
      for (const claim of parts.claims.lister.byIndex(BY_CONTROLLING_POD_KEY, keyOf(pod))) queue.add(`claim:${keyOf(claim)}`);
    },
    updated: (_old, pod) => changed(pod),
    deleted: (pod) => {
      parts.deleted.add(pod.metadata.uid ?? '');
      if (usesClaims(pod)) queueClaims(pod);
    },
  });
}

function watchGroups(queue: WorkQueue, parts: { groups: Informer<PodGroup>; pods: Informer<Pod>; claims: Informer<ResourceClaim> }): void {
  const changed = (group: PodGroup): void => {
    queue.add(`group:${keyOf(group)}`);
    for (const pod of parts.pods.lister.byIndex(BY_GROUP, keyOf(group))) queue.add(`pod:${keyOf(pod)}`);
  };
  const deleted = ({ metadata }: PodGroup): void => {
    for (const claim of parts.claims.lister.byIndex(BY_CONSUMER, metadata.uid ?? '')) queue.add(`claim:${keyOf(claim)}`);
  };
  parts.groups.addHandler({ added: changed, updated: (_old, group) => changed(group), deleted });
}

function queuePodsWaitingFor(template: ResourceClaimTemplate, queue: WorkQueue, parts: { pods: Informer<Pod>; groups: Informer<PodGroup> | undefined }): void {
  for (const pod of parts.pods.lister.byIndex(BY_TEMPLATE, keyOf(template))) queue.add(`pod:${keyOf(pod)}`);
  for (const group of parts.groups?.lister.list() ?? []) {
    const waits = (group.spec.resourceClaims ?? []).some((entry) => entry.resourceClaimTemplateName === template.metadata.name);
    if (waits && namespaceOf(group) === namespaceOf(template)) queue.add(`group:${keyOf(group)}`);
  }
}

/** The uids of the pods deleted last. */
class DeletedPods {
  readonly #uids = new Set<string>();

  has(uid: string): boolean {
    return this.#uids.has(uid);
  }

  add(uid: string): void {
    this.#uids.add(uid);
    if (this.#uids.size <= DELETED_UIDS_MAX) return;
    for (const oldest of this.#uids) {
      this.#uids.delete(oldest);
      return;
    }
  }
}
