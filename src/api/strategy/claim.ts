/** What creates and updates of a ResourceClaim may touch (upstream registry/resource/resourceclaim/strategy.go). */
import type { ApiObject } from '#machinery';
import type { StrategyContext } from '../kind.ts';
import { onlyStatus } from '../object.ts';
import { dropClaimSpecFields, dropClaimStatusFields } from './drop-claim.ts';
import type { AllocatedDeviceStatus, ResourceClaim, ResourceClaimSpec, ResourceClaimTemplate } from '../types/resource-v1.ts';

/** A new claim has no status. */
export function createdClaim(claim: ResourceClaim, context: StrategyContext): ApiObject {
  return { ...claim, spec: dropClaimSpecFields(withoutNoRequests(claim.spec), undefined, context.gates), status: {} } as ApiObject;
}

/** No requests are null, not an empty list: as upstream's storage leaves it. */
function withoutNoRequests(spec: ResourceClaimSpec, old?: ResourceClaimSpec): ResourceClaimSpec {
  if (spec.devices?.requests?.length !== 0 || (old?.devices?.requests ?? []).length > 0) return spec;
  const { requests: _none, ...devices } = spec.devices;
  return { ...spec, devices: { ...devices, requests: null as never } };
}

/** The main endpoint keeps the status, /status keeps everything else and forgets the status of devices given back. */
export function updatedClaim(claim: ResourceClaim, old: ResourceClaim, context: StrategyContext): ApiObject {
  if (context.subresource !== 'status') {
    return { ...claim, spec: dropClaimSpecFields(withoutNoRequests(claim.spec, old.spec), old.spec, context.gates), status: old.status ?? {} } as ApiObject;
  }
  return dropDeallocated(dropClaimStatusFields(onlyStatus(claim, old), old, context.gates), old);
}

/** status.devices entries of devices that the old allocation had and the new one has not. */
function dropDeallocated(claim: ResourceClaim, old: ResourceClaim): ApiObject {
  const devices = claim.status?.devices;
  if (devices === undefined) return claim;
  const now = allocatedKeys(claim);
  const gone = new Set([...allocatedKeys(old)].filter((key) => !now.has(key)));
  const kept = devices.filter((device) => !gone.has(deviceKey(device)));
  if (kept.length === devices.length) return claim;
  const { devices: _, ...status } = claim.status ?? {};
  return { ...claim, status: { ...status, ...(kept.length > 0 && { devices: kept }) } } as ApiObject;
}

/** A template as the open gates allow it. */
export function preparedTemplate(template: ResourceClaimTemplate, old: ResourceClaimTemplate | undefined, context: StrategyContext): ApiObject {
  const spec = dropClaimSpecFields(withoutNoRequests(template.spec.spec, old?.spec.spec), old?.spec.spec, context.gates);
  return { ...template, spec: { ...template.spec, spec } } as ApiObject;
}

/** Names one allocated device, or one share of it. */
export function deviceKey(device: Pick<AllocatedDeviceStatus, 'driver' | 'pool' | 'device' | 'shareID'>): string {
  return `${device.driver}/${device.pool}/${device.device}/${device.shareID ?? ''}`;
}

/** The keys of everything a claim has been allocated. */
export function allocatedKeys(claim: ResourceClaim): ReadonlySet<string> {
  return new Set((claim.status?.allocation?.devices?.results ?? []).map(deviceKey));
}
