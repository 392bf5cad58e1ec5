/** One group of pods: makes the claims that its templates ask for, and records them in its status (KEP 5729). */
import type { PodGroup, ResourceClaim } from '#api';
import type { Lister, Resource } from '#client';
import { apiVersionOf, nameOf, namespaceOf } from '#machinery';
import { type ClaimMakerParts, findOrCreateClaim } from './claim-maker.ts';
import { controllerUid } from './pod-state.ts';

/** What the sync of a group reads and writes with. */
export interface GroupSyncParts extends ClaimMakerParts {
  readonly resource: Resource<PodGroup>;
  readonly groups: Lister<PodGroup>;
  readonly claims: Lister<ResourceClaim>;
  readonly fieldManager: string;
}

/** Brings the claims of the group of `key` to what its spec asks for. Rejects to be called again. */
export async function syncGroup(key: string, parts: GroupSyncParts): Promise<void> {
  const group = parts.groups.get(key);
  if (group === undefined || group.metadata.deletionTimestamp !== undefined) return;
  const recorded: { readonly name: string; readonly resourceClaimName: string }[] = [];
  let changed = false;
  for (const { name, resourceClaimTemplateName } of group.spec.resourceClaims ?? []) {
    if (resourceClaimTemplateName === undefined) continue;
    const known = groupClaim(group, name, parts.claims);
    const claim = known ?? (await findOrCreateClaim(group, { entry: name, template: resourceClaimTemplateName }, parts));
    recorded.push({ name, resourceClaimName: nameOf(claim) });
    changed ||= known === undefined;
  }
  if (!changed) return;
  const body = {
    apiVersion: apiVersionOf(parts.resource),
    kind: parts.resource.kind,
    metadata: { name: nameOf(group), namespace: namespaceOf(group) },
    status: { resourceClaimStatuses: recorded.map((status) => ({ ...status })) },
  };
  const { fieldManager } = parts;
  await parts.client.patch(parts.resource, nameOf(group), {
    namespace: namespaceOf(group),
    type: 'apply',
    subresource: 'status',
    fieldManager,
    force: true,
    body,
  });
}

/** The claim that the group's status records for an entry, if it is there and the group's. */
export function groupClaim(group: PodGroup, entry: string, claims: Lister<ResourceClaim>): ResourceClaim | undefined {
  const recorded = group.status?.resourceClaimStatuses?.find(({ name }) => name === entry)?.resourceClaimName;
  const claim = recorded === undefined ? undefined : claims.get(`${namespaceOf(group)}/${recorded}`);
  return claim !== undefined && controllerUid(claim) === group.metadata.uid ? claim : undefined;
}
