/** Drops fields of slices whose feature gate is closed, unless the old slice uses them. */
import type { StrategyContext } from '../kind.ts';
import type { Device, DeviceAttribute, ResourceSliceSpec } from '../types/resource-v1.ts';
import { dropGated, without } from './drop-claim.ts';

function anyDevice(spec: ResourceSliceSpec, test: (device: Device) => boolean): boolean {
  return spec.devices?.some(test) ?? false;
}

function mapDevices(spec: ResourceSliceSpec, map: (device: Device) => Device): ResourceSliceSpec {
  return spec.devices === undefined ? spec : { ...spec, devices: spec.devices.map(map) };
}

function hasPolicy(device: Device): boolean {
  return Object.values(device.capacity ?? {}).some((capacity) => capacity.requestPolicy !== undefined);
}

function withoutPolicies(device: Device): Device {
  if (!hasPolicy(device)) return device;
  const entries = Object.entries(device.capacity ?? {}).map(([name, capacity]) => [name, without(capacity, 'requestPolicy')] as const);
  return { ...device, capacity: Object.fromEntries(entries) };
}

function hasList({ bools, ints, strings, versions }: DeviceAttribute): boolean {
  return [bools, ints, strings, versions].some((list) => list !== undefined);
}

function withoutLists(device: Device): Device {
  if (!Object.values(device.attributes ?? {}).some(hasList)) return device;
  const entries = Object.entries(device.attributes ?? {}).map(
    ([name, attribute]) => [name, without(attribute, 'bools', 'ints', 'strings', 'versions')] as const,
  );
  return { ...device, attributes: Object.fromEntries(entries) };
}

const PER_DEVICE = ['consumesCounters', 'nodeName', 'nodeSelector', 'allNodes'] as const;
const BINDING = ['bindsToNode', 'bindingConditions', 'bindingFailureConditions'] as const;

const RULES: Parameters<typeof dropGated<ResourceSliceSpec>>[3] = [
  {
    gates: ['DRADeviceTaints'],
    inUse: (spec) => anyDevice(spec, (device) => (device.taints?.length ?? 0) > 0),
    without: (spec) => mapDevices(spec, (device) => without(device, 'taints')),
  },
  {
    gates: ['DRAConsumableCapacity'],
    inUse: (spec) => anyDevice(spec, (device) => device.allowMultipleAllocations !== undefined || hasPolicy(device)),
    without: (spec) => mapDevices(spec, (device) => withoutPolicies(without(device, 'allowMultipleAllocations'))),
  },
  {
    gates: ['DRADeviceBindingConditions', 'DRAResourceClaimDeviceStatus'],
    inUse: (spec) => anyDevice(spec, (device) => BINDING.some((member) => device[member] !== undefined)),
    without: (spec) => mapDevices(spec, (device) => without(device, ...BINDING)),
  },
  {
    gates: ['DRAPartitionableDevices'],
    inUse: (spec) =>
      (spec.sharedCounters?.length ?? 0) > 0 ||
      spec.perDeviceNodeSelection !== undefined ||
      anyDevice(spec, (device) => PER_DEVICE.some((member) => device[member] !== undefined)),
    without: (spec) => mapDevices(without(spec, 'sharedCounters', 'perDeviceNodeSelection'), (device) => without(device, ...PER_DEVICE)),
  },
  {
    gates: ['DRANodeAllocatableResources'],
    inUse: (spec) => anyDevice(spec, (device) => device.nodeAllocatableResourceMappings !== undefined),
    without: (spec) => mapDevices(spec, (device) => without(device, 'nodeAllocatableResourceMappings')),
  },
  {
    gates: ['DRAListTypeAttributes'],
    inUse: (spec) => anyDevice(spec, (device) => Object.values(device.attributes ?? {}).some(hasList)),
    without: (spec) => mapDevices(spec, withoutLists),
  },
];

/** A slice's spec as the open gates allow it. */
export function dropSliceFields(spec: ResourceSliceSpec, old: ResourceSliceSpec | undefined, gates: StrategyContext['gates']): ResourceSliceSpec {
  return dropGated(spec, old, gates, RULES);
}
