/** How important a pod is. */
import type { Pod } from '#api';

/** The importance of a pod (core/v1: spec.priority; 0 without). */
export function priorityOf(pod: Pod): number {
  return pod.spec?.priority ?? 0;
}
