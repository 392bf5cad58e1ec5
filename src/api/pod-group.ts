/** Claims that the pods of a group share (KEP 5729). */
import type { Pod, PodResourceClaim } from './types/core-v1.ts';
import type { PodGroup } from './types/scheduling-v1alpha2.ts';

/** The name of the group that the pod belongs to; empty for none. */
export function podGroupNameOf(pod: Pod): string {
  return pod.spec?.schedulingGroup?.podGroupName ?? '';
}

/** Whether the pod's entry is the group's: the same name, and the same claim or template. */
export function isGroupEntry(entry: PodResourceClaim, group: PodGroup | undefined): boolean {
  return (group?.spec.resourceClaims ?? []).some(
    (own) => own.name === entry.name && own.resourceClaimName === entry.resourceClaimName && own.resourceClaimTemplateName === entry.resourceClaimTemplateName,
  );
}
