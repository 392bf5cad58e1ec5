/** One pod: makes the claims its templates ask for, records them, and reserves what is allocated for a pod that has its node already. */
import { isGroupEntry, type Pod, type PodGroup, podGroupNameOf, type ResourceClaim } from '#api';
import { type Lister, PODS, RESOURCE_CLAIMS } from '#client';
import { asError } from '#base';
import { keyOf, nameOf, namespaceOf } from '#machinery';
import { type ClaimMakerParts, findOrCreateClaim } from './claim-maker.ts';
import { groupClaim } from './group-sync.ts';
import { claimKeysOf, controllerUid, isDone, isReservedFor, recordedClaim } from './pod-state.ts';

/** What the sync of a pod reads and writes with. */
export interface PodSyncParts extends ClaimMakerParts {
  readonly pods: Lister<Pod>;
  readonly claims: Lister<ResourceClaim>;
  /** Absent while groups have no claims. */
  readonly groups: Lister<PodGroup> | undefined;
}

/** The field manager of the pod status that the controller applies. */
export const FIELD_MANAGER = 'ResourceClaimController';

/** Brings the claims of the pod of `key` to what its spec asks for. Rejects to be called again. */
export async function syncPod(key: string, parts: PodSyncParts): Promise<void> {
  const pod = parts.pods.get(key);
  // A finished pod gets nothing new: its claims are going, and making them anew would never end.
  if (pod === undefined || pod.metadata.deletionTimestamp !== undefined || isDone(pod)) return;
  const recorded = await ensureClaims(pod, parts);
  if (recorded.length > 0) await recordClaims(pod, recorded, parts);
  if ((pod.spec?.nodeName ?? '') !== '') await reserveAllocated(pod, parts);
}

interface RecordedClaim {
  readonly name: string;
  readonly resourceClaimName: string;
}

/** Makes sure that every template entry has its claim; returns all of them if any has to be recorded anew, else nothing. */
async function ensureClaims(pod: Pod, parts: PodSyncParts): Promise<readonly RecordedClaim[]> {
  const names: RecordedClaim[] = [];
  let changed = false;
  for (const entry of pod.spec?.resourceClaims ?? []) {
    if (entry.resourceClaimTemplateName === undefined) continue;
    const recorded = recordedClaim(pod, entry.name);
    if (recorded === '') continue;
    const group = parts.groups?.get(`${namespaceOf(pod)}/${podGroupNameOf(pod)}`);
    if (group !== undefined && isGroupEntry(entry, group)) {
      const shared = groupClaim(group, entry.name, parts.claims);
      // Until the group has its claim there is nothing to record; the group's change wakes the pod.
      if (shared === undefined) continue;
      names.push({ name: entry.name, resourceClaimName: nameOf(shared) });
      changed ||= nameOf(shared) !== recorded;
      continue;
    }
    const known = recorded === undefined ? undefined : parts.claims.get(`${namespaceOf(pod)}/${recorded}`);
    if (recorded !== undefined && known !== undefined && controllerUid(known) === pod.metadata.uid) {
      names.push({ name: entry.name, resourceClaimName: recorded });
      continue;
    }
    const claim = await findOrCreateClaim(pod, { entry: entry.name, template: entry.resourceClaimTemplateName }, parts);
    names.push({ name: entry.name, resourceClaimName: nameOf(claim) });
    changed ||= nameOf(claim) !== recorded;
  }
  return changed ? names : [];
}

async function recordClaims(pod: Pod, resourceClaimStatuses: readonly RecordedClaim[], parts: PodSyncParts): Promise<void> {
  const body = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: nameOf(pod), namespace: namespaceOf(pod) },
    status: { resourceClaimStatuses: resourceClaimStatuses.map((status) => ({ ...status })) },
  };
  const options = { namespace: namespaceOf(pod), type: 'apply', subresource: 'status', fieldManager: FIELD_MANAGER, force: true, body } as const;
  await parts.client.patch(PODS, nameOf(pod), options);
}

/** A pod that did not come through the scheduler can use claims that are allocated already; nobody else would reserve them. */
async function reserveAllocated(pod: Pod, parts: PodSyncParts): Promise<void> {
  for (const key of claimKeysOf(pod)) {
    const claim = parts.claims.get(key);
    if (claim?.status?.allocation === undefined || claim.metadata.deletionTimestamp !== undefined || isReservedFor(claim, pod)) continue;
    const isGenerated = !(pod.spec?.resourceClaims ?? []).some((entry) => entry.resourceClaimName === nameOf(claim));
    if (isGenerated && controllerUid(claim) !== pod.metadata.uid) continue;
    const reservedFor = [...(claim.status.reservedFor ?? []), { resource: 'pods', name: nameOf(pod), uid: pod.metadata.uid ?? '' }];
    try {
      await parts.client.updateStatus(RESOURCE_CLAIMS, { ...claim, status: { ...claim.status, reservedFor } });
    } catch (error) {
      throw new Error(`reserve claim ${keyOf(claim)} for pod: ${asError(error).message}`, { cause: error });
    }
  }
}
