/** What examples declare to become, and whether they have: pure, over pods as informers show them. */
import type { Pod } from '#api';
import { keyOf } from '#machinery';
import type { Manifest } from './manifests.ts';

/** Annotation by which a pod of an example declares its end state. */
export const EXPECT_ANNOTATION = 'dray.dev/expect';

/** Running: with all containers ready. Pending: refused by the scheduler, which says why. */
export type ExpectedState = 'Running' | 'Pending';

/** A pod (namespace/name) and what it is to become. */
export interface Expectation {
  readonly pod: string;
  readonly state: ExpectedState;
}

/** The expectations in manifests; pods without the annotation are to run. Throws on an unknown state. */
export function expectationsOf(manifests: readonly Manifest[]): readonly Expectation[] {
  return manifests
    .filter((manifest) => manifest.kind === 'Pod')
    .map((manifest) => {
      const pod = keyOf({ metadata: { namespace: 'default', ...manifest.metadata } });
      const state = manifest.metadata.annotations?.[EXPECT_ANNOTATION] ?? 'Running';
      if (state !== 'Running' && state !== 'Pending') throw new Error(`pod ${pod}: annotation ${EXPECT_ANNOTATION} is "${state}", not Running or Pending`);
      return { pod, state };
    });
}

/** Whether `pod` is in the expected state. */
export function isReached(state: ExpectedState, pod: Pod | undefined): boolean {
  if (pod === undefined) return false;
  if (state === 'Pending') return refusalOf(pod) !== undefined;
  if (pod.status?.phase === 'Succeeded') return true;
  const containers = pod.status?.containerStatuses ?? [];
  return pod.status?.phase === 'Running' && containers.length > 0 && containers.every((container) => container.ready === true);
}

/** The scheduler's reason for leaving the pod pending, if it gave one. */
export function refusalOf(pod: Pod): string | undefined {
  const scheduled = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled');
  return scheduled?.status === 'False' && scheduled.reason === 'Unschedulable' ? (scheduled.message ?? '') : undefined;
}
