/** Which claims a pod uses, and why they may not be usable. */
import { isGroupEntry, type Pod, type PodGroup, type PodResourceClaim, type ResourceClaim } from '#api';
import { type ApiObject, keyOf, nameOf, namespaceOf } from '#machinery';

/** The pod's claims, each once, in the order of its spec; or why they cannot be had, in upstream's words. */
export type ResolvedClaims = { readonly ok: true; readonly claims: readonly ResourceClaim[] } | { readonly ok: false; readonly reason: string };

/** The keys (namespace/name) of the claims that a pod names or that were made for it. */
export function claimKeysOf(pod: Pod): readonly string[] {
  const names = new Set<string>();
  for (const entry of pod.spec?.resourceClaims ?? []) {
    const name = entry.resourceClaimName ?? recordedName(pod, entry.name)?.resourceClaimName;
    if (name !== undefined) names.add(name);
  }
  return [...names].map((name) => `${namespaceOf(pod)}/${name}`);
}

/**
 * Resolves every entry of spec.resourceClaims. A claim named twice counts once: upstream would reserve it twice and never
 * bind the pod. `group` is the pod's, as far as groups have claims: what was made for it is the pod's to use.
 */
export function resolveClaims(pod: Pod, claimOf: (key: string) => ResourceClaim | undefined, group?: PodGroup): ResolvedClaims {
  const claims = new Map<string, ResourceClaim>();
  for (const entry of pod.spec?.resourceClaims ?? []) {
    const fromTemplate = entry.resourceClaimName === undefined;
    if (fromTemplate && entry.resourceClaimTemplateName === undefined) {
      return refused(`pod "${keyOf(pod)}", spec.resourceClaim "${entry.name}": none of the supported fields are set`);
    }
    const recorded = fromTemplate ? recordedName(pod, entry.name) : undefined;
    if (fromTemplate && recorded === undefined) return refused(`pod "${keyOf(pod)}": ResourceClaim not created yet`);
    const name = entry.resourceClaimName ?? recorded?.resourceClaimName;
    // An entry recorded without a name: deliberately no claim.
    if (name === undefined) continue;
    const claim = claimOf(`${namespaceOf(pod)}/${name}`);
    if (claim === undefined) return refused(`resourceclaim.resource.k8s.io "${name}" not found`);
    if (claim.metadata.deletionTimestamp !== undefined) return refused(`resourceclaim "${name}" is being deleted`);
    const owners = isGroupEntry(entry, group) && group !== undefined ? [pod, group] : [pod];
    if (fromTemplate && !owners.some((owner) => isControlledBy(claim, owner))) return refused(notOwner(pod, claim, group));
    claims.set(name, claim);
  }
  return { ok: true, claims: [...claims.values()] };
}

function notOwner(pod: Pod, claim: ResourceClaim, group: PodGroup | undefined): string {
  const why = group === undefined ? 'Pod is not owner' : `neither Pod nor PodGroup ${nameOf(group)} is the owner`;
  return `ResourceClaim ${keyOf(claim)} was not created for Pod ${keyOf(pod)} (${why})`;
}

/** Whether the object is the controlling owner of the claim. */
function isControlledBy(claim: ResourceClaim, object: ApiObject): boolean {
  return (claim.metadata.ownerReferences ?? []).some((owner) => owner.controller === true && owner.uid === object.metadata.uid);
}

/** An entry of reservedFor. */
export type Consumer = NonNullable<NonNullable<ResourceClaim['status']>['reservedFor']>[number];

/** For whom the pod reserves the claim: its group if the entry is the group's, else itself. */
export function consumerOf(pod: Pod, claim: ResourceClaim, group: PodGroup | undefined): Consumer {
  const isFor = (entry: PodResourceClaim): boolean => (entry.resourceClaimName ?? recordedName(pod, entry.name)?.resourceClaimName) === nameOf(claim);
  const shared = (pod.spec?.resourceClaims ?? []).some((entry) => isFor(entry) && isGroupEntry(entry, group));
  if (shared && group !== undefined) return { apiGroup: 'scheduling.k8s.io', resource: 'podgroups', name: nameOf(group), uid: group.metadata.uid ?? '' };
  return { resource: 'pods', name: nameOf(pod), uid: pod.metadata.uid ?? '' };
}

/** Whether the claim is reserved for the pod or group with this uid. */
export function isReservedFor(claim: ResourceClaim, uid: string): boolean {
  return (claim.status?.reservedFor ?? []).some((consumer) => consumer.uid === uid);
}

/** Whether nobody but the pod has reserved the claim. */
export function isReservedForNoOther(claim: ResourceClaim, pod: Pod): boolean {
  return (claim.status?.reservedFor ?? []).every((consumer) => consumer.uid === pod.metadata.uid);
}

/** The first class that a claim asks for and that does not exist, in upstream's words. */
export function missingClass(claim: ResourceClaim, exists: (className: string) => boolean): string | undefined {
  for (const request of claim.spec.devices?.requests ?? []) {
    if (request.exactly !== undefined && !exists(request.exactly.deviceClassName)) {
      return `request ${request.name}: device class ${request.exactly.deviceClassName} does not exist`;
    }
    for (const alternative of request.firstAvailable ?? []) {
      if (!exists(alternative.deviceClassName))
        return `request ${request.name}/${alternative.name}: device class ${alternative.deviceClassName} does not exist`;
    }
  }
  return undefined;
}

function recordedName(pod: Pod, entry: string): { readonly resourceClaimName?: string | undefined } | undefined {
  return pod.status?.resourceClaimStatuses?.find((status) => status.name === entry);
}

function refused(reason: string): ResolvedClaims {
  return { ok: false, reason };
}
