/** What pod status says about the health of a container's devices (KEP-4680). Pure. */
import type { ResourceStatus } from '#api';
import type { DeviceHealth } from './device-health.ts';
import type { ClaimUse, UsedDevice } from './pod-claims.ts';

/** How to read health and whether its message is shown (gate ResourceHealthStatusMessage). */
export interface HealthView {
  health(driver: string, pool: string, device: string): DeviceHealth;
  readonly messages: boolean;
}

/** allocatedResourcesStatus of a container. Extended resources are left out: API servers of 1.36 refuse their name. */
export function allocatedResourcesStatus(uses: readonly ClaimUse[], view: HealthView): readonly ResourceStatus[] {
  return uses.flatMap(({ statusName, devices }) => {
    const resources = new Map(devices.map((used) => [resourceId(used), used]));
    if (statusName === '' || resources.size === 0) return [];
    return [{ name: statusName, resources: [...resources].map(([resourceID, used]) => resourceHealth(resourceID, used, view)) }];
  });
}

function resourceId({ driver, device }: UsedDevice): string {
  return device.CDIDeviceIDs?.[0] ?? `${driver}/${device.PoolName}/${device.DeviceName}`;
}

function resourceHealth(resourceID: string, { driver, device }: UsedDevice, view: HealthView): NonNullable<ResourceStatus['resources']>[number] {
  const { health, message } = view.health(driver, device.PoolName, device.DeviceName);
  return { resourceID, health, ...(view.messages && message !== '' ? { message } : {}) };
}
