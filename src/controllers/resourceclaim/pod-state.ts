/** What a pod's state means for its claims. */
import type { Pod, ResourceClaim } from '#api';
import { namespaceOf } from '#machinery';

/** The annotation that ties a generated claim to the pod's entry (resource/v1: PodResourceClaimAnnotation). */
export const POD_CLAIM_NAME = 'resource.kubernetes.io/pod-claim-name';

/** Keeps an allocated claim from vanishing (resource/v1: Finalizer). */
export const CLAIM_FINALIZER = 'resource.kubernetes.io/delete-protection';

/** The pod will never run (again) and so needs no claims: finished, or deleted before it got a node. */
export function isDone(pod: Pod): boolean {
  const { phase } = pod.status ?? {};
  return phase === 'Succeeded' || phase === 'Failed' || (pod.metadata.deletionTimestamp !== undefined && (pod.spec?.nodeName ?? '') === '');
}

/** The pod has to do with claims. */
export function usesClaims(pod: Pod): boolean {
  return (pod.spec?.resourceClaims ?? []).length > 0 || pod.status?.extendedResourceClaimStatus !== undefined;
}

/** The keys of all claims that the pod names or that its status records. */
export function claimKeysOf(pod: Pod): readonly string[] {
  const names = new Set<string>();
  for (const entry of pod.spec?.resourceClaims ?? []) if (entry.resourceClaimName !== undefined) names.add(entry.resourceClaimName);
  for (const status of pod.status?.resourceClaimStatuses ?? []) if (status.resourceClaimName !== undefined) names.add(status.resourceClaimName);
  const extended = pod.status?.extendedResourceClaimStatus?.resourceClaimName;
  if (extended !== undefined) names.add(extended);
  return [...names].map((name) => `${namespaceOf(pod)}/${name}`);
}

/** The uid of the pod or the group of pods that controls the claim, if one does. */
export function controllerUid(claim: ResourceClaim): string | undefined {
  return controllingPod(claim)?.uid ?? controllingGroup(claim)?.uid;
}

/** The group of pods that controls the claim: its key and uid. */
export function controllingGroup(claim: ResourceClaim): { readonly key: string; readonly uid: string } | undefined {
  const owner = claim.metadata.ownerReferences?.find((reference) => reference.controller === true && reference.kind === 'PodGroup');
  return owner === undefined ? undefined : { key: `${namespaceOf(claim)}/${owner.name}`, uid: owner.uid };
}

/** The pod that controls the claim: its key and uid. */
export function controllingPod(claim: ResourceClaim): { readonly key: string; readonly uid: string } | undefined {
  const owner = claim.metadata.ownerReferences?.find((reference) => reference.controller === true && reference.kind === 'Pod' && reference.apiVersion === 'v1');
  return owner === undefined ? undefined : { key: `${namespaceOf(claim)}/${owner.name}`, uid: owner.uid };
}

/** Whether the claim is reserved for the pod. */
export function isReservedFor(claim: ResourceClaim, pod: Pod): boolean {
  return (claim.status?.reservedFor ?? []).some((consumer) => consumer.uid === pod.metadata.uid);
}

/** The name that the pod's status records for an entry: undefined if nothing is recorded, "" if deliberately none. */
export function recordedClaim(pod: Pod, entry: string): string | undefined {
  const status = pod.status?.resourceClaimStatuses?.find((candidate) => candidate.name === entry);
  return status === undefined ? undefined : (status.resourceClaimName ?? '');
}
