/** What a write of pods/status may change, and which of its fields gates close (upstream: podStatusStrategy, dropDisabledPodStatusFields). */
import type { ApiObject } from '#machinery';
import type { StrategyContext } from '../kind.ts';
import type { ContainerStatus, Pod, PodStatus, ResourceStatus } from '../types/core-v1.ts';
import { dropGated, without } from './drop-claim.ts';

/** The pod with the old spec and owners; metadata may be changed, the quality of service may not be lost. */
export function updatedPodStatus(pod: Pod, old: Pod, gates: StrategyContext['gates']): ApiObject {
  const { ownerReferences } = old.metadata;
  const status: PodStatus = { ...pod.status, qosClass: pod.status?.qosClass ?? old.status?.qosClass };
  const updated: Pod = {
    ...pod,
    metadata: { ...pod.metadata, ownerReferences },
    spec: old.spec,
    status: dropGated(status, old.status, gates, RULES),
  };
  return updated;
}

const STATUS_LISTS = ['initContainerStatuses', 'containerStatuses', 'ephemeralContainerStatuses'] as const;

function anyContainer(status: PodStatus, test: (container: ContainerStatus) => boolean): boolean {
  return STATUS_LISTS.some((list) => status[list]?.some(test) ?? false);
}

function mapContainers(status: PodStatus, map: (container: ContainerStatus) => ContainerStatus): PodStatus {
  const present = STATUS_LISTS.filter((list) => status[list] !== undefined);
  return { ...status, ...Object.fromEntries(present.map((list) => [list, status[list]?.map(map)])) };
}

function withoutMessages(container: ContainerStatus): ContainerStatus {
  const { allocatedResourcesStatus } = container;
  if (allocatedResourcesStatus === undefined) return container;
  const quiet = (resource: ResourceStatus): ResourceStatus =>
    resource.resources === undefined ? resource : { ...resource, resources: resource.resources.map((health) => without(health, 'message')) };
  return { ...container, allocatedResourcesStatus: allocatedResourcesStatus.map(quiet) };
}

const RULES: Parameters<typeof dropGated<PodStatus>>[3] = [
  {
    gates: ['DRAExtendedResource'],
    inUse: (status) => status.extendedResourceClaimStatus !== undefined,
    without: (status) => without(status, 'extendedResourceClaimStatus'),
  },
  {
    gates: ['DRANodeAllocatableResources'],
    inUse: (status) => status.nodeAllocatableResourceClaimStatuses !== undefined,
    without: (status) => without(status, 'nodeAllocatableResourceClaimStatuses'),
  },
  {
    gates: ['ResourceHealthStatus'],
    inUse: (status) => anyContainer(status, ({ allocatedResourcesStatus }) => allocatedResourcesStatus !== undefined),
    without: (status) => mapContainers(status, (container) => without(container, 'allocatedResourcesStatus')),
  },
  {
    gates: ['ResourceHealthStatusMessage'],
    inUse: (status) =>
      anyContainer(status, ({ allocatedResourcesStatus = [] }) =>
        allocatedResourcesStatus.some(({ resources = [] }) => resources.some(({ message }) => message !== undefined)),
      ),
    without: (status) => mapContainers(status, withoutMessages),
  },
];
