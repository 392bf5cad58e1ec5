/** Defaults of resource.k8s.io that the schema does not tell: allocation mode and count, toleration operator, timeAdded. */
import type { ApiObject } from '#machinery';
import type { StrategyContext } from '../kind.ts';
import type { DeviceTaintRule } from '../types/resource-v1beta2.ts';
import type {
  Device,
  DeviceRequest,
  DeviceSubRequest,
  DeviceToleration,
  ExactDeviceRequest,
  ResourceClaim,
  ResourceClaimSpec,
  ResourceClaimTemplate,
  ResourceSlice,
} from '../types/resource-v1.ts';
import type {
  DeviceRequest as FlatRequest,
  ResourceClaim as FlatClaim,
  ResourceClaimTemplate as FlatTemplate,
  ResourceSlice as BasicSlice,
} from '../types/resource-v1beta1.ts';
import type { ResourceSlice as PlainSlice } from '../types/resource-v1alpha3.ts';

const EXACT_COUNT = 'ExactCount';

/** Defaults of a claim in the versions that nest `exactly`. */
export function defaultClaim(object: ApiObject): ApiObject {
  const claim = object as ResourceClaim;
  return { ...claim, spec: defaultClaimSpec(claim.spec), status: defaultClaimStatus(claim.status) } as ApiObject;
}

/** Defaults of a template in the versions that nest `exactly`. */
export function defaultTemplate(object: ApiObject): ApiObject {
  const template = object as ResourceClaimTemplate;
  return { ...template, spec: { ...template.spec, spec: defaultClaimSpec(template.spec.spec) } } as ApiObject;
}

/** Defaults of a v1beta1 claim: mode and count only where a class is named, or they would fabricate an `exactly`. */
export function defaultFlatClaim(object: ApiObject): ApiObject {
  const claim = object as FlatClaim;
  return { ...claim, spec: defaultFlatSpec(claim.spec), status: defaultClaimStatus(claim.status) } as ApiObject;
}

/** Defaults of a v1beta1 template. */
export function defaultFlatTemplate(object: ApiObject): ApiObject {
  const template = object as FlatTemplate;
  return { ...template, spec: { ...template.spec, spec: defaultFlatSpec(template.spec.spec) } } as ApiObject;
}

function defaultClaimSpec(spec: ResourceClaimSpec): ResourceClaimSpec {
  return { ...spec, devices: { ...spec.devices, ...(spec.devices?.requests && { requests: spec.devices.requests.map(defaultRequest) }) } };
}

function defaultRequest(request: DeviceRequest): DeviceRequest {
  return {
    ...request,
    ...(request.exactly !== undefined && { exactly: withMode(request.exactly) }),
    ...(request.firstAvailable !== undefined && { firstAvailable: request.firstAvailable.map(withMode) }),
  };
}

function defaultFlatSpec(spec: FlatClaim['spec']): FlatClaim['spec'] {
  return { ...spec, devices: { ...spec.devices, ...(spec.devices?.requests && { requests: spec.devices.requests.map(defaultFlatRequest) }) } };
}

function defaultFlatRequest(request: FlatRequest): FlatRequest {
  const flat = (request.deviceClassName ?? '') === '' ? withTolerations(request) : withMode(request);
  return { ...flat, ...(request.firstAvailable !== undefined && { firstAvailable: request.firstAvailable.map(withMode) }) };
}

function withMode<T extends ExactDeviceRequest | DeviceSubRequest | FlatRequest>(request: T): T {
  const allocationMode = request.allocationMode || EXACT_COUNT;
  const count = allocationMode === EXACT_COUNT && !request.count ? 1 : request.count || undefined;
  const { count: _, ...rest } = withTolerations(request);
  // Same members as before, mode and count filled in; a zero count is absent on the wire.
  return { ...rest, allocationMode, ...(count !== undefined && { count }) } as T;
}

function withTolerations<T extends { readonly tolerations?: readonly DeviceToleration[] | undefined }>(holder: T): T {
  if (holder.tolerations === undefined) return holder;
  return { ...holder, tolerations: holder.tolerations.map((toleration) => ({ ...toleration, operator: toleration.operator || 'Equal' })) };
}

function defaultClaimStatus(status: ResourceClaim['status']): ResourceClaim['status'] {
  const results = status?.allocation?.devices?.results;
  if (status?.allocation === undefined || results === undefined) return status;
  const allocation = { ...status.allocation, devices: { ...status.allocation.devices, results: results.map(withTolerations) } };
  return { ...status, allocation };
}

/** Stamps device taints that carry no time. */
export function defaultSlice(object: ApiObject, context: StrategyContext): ApiObject {
  const slice = withoutEmptyLists(object as ResourceSlice);
  const devices = slice.spec.devices?.map((device) => defaultDevice(device, context.now));
  return devices === undefined ? slice : ({ ...slice, spec: { ...slice.spec, devices } } as ApiObject);
}

/** An empty list is no list, unless devices and shared counters are both given: validation refuses that. */
function withoutEmptyLists<T extends ResourceSlice | BasicSlice | PlainSlice>(slice: T): T {
  const { devices, sharedCounters, ...spec } = slice.spec;
  if (devices !== undefined && sharedCounters !== undefined) return slice;
  const kept = { ...(devices?.length !== 0 && { devices }), ...(sharedCounters?.length !== 0 && { sharedCounters }) };
  return { ...slice, spec: { ...spec, ...kept } };
}

type Stampable = Pick<Device, 'taints' | 'nodeAllocatableResourceMappings'>;

/** Times of taints, the multiplier 1 of node allocatable resources. */
function defaultDevice<T extends Stampable>(device: T, now: string): T {
  const taints = device.taints?.map((taint) => ({ ...taint, timeAdded: taint.timeAdded ?? now }));
  const mappings = device.nodeAllocatableResourceMappings;
  const multiplied =
    mappings === undefined
      ? undefined
      : Object.fromEntries(
          Object.entries(mappings).map(([name, mapping]) => [name, { ...mapping, allocationMultiplier: mapping.allocationMultiplier ?? '1' }]),
        );
  return {
    ...device,
    ...(taints !== undefined && { taints }),
    ...(multiplied !== undefined && { nodeAllocatableResourceMappings: multiplied }),
  };
}

/** As defaultSlice for v1beta1, where devices keep everything but their name in `basic`. */
export function defaultBasicSlice(object: ApiObject, context: StrategyContext): ApiObject {
  const slice = withoutEmptyLists(object as BasicSlice);
  const devices = slice.spec.devices?.map((device) => (device.basic === undefined ? device : { ...device, basic: defaultDevice(device.basic, context.now) }));
  return devices === undefined ? slice : ({ ...slice, spec: { ...slice.spec, devices } } as ApiObject);
}

/** As defaultBasicSlice for v1alpha3. */
export function defaultPlainSlice(object: ApiObject, context: StrategyContext): ApiObject {
  const slice = withoutEmptyLists(object as PlainSlice);
  const devices = slice.spec.devices?.map(({ name, basic }) => {
    if (basic === undefined) return { name };
    return { name, basic: defaultDevice(basic, context.now) };
  });
  return devices === undefined ? slice : ({ ...slice, spec: { ...slice.spec, devices } } as ApiObject);
}

/** Stamps the rule's taint. */
export function defaultTaintRule(object: ApiObject, context: StrategyContext): ApiObject {
  const rule = object as DeviceTaintRule;
  const taint = { ...rule.spec.taint, timeAdded: rule.spec.taint.timeAdded ?? context.now };
  return { ...rule, spec: { ...rule.spec, taint } } as ApiObject;
}
