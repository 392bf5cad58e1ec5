/** One claim: takes back reservations of pods that are gone or done, the allocation that nobody uses, and the claim of a pod that is done. */
import type { Pod, PodGroup, ResourceClaim } from '#api';
import { type Lister, PODS, RESOURCE_CLAIMS, type Resource, type RestClient } from '#client';
import { type ApiObject, isNotFound, nameOf, namespaceOf } from '#machinery';
import { CLAIM_FINALIZER, controllingPod, isDone } from './pod-state.ts';

/** What the sync of a claim reads and writes with. `isDeleted`: a pod of this uid was seen to go. */
export interface ClaimSyncParts {
  readonly client: RestClient;
  readonly pods: Lister<Pod>;
  readonly claims: Lister<ResourceClaim>;
  readonly isDeleted: (podUid: string) => boolean;
  /** Absent while groups have no claims: reservations for groups are then left to those who know them. */
  readonly groups?: { readonly lister: Lister<PodGroup>; readonly resource: Resource<PodGroup> } | undefined;
}

type Consumer = NonNullable<NonNullable<ResourceClaim['status']>['reservedFor']>[number];

/** Brings the claim of `key` to what its users need. Rejects to be called again. */
export async function syncClaim(key: string, parts: ClaimSyncParts): Promise<void> {
  const claim = parts.claims.get(key);
  if (claim === undefined) return;
  const kept = await activeConsumers(claim, parts);
  let current = claim;
  if (kept.length < (claim.status?.reservedFor ?? []).length) current = await releaseConsumers(claim, kept, parts);
  else if (claim.metadata.deletionTimestamp !== undefined && kept.length === 0) current = await releaseDeleted(claim, parts);
  if (kept.length === 0 && current.metadata.deletionTimestamp === undefined && isOrphanedByItsPod(current, parts)) {
    await remove(current, parts);
  }
}

/** The entries of reservedFor whose pods still need the claim. */
async function activeConsumers(claim: ResourceClaim, parts: ClaimSyncParts): Promise<readonly Consumer[]> {
  const kept: Consumer[] = [];
  for (const consumer of claim.status?.reservedFor ?? []) {
    const { apiGroup = '', resource } = consumer;
    if (apiGroup === '' && resource === 'pods') {
      if (await needsClaim(claim, consumer, parts)) kept.push(consumer);
    } else if (apiGroup !== 'scheduling.k8s.io' || resource !== 'podgroups' || (await isGroupThere(claim, consumer, parts))) kept.push(consumer);
  }
  return kept;
}

async function needsClaim(claim: ResourceClaim, consumer: Consumer, parts: ClaimSyncParts): Promise<boolean> {
  if (parts.isDeleted(consumer.uid)) return false;
  const known = parts.pods.get(`${namespaceOf(claim)}/${consumer.name}`);
  // A pod of another uid may be the former one, of which the informer has not yet heard that it was replaced.
  const pod = known?.metadata.uid === consumer.uid ? known : await live(parts.client, PODS, consumer.name, namespaceOf(claim));
  return pod !== undefined && pod.metadata.uid === consumer.uid && !isDone(pod);
}

/** A group keeps its claims until it is deleted, whatever becomes of its pods. */
async function isGroupThere(claim: ResourceClaim, consumer: Consumer, { client, groups }: ClaimSyncParts): Promise<boolean> {
  if (groups === undefined) return true;
  if (groups.lister.get(`${namespaceOf(claim)}/${consumer.name}`)?.metadata.uid === consumer.uid) return true;
  return (await live(client, groups.resource, consumer.name, namespaceOf(claim)))?.metadata.uid === consumer.uid;
}

/** The informer may be behind the scheduler: only the server knows that an object is not there. */
async function live<T extends ApiObject>(client: RestClient, resource: Resource<T>, name: string, namespace: string): Promise<T | undefined> {
  try {
    return await client.get(resource, name, namespace);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** A full update, so that a reservation made meanwhile is not lost: it makes this one conflict. */
async function releaseConsumers(claim: ResourceClaim, kept: readonly Consumer[], parts: ClaimSyncParts): Promise<ResourceClaim> {
  const { allocation, ...rest } = claim.status ?? {};
  const frees = kept.length === 0 && hasFinalizer(claim);
  const status = frees || allocation === undefined ? { ...rest, reservedFor: kept } : { ...rest, allocation, reservedFor: kept };
  const updated = await parts.client.updateStatus(RESOURCE_CLAIMS, { ...claim, status });
  return withoutFinalizer(updated, parts);
}

/** A claim to be deleted that nobody uses: its devices are free and it may go. */
async function releaseDeleted(claim: ResourceClaim, parts: ClaimSyncParts): Promise<ResourceClaim> {
  if (!hasFinalizer(claim)) return claim;
  const { allocation, ...status } = claim.status ?? {};
  const freed = allocation === undefined ? claim : await parts.client.updateStatus(RESOURCE_CLAIMS, { ...claim, status });
  return withoutFinalizer(freed, parts);
}

async function withoutFinalizer(claim: ResourceClaim, parts: ClaimSyncParts): Promise<ResourceClaim> {
  if (claim.status?.allocation !== undefined || !hasFinalizer(claim)) return claim;
  const finalizers = (claim.metadata.finalizers ?? []).filter((finalizer) => finalizer !== CLAIM_FINALIZER);
  return parts.client.update(RESOURCE_CLAIMS, { ...claim, metadata: { ...claim.metadata, finalizers } });
}

/** Made for a pod that was replaced or is done. A pod that is not known is left to the garbage collector. */
function isOrphanedByItsPod(claim: ResourceClaim, parts: ClaimSyncParts): boolean {
  const owner = controllingPod(claim);
  const pod = owner === undefined ? undefined : parts.pods.get(owner.key);
  return owner !== undefined && pod !== undefined && (pod.metadata.uid !== owner.uid || isDone(pod));
}

async function remove(claim: ResourceClaim, parts: ClaimSyncParts): Promise<void> {
  try {
    await parts.client.delete(RESOURCE_CLAIMS, nameOf(claim), { namespace: namespaceOf(claim), uid: claim.metadata.uid });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function hasFinalizer(claim: ResourceClaim): boolean {
  return (claim.metadata.finalizers ?? []).includes(CLAIM_FINALIZER);
}
