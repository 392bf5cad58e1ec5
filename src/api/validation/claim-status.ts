/** Validation of a claim's status (upstream apis/resource/validation, validateResourceClaimStatusUpdate). */
import { goStruct } from './go-struct.ts';
import { sameValue } from '../object.ts';
import { allocatedKeys, deviceKey } from '../strategy/claim.ts';
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  NetworkDeviceData,
  ResourceClaim,
  ResourceClaimConsumerReference,
} from '../types/resource-v1.ts';
import { checkBindingConditions } from './binding.ts';
import { cidrProblem } from './cidr.ts';
import { checkReference, checkReferences, type RequestNames, requestNames } from './claim-spec.ts';
import { checkConditions } from './conditions.ts';
import { checkDriverName, checkLabel, checkPoolName, checkShareId } from './dra-names.ts';
import { checkNodeSelector } from './node-selector.ts';
import { byteLength, checkList, checkUnique, type FieldErrors } from './report.ts';
import { checkConfiguration, checkRawObject } from './requests.ts';

/** resource.ResourceClaimReservedForMaxSize. */
export const RESOURCE_CLAIM_RESERVED_FOR_MAX_SIZE = 256;
/** resource.AllocationResultsMaxSize. */
export const ALLOCATION_RESULTS_MAX_SIZE = 32;
/** Upstream: configuration of the class and of the claim together. */
export const ALLOCATION_CONFIG_MAX_SIZE = 64;
/** resource.AllocatedDeviceStatusMaxConditions. */
export const ALLOCATED_DEVICE_STATUS_MAX_CONDITIONS = 8;
/** resource.NetworkDeviceDataMaxIPs. */
export const NETWORK_DEVICE_DATA_MAX_IPS = 16;
/** resource.NetworkDeviceDataInterfaceNameMaxLength. */
export const NETWORK_DEVICE_DATA_INTERFACE_NAME_MAX_LENGTH = 256;
/** resource.NetworkDeviceDataHardwareAddressMaxLength. */
export const NETWORK_DEVICE_DATA_HARDWARE_ADDRESS_MAX_LENGTH = 128;

/** An update of /status: reservations, the devices' reports, the allocation, which never changes into another. */
export function checkClaimStatus(errors: FieldErrors, claim: ResourceClaim, old: ResourceClaim): void {
  const status = claim.status ?? {};
  checkList(errors, RESERVED_FOR, status.reservedFor, {
    max: RESOURCE_CLAIM_RESERVED_FOR_MAX_SIZE,
    key: (consumer) => consumer.uid,
    item: (consumer, at) => checkConsumer(errors, at, consumer),
  });
  const allocated = allocatedKeys(claim);
  const devices = status.devices ?? [];
  devices.forEach((device, index) => checkDeviceStatus(errors, `status.devices[${index}]`, device, allocated));
  checkUnique(errors, 'status.devices', devices.map(deviceKey));
  checkReservations(errors, claim, old);
  const before = old.status?.allocation;
  if (status.allocation === undefined) return;
  if (before === undefined) checkAllocation(errors, 'status.allocation', status.allocation, requestNames(claim.spec));
  else if (!sameValue(status.allocation, before))
    errors.invalid('status.allocation', goStruct(status.allocation, 'io.k8s.api.resource.v1.AllocationResult'), 'field is immutable');
}

const RESERVED_FOR = 'status.reservedFor';

/** Reservations need an allocation, and none is added or changed once the claim is being deleted. */
function checkReservations(errors: FieldErrors, claim: ResourceClaim, old: ResourceClaim): void {
  const consumers = claim.status?.reservedFor ?? [];
  if (consumers.length === 0) return;
  if (claim.status?.allocation === undefined) return errors.forbidden(RESERVED_FOR, 'may not be specified when `allocated` is not set');
  if (claim.metadata.deletionTimestamp === undefined) return;
  const known = old.status?.reservedFor ?? [];
  const added = consumers.some((consumer) => !known.some((other) => sameValue(other, consumer)));
  if (added) errors.forbidden(RESERVED_FOR, 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set');
}

function checkConsumer(errors: FieldErrors, path: string, consumer: ResourceClaimConsumerReference): void {
  if (consumer.resource === '') errors.required(`${path}.resource`);
  if (consumer.name === '') errors.required(`${path}.name`);
  if (consumer.uid === '') errors.required(`${path}.uid`);
}

function checkAllocation(errors: FieldErrors, path: string, allocation: AllocationResult, names: RequestNames): void {
  checkList(errors, `${path}.devices.results`, allocation.devices?.results, {
    max: ALLOCATION_RESULTS_MAX_SIZE,
    item: (result, at) => checkResult(errors, at, result, names),
  });
  checkList(errors, `${path}.devices.config`, allocation.devices?.config, {
    max: ALLOCATION_CONFIG_MAX_SIZE,
    item: (config, at) => checkAllocatedConfig(errors, at, config, names),
  });
  if (allocation.nodeSelector !== undefined) checkNodeSelector(errors, `${path}.nodeSelector`, allocation.nodeSelector);
}

function checkResult(errors: FieldErrors, path: string, result: DeviceRequestAllocationResult, names: RequestNames): void {
  checkReference(errors, `${path}.request`, result.request, names);
  checkDriverName(errors, `${path}.driver`, result.driver);
  checkPoolName(errors, `${path}.pool`, result.pool);
  checkLabel(errors, `${path}.device`, result.device);
  checkBindingConditions(errors, path, result);
  checkShareId(errors, `${path}.shareID`, result.shareID);
}

const SOURCES = ['FromClaim', 'FromClass'];

function checkAllocatedConfig(errors: FieldErrors, path: string, config: DeviceAllocationConfiguration, names: RequestNames): void {
  const source: string = config.source;
  if (source === '') errors.required(`${path}.source`);
  else if (!SOURCES.includes(source)) errors.notSupported(`${path}.source`, source, SOURCES);
  checkReferences(errors, `${path}.requests`, config.requests, names);
  checkConfiguration(errors, path, config);
}

function checkDeviceStatus(errors: FieldErrors, path: string, device: AllocatedDeviceStatus, allocated: ReadonlySet<string>): void {
  checkDriverName(errors, `${path}.driver`, device.driver);
  checkPoolName(errors, `${path}.pool`, device.pool);
  checkLabel(errors, `${path}.device`, device.device);
  checkShareId(errors, `${path}.shareID`, device.shareID);
  if (!allocated.has(deviceKey(device))) {
    const id = { Driver: device.driver, Pool: device.pool, Device: device.device, ShareID: device.shareID ?? '' };
    errors.invalid(path, id, 'must be an allocated device in the claim');
  }
  checkConditions(errors, `${path}.conditions`, device.conditions, ALLOCATED_DEVICE_STATUS_MAX_CONDITIONS);
  if (device.data !== undefined && device.data !== null) checkRawObject(errors, `${path}.data`, device.data);
  if (device.networkData !== undefined) checkNetworkData(errors, `${path}.networkData`, device.networkData);
}

function checkNetworkData(errors: FieldErrors, path: string, data: NetworkDeviceData): void {
  if (byteLength(data.interfaceName ?? '') > NETWORK_DEVICE_DATA_INTERFACE_NAME_MAX_LENGTH) {
    errors.tooLong(`${path}.interfaceName`, NETWORK_DEVICE_DATA_INTERFACE_NAME_MAX_LENGTH);
  }
  if (byteLength(data.hardwareAddress ?? '') > NETWORK_DEVICE_DATA_HARDWARE_ADDRESS_MAX_LENGTH) {
    errors.tooLong(`${path}.hardwareAddress`, NETWORK_DEVICE_DATA_HARDWARE_ADDRESS_MAX_LENGTH);
  }
  checkList(errors, `${path}.ips`, data.ips, {
    max: NETWORK_DEVICE_DATA_MAX_IPS,
    key: (address) => address,
    item: (address, at) => {
      const problem = cidrProblem(address);
      if (problem !== undefined) errors.invalid(at, address, problem);
    },
  });
}
