/** Drops fields of claims and templates whose feature gate is closed, unless the old object uses them (upstream dropDisabledFields). */
import type { StrategyContext } from '../kind.ts';
import type { DeviceRequest, DeviceRequestAllocationResult, ResourceClaim, ResourceClaimSpec, ResourceClaimStatus } from '../types/resource-v1.ts';

type Gates = StrategyContext['gates'];

/** One gated field: whether a value uses it, and the value without it. */
interface Gated<T> {
  readonly gates: readonly string[];
  readonly inUse: (value: T) => boolean;
  readonly without: (value: T) => T;
}

/** Applies every rule whose gates are not all open and whose fields the old value does not use. */
export function dropGated<T>(value: T, old: T | undefined, gates: Gates, rules: readonly Gated<T>[]): T {
  const closed = rules.filter((rule) => !rule.gates.every((gate) => gates.get(gate) === true));
  return closed.reduce((kept, rule) => (old !== undefined && rule.inUse(old) ? kept : rule.without(kept)), value);
}

/** The object without these members. */
export function without<T extends object>(object: T, ...members: readonly (keyof T)[]): T {
  if (!members.some((member) => object[member] !== undefined)) return object;
  // Only optional members are named here.
  return Object.fromEntries(Object.entries(object).filter(([key]) => !members.some((member) => member === key))) as T;
}

type Ask = NonNullable<DeviceRequest['exactly']> | NonNullable<DeviceRequest['firstAvailable']>[number];

function requestsOf(spec: ResourceClaimSpec): readonly DeviceRequest[] {
  return spec.devices?.requests ?? [];
}

function asksOf(spec: ResourceClaimSpec): readonly Ask[] {
  return requestsOf(spec).flatMap((request): readonly Ask[] => [
    ...(request.exactly === undefined ? [] : [request.exactly]),
    ...(request.firstAvailable ?? []),
  ]);
}

function mapRequests(spec: ResourceClaimSpec, map: (request: DeviceRequest) => DeviceRequest): ResourceClaimSpec {
  const requests = spec.devices?.requests;
  return (requests ?? undefined) === undefined ? spec : { ...spec, devices: { ...spec.devices, requests: requests?.map(map) } };
}

function mapAsks(spec: ResourceClaimSpec, map: <T extends Ask>(ask: T) => T): ResourceClaimSpec {
  return mapRequests(spec, (request) => ({
    ...request,
    ...(request.exactly !== undefined && { exactly: map(request.exactly) }),
    ...(request.firstAvailable !== undefined && { firstAvailable: request.firstAvailable.map(map) }),
  }));
}

function withoutDistinct(spec: ResourceClaimSpec): ResourceClaimSpec {
  const constraints = spec.devices?.constraints;
  if (constraints === undefined) return spec;
  return { ...spec, devices: { ...spec.devices, constraints: constraints.map((constraint) => without(constraint, 'distinctAttribute')) } };
}

const SPEC_RULES: readonly Gated<ResourceClaimSpec>[] = [
  {
    gates: ['DRAPrioritizedList'],
    inUse: (spec) => requestsOf(spec).some((request) => (request.firstAvailable?.length ?? 0) > 0),
    without: (spec) => mapRequests(spec, (request) => without(request, 'firstAvailable')),
  },
  {
    gates: ['DRADeviceTaints'],
    inUse: (spec) => asksOf(spec).some((ask) => (ask.tolerations?.length ?? 0) > 0),
    without: (spec) => mapAsks(spec, (ask) => without(ask, 'tolerations')),
  },
  {
    gates: ['DRAAdminAccess'],
    inUse: (spec) => requestsOf(spec).some((request) => request.exactly?.adminAccess !== undefined),
    without: (spec) =>
      mapRequests(spec, (request) => (request.exactly === undefined ? request : { ...request, exactly: without(request.exactly, 'adminAccess') })),
  },
  {
    gates: ['DRAConsumableCapacity'],
    inUse: (spec) =>
      asksOf(spec).some((ask) => ask.capacity !== undefined) ||
      (spec.devices?.constraints ?? []).some((constraint) => constraint.distinctAttribute !== undefined),
    without: (spec) => mapAsks(withoutDistinct(spec), (ask) => without(ask, 'capacity')),
  },
];

/** A claim's spec, or that of a template, as the open gates allow it. */
export function dropClaimSpecFields(spec: ResourceClaimSpec, old: ResourceClaimSpec | undefined, gates: Gates): ResourceClaimSpec {
  return dropGated(spec, old, gates, SPEC_RULES);
}

function resultsOf(status: ResourceClaimStatus): readonly DeviceRequestAllocationResult[] {
  return status.allocation?.devices?.results ?? [];
}

function mapResults(status: ResourceClaimStatus, map: (result: DeviceRequestAllocationResult) => DeviceRequestAllocationResult): ResourceClaimStatus {
  const { allocation } = status;
  if (allocation?.devices?.results === undefined) return status;
  return { ...status, allocation: { ...allocation, devices: { ...allocation.devices, results: allocation.devices.results.map(map) } } };
}

function withoutShares(status: ResourceClaimStatus): ResourceClaimStatus {
  const rest = mapResults(status, (result) => without(result, 'shareID', 'consumedCapacity'));
  return rest.devices === undefined ? rest : { ...rest, devices: rest.devices.map((device) => without(device, 'shareID')) };
}

const STATUS_RULES: readonly Gated<ResourceClaimStatus>[] = [
  {
    gates: ['DRAAdminAccess'],
    inUse: (status) => resultsOf(status).some((result) => result.adminAccess !== undefined),
    without: (status) => mapResults(status, (result) => without(result, 'adminAccess')),
  },
  {
    gates: ['DRAConsumableCapacity'],
    inUse: (status) => resultsOf(status).some((result) => result.shareID !== undefined || result.consumedCapacity !== undefined),
    without: withoutShares,
  },
  {
    gates: ['DRAResourceClaimDeviceStatus'],
    inUse: (status) => (status.devices?.length ?? 0) > 0,
    without: (status) => without(status, 'devices'),
  },
  {
    gates: ['DRADeviceBindingConditions'],
    inUse: (status) => resultsOf(status).some((result) => result.bindingConditions !== undefined || result.bindingFailureConditions !== undefined),
    without: (status) => mapResults(status, (result) => without(result, 'bindingConditions', 'bindingFailureConditions')),
  },
];

/** A claim's status as the open gates allow it. */
export function dropClaimStatusFields(claim: ResourceClaim, old: ResourceClaim, gates: Gates): ResourceClaim {
  return claim.status === undefined ? claim : { ...claim, status: dropGated(claim.status, old.status, gates, STATUS_RULES) };
}
