/** What closed feature gates drop from pods (upstream: dropDisabledDynamicResourceAllocationFields of pkg/api/pod). */
import type { StrategyContext } from '../kind.ts';
import type { Container, Pod, PodSpec } from '../types/core-v1.ts';

/** The pod without claims where DRA is off, unless the stored pod has some already. */
export function dropPodClaims(pod: Pod, old: Pod | undefined, { gates }: Pick<StrategyContext, 'gates'>): Pod {
  if (pod.spec === undefined || gates.get('DynamicResourceAllocation') === true || (old?.spec?.resourceClaims ?? []).length > 0) return pod;
  return { ...pod, spec: withoutClaims(pod.spec) };
}

function withoutClaims(spec: PodSpec): PodSpec {
  return { ...spec, resourceClaims: undefined, containers: spec.containers.map(unclaiming), initContainers: spec.initContainers?.map(unclaiming) };
}

function unclaiming(container: Container): Container {
  if (container.resources?.claims === undefined) return container;
  return { ...container, resources: { ...container.resources, claims: undefined } };
}
