/** Validation of ResourceSlice (upstream apis/resource/validation, validateResourceSliceSpec). */
import type { NodeSelectorTerm } from '../types/core-v1.ts';
import { goStruct } from './go-struct.ts';
import type { ApiObject } from '#machinery';
import type { FieldError } from '../kind.ts';
import type { CounterSet, Device, ResourceSlice, ResourceSliceSpec } from '../types/resource-v1.ts';
import { checkDevice, usesCounters, usesLists } from './device.ts';
import { checkDriverName, checkPoolName, checkRequiredLabel } from './dra-names.ts';
import { dnsSubdomainProblems } from './names.ts';
import { checkCounters } from './counters.ts';
import { checkNodeSelector } from './node-selector.ts';
import { checkList, FieldErrors } from './report.ts';

/** resource.ResourceSliceMaxDevices. */
export const RESOURCE_SLICE_MAX_DEVICES = 128;
/** resource.ResourceSliceMaxDevicesWithTaintsOrConsumesCounters. */
export const RESOURCE_SLICE_MAX_DEVICES_WITH_TAINTS_OR_CONSUMES_COUNTERS = 64;
/** resource.ResourceSliceMaxCounterSets. */
export const RESOURCE_SLICE_MAX_COUNTER_SETS = 8;

const IMMUTABLE = 'field is immutable';

/** A new slice, or an update: its driver, pool name and node name are fixed, unchanged capacity and taints stay valid. */
export function validateSlice(object: ApiObject, old?: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const { spec } = object as ResourceSlice;
  const before = (old as ResourceSlice | undefined)?.spec;
  checkDriverName(errors, 'spec.driver', spec.driver);
  checkPool(errors, spec);
  if (before !== undefined) checkFixed(errors, spec, before);
  checkNodeSelection(errors, spec);
  checkContents(errors, spec, before);
  return errors.list;
}

function checkFixed(errors: FieldErrors, spec: ResourceSliceSpec, before: ResourceSliceSpec): void {
  if (spec.pool.name !== before.pool.name) errors.invalid('spec.pool.name', spec.pool.name, IMMUTABLE);
  if (spec.driver !== before.driver) errors.invalid('spec.driver', spec.driver, IMMUTABLE);
  if (spec.nodeName !== before.nodeName) errors.invalid('spec.nodeName', spec.nodeName, IMMUTABLE);
}

function checkPool(errors: FieldErrors, { pool }: ResourceSliceSpec): void {
  checkPoolName(errors, 'spec.pool.name', pool.name);
  if (pool.resourceSliceCount <= 0) errors.invalid('spec.pool.resourceSliceCount', pool.resourceSliceCount, 'must be greater than zero');
  if (pool.generation < 0) errors.invalid('spec.pool.generation', pool.generation, 'must be greater than or equal to zero');
}

/** Exactly one way to say where the devices are. */
function checkNodeSelection(errors: FieldErrors, spec: ResourceSliceSpec): void {
  const set: string[] = [];
  if (spec.nodeName !== undefined) {
    if (spec.nodeName !== '') set.push('`nodeName`');
    errors.invalidAll(
      'spec.nodeName',
      spec.nodeName,
      spec.nodeName === '' ? ['must be either unset or set to a non-empty string'] : dnsSubdomainProblems(spec.nodeName),
    );
  }
  if (spec.nodeSelector !== undefined) {
    set.push('`nodeSelector`');
    checkNodeSelector(errors, 'spec.nodeSelector', spec.nodeSelector);
    // Required by the schema, but null when it was not given.
    const terms: readonly NodeSelectorTerm[] | null = spec.nodeSelector.nodeSelectorTerms;
    if (terms?.length !== 1) errors.invalid('spec.nodeSelector.nodeSelectorTerms', goTerms(terms), 'must have exactly one node selector term');
  }
  for (const member of ['allNodes', 'perDeviceNodeSelection'] as const) {
    if (spec[member] === undefined) continue;
    if (spec[member]) set.push(`\`${member}\``);
    else errors.invalid(`spec.${member}`, false, 'must be either unset or set to true');
  }
  checkOne(errors, 'spec', set, 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required');
}

function checkOne(errors: FieldErrors, path: string, set: readonly string[], text: string): void {
  if (set.length === 0) errors.required(path, text);
  if (set.length > 1) errors.invalid(path, `{${set.join(', ')}}`, `${text}, but multiple fields are set`);
}

function checkContents(errors: FieldErrors, spec: ResourceSliceSpec, before: ResourceSliceSpec | undefined): void {
  const known = new Map(before?.devices?.map((device) => [device.name, device]));
  const surroundings = { perDeviceNodeSelection: spec.perDeviceNodeSelection === true };
  checkList(errors, 'spec.devices', spec.devices, {
    max: devicesMax(spec.devices ?? []),
    key: (device) => device.name,
    item: (device, at) => checkDevice(errors, at, device, { ...surroundings, old: known.get(device.name) }),
  });
  checkList(errors, 'spec.sharedCounters', spec.sharedCounters, {
    max: RESOURCE_SLICE_MAX_COUNTER_SETS,
    key: (set) => set.name,
    item: (set, at) => checkCounterSet(errors, at, set),
  });
  if (spec.devices !== undefined && spec.sharedCounters !== undefined) {
    errors.invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed');
  }
}

function devicesMax(devices: readonly Device[]): number {
  const costly = devices.some((device) => (device.taints?.length ?? 0) > 0 || usesCounters(device) || usesLists(device));
  return costly ? RESOURCE_SLICE_MAX_DEVICES_WITH_TAINTS_OR_CONSUMES_COUNTERS : RESOURCE_SLICE_MAX_DEVICES;
}

function checkCounterSet(errors: FieldErrors, path: string, set: CounterSet): void {
  checkRequiredLabel(errors, `${path}.name`, set.name);
  checkCounters(errors, `${path}.counters`, set.counters);
}

function goTerms(terms: readonly NodeSelectorTerm[] | null): unknown {
  return terms === null ? null : terms.map((term) => goStruct(term, 'io.k8s.api.core.v1.NodeSelectorTerm'));
}
