/** Validation of one device of a slice. */
import { parseQuantity, Semver } from '#machinery';
import { sameValue } from '../object.ts';
import type { Device, DeviceAttribute, DeviceCounterConsumption, NodeAllocatableResourceMapping } from '../types/resource-v1.ts';
import { checkBindingConditions } from './binding.ts';
import { checkCapacity } from './capacity.ts';
import { checkCounters } from './counters.ts';
import { checkLabel, checkQualifiedName, checkRequiredLabel } from './dra-names.ts';
import { dnsSubdomainProblems } from './names.ts';
import { checkNodeSelector } from './node-selector.ts';
import { byteLength, checkList, type FieldErrors } from './report.ts';
import { checkTaint } from './taint.ts';

/** resource.ResourceSliceMaxAttributesAndCapacitiesPerDevice. */
export const RESOURCE_SLICE_MAX_ATTRIBUTES_AND_CAPACITIES_PER_DEVICE = 32;
/** resource.ResourceSliceMaxAttributeValuesPerDevice. */
export const RESOURCE_SLICE_MAX_ATTRIBUTE_VALUES_PER_DEVICE = 48;
/** resource.DeviceAttributeMaxValueLength. */
export const DEVICE_ATTRIBUTE_MAX_VALUE_LENGTH = 64;
/** resource.DeviceTaintsMaxLength. */
export const DEVICE_TAINTS_MAX_LENGTH = 16;
/** resource.ResourceSliceMaxDeviceCounterConsumptionsPerDevice. */
export const RESOURCE_SLICE_MAX_DEVICE_COUNTER_CONSUMPTIONS_PER_DEVICE = 2;

/** What a device's rules depend on besides the device. */
export interface DeviceSurroundings {
  readonly perDeviceNodeSelection: boolean;
  /** The device of this name before the update. */
  readonly old?: Device | undefined;
}

/** Whether the device draws on shared counters. */
export function usesCounters(device: Device): boolean {
  return (device.consumesCounters?.length ?? 0) > 0;
}

/** Whether an attribute of the device is a list. */
export function usesLists(device: Device): boolean {
  return Object.values(device.attributes ?? {}).some((attribute) => listsOf(attribute).some(([, list]) => list !== undefined));
}

/** Every rule of one device. */
export function checkDevice(errors: FieldErrors, path: string, device: Device, { perDeviceNodeSelection, old }: DeviceSurroundings): void {
  checkLabel(errors, `${path}.name`, device.name);
  checkAmounts(errors, path, device);
  for (const [name, attribute] of Object.entries(device.attributes ?? {})) {
    checkQualifiedName(errors, `${path}.attributes`, name);
    checkAttribute(errors, `${path}.attributes[${name}]`, attribute);
  }
  for (const [name, capacity] of Object.entries(device.capacity ?? {})) {
    checkQualifiedName(errors, `${path}.capacity`, name);
    if (!sameValue(capacity, old?.capacity?.[name]) || !sameValue(device.allowMultipleAllocations, old?.allowMultipleAllocations)) {
      checkCapacity(errors, `${path}.capacity[${name}]`, capacity, device.allowMultipleAllocations === true);
    }
  }
  if (!sameValue(device.taints, old?.taints)) {
    checkList(errors, `${path}.taints`, device.taints, { max: DEVICE_TAINTS_MAX_LENGTH, item: (taint, at) => checkTaint(errors, at, taint) });
  }
  checkList(errors, `${path}.consumesCounters`, device.consumesCounters, {
    max: RESOURCE_SLICE_MAX_DEVICE_COUNTER_CONSUMPTIONS_PER_DEVICE,
    key: (consumption) => consumption.counterSet,
    item: (consumption, at) => checkConsumption(errors, at, consumption),
  });
  checkPlace(errors, path, device, perDeviceNodeSelection);
  checkBindingConditions(errors, path, device);
  for (const [resource, mapping] of Object.entries(device.nodeAllocatableResourceMappings ?? {})) {
    checkMapping(errors, `${path}.nodeAllocatableResourceMappings`, { resource, mapping, device });
  }
}

function checkAmounts(errors: FieldErrors, path: string, device: Device): void {
  const attributes = Object.values(device.attributes ?? {});
  const members = attributes.length + Object.keys(device.capacity ?? {}).length;
  const limit = RESOURCE_SLICE_MAX_ATTRIBUTES_AND_CAPACITIES_PER_DEVICE;
  if (members > limit) errors.invalid(path, members, `the total number of attributes and capacities must not exceed ${limit}`);
  const values = attributes.reduce((sum, attribute) => sum + valuesOf(attribute), 0);
  const valueLimit = RESOURCE_SLICE_MAX_ATTRIBUTE_VALUES_PER_DEVICE;
  if (values > valueLimit) errors.invalid(path, values, `the total number of attribute values must not exceed ${valueLimit}`);
}

function listsOf(attribute: DeviceAttribute): readonly (readonly [string, readonly unknown[] | undefined])[] {
  const { bools, ints, strings, versions } = attribute;
  return [
    ['ints', ints],
    ['bools', bools],
    ['strings', strings],
    ['versions', versions],
  ];
}

function scalarsOf({ int, bool, string, version }: DeviceAttribute): number {
  return [int, bool, string, version].filter((value) => value !== undefined).length;
}

function valuesOf(attribute: DeviceAttribute): number {
  return scalarsOf(attribute) + listsOf(attribute).reduce((sum, [, list]) => sum + (list?.length ?? 0), 0);
}

const ONE_VALUE = 'exactly one value must be specified';

function checkAttribute(errors: FieldErrors, path: string, attribute: DeviceAttribute): void {
  const lists = listsOf(attribute).filter(([, list]) => list !== undefined);
  for (const [member, list] of lists) {
    if (list?.length === 0) errors.invalid(`${path}.${member}`, [], 'must not be empty if specified');
  }
  checkTexts(errors, path, attribute);
  const set = scalarsOf(attribute) + lists.length;
  if (set === 0) errors.invalid(path, '', ONE_VALUE);
  if (set > 1) errors.invalid(path, goAttribute(attribute), ONE_VALUE);
}

/** The attribute as upstream shows it: its internal type, nothing left out. */
function goAttribute({ int, bool, string, version, ints, bools, strings, versions }: DeviceAttribute): object {
  return {
    IntValue: int ?? null,
    BoolValue: bool ?? null,
    StringValue: string ?? null,
    VersionValue: version ?? null,
    IntValues: ints ?? null,
    BoolValues: bools ?? null,
    StringValues: strings ?? null,
    VersionValues: versions ?? null,
  };
}

function checkTexts(errors: FieldErrors, path: string, { string, strings, version, versions }: DeviceAttribute): void {
  if (string !== undefined) checkText(errors, `${path}.string`, string);
  strings?.forEach((text, index) => checkText(errors, `${path}.strings[${index}]`, text));
  if (version !== undefined) checkVersion(errors, `${path}.version`, version);
  versions?.forEach((text, index) => checkVersion(errors, `${path}.versions[${index}]`, text));
}

function checkText(errors: FieldErrors, path: string, text: string): void {
  if (byteLength(text) > DEVICE_ATTRIBUTE_MAX_VALUE_LENGTH) errors.tooLong(path, DEVICE_ATTRIBUTE_MAX_VALUE_LENGTH);
}

function checkVersion(errors: FieldErrors, path: string, text: string): void {
  if (!isSemver(text)) errors.invalid(path, text, 'must be a string compatible with semver.org spec 2.0.0');
  checkText(errors, path, text);
}

/** The expression of semver.org, which upstream applies; numbers of any size pass. */
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$/;

function isSemver(text: string): boolean {
  return Semver.parse(text) !== undefined || SEMVER.test(text);
}

function checkConsumption(errors: FieldErrors, path: string, consumption: DeviceCounterConsumption): void {
  checkRequiredLabel(errors, `${path}.counterSet`, consumption.counterSet);
  checkCounters(errors, `${path}.counters`, consumption.counters);
}

const PLACE = 'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
const NO_PLACE = '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec';

function checkPlace(errors: FieldErrors, path: string, device: Device, perDevice: boolean): void {
  const members = (['nodeName', 'nodeSelector', 'allNodes'] as const).filter((member) => device[member] !== undefined);
  if (!perDevice) {
    if (members.length > 0) errors.invalid(path, null, NO_PLACE);
    return;
  }
  const { nodeName, nodeSelector, allNodes } = device;
  if (nodeName !== undefined) {
    errors.invalidAll(`${path}.nodeName`, nodeName, nodeName === '' ? ['must not be empty'] : dnsSubdomainProblems(nodeName));
  }
  if (nodeSelector !== undefined) checkNodeSelector(errors, `${path}.nodeSelector`, nodeSelector);
  if (allNodes === false) errors.invalid(`${path}.allNodes`, false, 'must be either unset or set to true');
  // Upstream's declarative rule counts what is neither false nor empty.
  const set = members.filter((member) => device[member] !== false && device[member] !== '');
  if (set.length === 0) errors.required(path, PLACE);
  if (set.length > 1) errors.invalid(path, `{${set.map((member) => `\`${member}\``).join(', ')}}`, PLACE);
}

/** Which core resource a device provides, and how much of it (the shape of 1.36). */
function checkMapping(errors: FieldErrors, path: string, { resource, mapping, device }: Provision): void {
  const at = `${path}[${resource}]`;
  const { capacityKey, allocationMultiplier } = mapping;
  if (!isNativeResource(resource)) errors.invalid(at, resource, 'must be a node allocatable resource name');
  if (capacityKey === undefined && allocationMultiplier === undefined) {
    errors.invalid(at, '', 'at least one of allocationMultiplier or capacityKey must be set');
  }
  if (allocationMultiplier !== undefined && (parseQuantity(allocationMultiplier)?.sign() ?? 0) <= 0) {
    errors.invalid(`${at}.allocationMultiplier`, allocationMultiplier, 'must be positive');
  }
  if (capacityKey === '') errors.invalid(`${at}.capacityKey`, '', 'capacityKey must not be an empty string');
  else if (capacityKey !== undefined && !Object.hasOwn(device.capacity ?? {}, capacityKey)) errors.notFound(`${at}.capacityKey`, capacityKey);
}

interface Provision {
  readonly resource: string;
  readonly mapping: NodeAllocatableResourceMapping;
  readonly device: Device;
}

/** Core resources have no domain, or Kubernetes' own (core/v1 helper IsNativeResource). */
function isNativeResource(resource: string): boolean {
  return !resource.includes('/') || resource.includes('kubernetes.io/');
}
