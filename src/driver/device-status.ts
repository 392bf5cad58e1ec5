/** Writes what a driver knows of its devices into the status of a claim (KEP-4817). */
import type { AllocatedDeviceStatus } from '#api';
import { RESOURCE_CLAIMS, type RestClient } from '#client';
import { parseJson, stringifyJson } from '#machinery';
import type { ClaimReference } from './prepared-claims.ts';

/** The status of one allocated device, without the driver's name. */
export type DeviceStatus = Omit<AllocatedDeviceStatus, 'driver'>;

/**
 * Makes `devices` the driver's part of claim.status.devices by server-side apply: entries of other drivers stay, own entries that
 * are not named any more go. Rejects with the server's ApiError, also when a device is not allocated to the claim.
 */
export async function applyDeviceStatus(
  client: RestClient,
  driver: string,
  { namespace, name, uid }: ClaimReference,
  devices: readonly DeviceStatus[],
): Promise<void> {
  const body = {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: { name, namespace, uid },
    status: { devices: devices.map((device) => ({ driver, ...device })) },
  };
  await client.patch(RESOURCE_CLAIMS, name, {
    namespace,
    type: 'apply',
    subresource: 'status',
    fieldManager: driver,
    force: true,
    body: parseJson(stringifyJson(body)),
  });
}
