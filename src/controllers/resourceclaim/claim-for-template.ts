/** Makes the claim that a pod's template entry asks for. */
import type { ResourceClaim, ResourceClaimTemplate } from '#api';
import { type ApiObject, nameOf, namespaceOf } from '#machinery';
import { POD_CLAIM_NAME } from './pod-state.ts';

/** Room for the base of a generated name: 63 less the 5 random characters and the dash (apiserver names: maxGeneratedNameLength). */
const GENERATE_NAME_MAX = 57;

/** The claim to create for `entry` of a pod, or of a group of pods. The owner's kind is a pod's unless it says otherwise. */
export function claimForTemplate(owner: ApiObject, entry: string, template: ResourceClaimTemplate): ResourceClaim {
  const { labels, annotations } = template.spec.metadata ?? {};
  return {
    metadata: {
      generateName: generateNameFor(nameOf(owner), entry),
      namespace: namespaceOf(owner),
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...annotations, [POD_CLAIM_NAME]: entry },
      ownerReferences: [
        { apiVersion: owner.apiVersion ?? 'v1', kind: owner.kind ?? 'Pod', name: nameOf(owner), uid: owner.metadata.uid ?? '', controller: true },
      ],
    },
    spec: template.spec.spec,
  };
}

/** Why the gates forbid the template, in upstream's words. */
export function templateObstacle(template: ResourceClaimTemplate, gates: ReadonlyMap<string, boolean>): string | undefined {
  const requests = template.spec.spec.devices?.requests ?? [];
  if (gates.get('DRAAdminAccess') === false && requests.some((request) => request.exactly?.adminAccess === true)) {
    return 'admin access is requested, but the feature is disabled';
  }
  if (gates.get('DRAPrioritizedList') === false && requests.some((request) => (request.firstAvailable ?? []).length > 0)) {
    return 'template includes a prioritized list of subrequests, but the feature is disabled';
  }
  return undefined;
}

/** `<pod>-<entry>-`; when too long, both parts are cut in proportion so that something of each stays (lengths in bytes: names are ASCII). */
export function generateNameFor(podName: string, entry: string): string {
  const full = `${podName}-${entry}-`;
  if (full.length <= GENERATE_NAME_MAX) return full;
  const total = podName.length + entry.length;
  const cut = (part: string): string => part.slice(0, Math.floor((part.length * GENERATE_NAME_MAX) / total));
  return `${cut(podName)}-${cut(entry)}`;
}
