/** What an allocated example GPU means for a container: variables that name it and how it is shared. */
import { type Author, type ContainerEdits, type DeviceRequestAllocationResult, opaqueConfigs, type ResourceClaim } from '#kit';
import { DEFAULT_GPU_CONFIG, type GpuConfig, parseGpuConfig } from './gpu-config.ts';

/** The example driver's code: the devices are not real, so there is nothing to undo. */
export function gpuAuthor(driver: string): Author {
  return {
    prepare: async (claim, results) => results.map((result) => ({ result, edits: editsFor(claim, result, configFor(driver, claim, result)) })),
    unprepare: async () => undefined,
  };
}

function configFor(driver: string, claim: ResourceClaim, result: DeviceRequestAllocationResult): GpuConfig {
  const configs = opaqueConfigs(claim.status?.allocation ?? {}, driver, result.request).map((config) => parseGpuConfig(config.parameters));
  return configs.at(-1) ?? DEFAULT_GPU_CONFIG;
}

function editsFor(claim: ResourceClaim, result: DeviceRequestAllocationResult, { sharing }: GpuConfig): ContainerEdits {
  const number = result.device.replace(/^gpu-/, '').replaceAll(/[^A-Za-z0-9]/g, '_');
  const prefix = `GPU_DEVICE_${number}`;
  const setting =
    sharing.strategy === 'TimeSlicing' ? `${prefix}_TIMESLICE_INTERVAL=${sharing.interval}` : `${prefix}_PARTITION_COUNT=${sharing.partitionCount}`;
  return {
    env: [
      `${prefix}=${result.device}`,
      `${prefix}_RESOURCE_CLAIM=${claim.metadata.uid ?? ''}`,
      `${prefix}_SHARING_STRATEGY=${sharing.strategy}`,
      setting,
      ...Object.entries(result.consumedCapacity ?? {}).map(([name, amount]) => `${prefix}_${name.toUpperCase()}=${amount}`),
      ...(result.adminAccess === true ? ['DRA_ADMIN_ACCESS=true'] : []),
    ],
  };
}
