/** What one pool offers to one node: complete, incomplete, invalid or, when outdated, nothing at all. */
import { type Amounts, type DeviceEntry, type PoolId, type SliceEntry } from './device.ts';
import type { Features } from './features.ts';
import type { Pairable } from './ledger.ts';
import { choosesNodes, matchesNode, type NodeView } from './node-match.ts';

/**
 * A pool as seen from a node, or from all nodes that the same slices concern. Only complete pools carry devices: those that the node can reach, in order
 * of trial.
 */
export interface NodePool extends Pairable {
  readonly driver: string;
  readonly name: string;
  readonly state: 'complete' | 'incomplete' | 'invalid';
  /** Why the pool is invalid. */
  readonly reason?: string | undefined;
  /** Devices for other nodes, as far as they had to be looked at; they draw from the same counters. */
  readonly elsewhere: Pairable;
  readonly counterSets: ReadonlyMap<string, Amounts>;
  /** Some reachable device has binding conditions: such pools are tried last. */
  readonly binding: boolean;
}

/** The pool made of `all` slices, of which the `relevant` ones concern the node; undefined when there are none or a newer generation is on its way. */
export function poolView(all: readonly SliceEntry[], relevant: readonly SliceEntry[], features: Features): NodePool | undefined {
  const here = newestGeneration(relevant);
  const [first] = here;
  if (first === undefined) return undefined;
  if (BigInt(here.length) === first.resourceSliceCount && agreeOnCount(here, first)) return buildPool(here, [], features);
  if (all.some((slice) => slice.generation > first.generation)) return undefined;
  const current = all.filter((slice) => slice.generation === first.generation && !isUnreadable(slice, features));
  if (!agreeOnCount(current, first)) return brokenPool(first, 'invalid', 'ResourceSlices in the pool generation declare inconsistent resourceSliceCount');
  if (BigInt(current.length) !== first.resourceSliceCount) return brokenPool(first, 'incomplete');
  return buildPool(
    here,
    current.filter((slice) => !here.includes(slice)),
    features,
  );
}

function agreeOnCount(slices: readonly SliceEntry[], first: SliceEntry): boolean {
  return slices.every((slice) => slice.resourceSliceCount === first.resourceSliceCount);
}

/** A slice that uses what a switched-off feature would have to understand is left alone. */
function isUnreadable(slice: SliceEntry, features: Features): boolean {
  return slice.usesGroups && !features.compatibilityGroups;
}

/** Whether the slice concerns the node at all. Throws AllocationError for a node selector that cannot be read. */
export function isRelevant(slice: SliceEntry, node: NodeView, features: Features): boolean {
  const { spec } = slice;
  if (!features.partitionableDevices && (spec.perDeviceNodeSelection !== undefined || slice.counterSets.length > 0)) return false;
  if (isUnreadable(slice, features)) return false;
  if (choosesNodes(spec)) return matchesNode(spec, node, () => `slice ${slice.name}`);
  if (spec.perDeviceNodeSelection !== true) return false;
  return slice.devices.some(({ device }) => matchesNode(device, node, () => `device ${device.name} in slice ${slice.name}`));
}

function newestGeneration(slices: readonly SliceEntry[]): readonly SliceEntry[] {
  let newest: bigint | undefined;
  for (const { generation } of slices) if (newest === undefined || generation > newest) newest = generation;
  return slices.filter((slice) => slice.generation === newest);
}

function brokenPool(slice: SliceEntry, state: 'incomplete' | 'invalid', reason?: string): NodePool {
  const { pool: id, spec, poolName: name } = slice;
  return { ...pairable(id, []), driver: spec.driver, name, state, reason, elsewhere: pairable(id, []), counterSets: new Map(), binding: false };
}

function pairable(id: PoolId, devices: readonly DeviceEntry[]): Pairable {
  return { id, devices, pairing: {} };
}

/** Slices are tried by name, their devices in the order of the slice. */
function buildPool(here: readonly SliceEntry[], others: readonly SliceEntry[], features: Features): NodePool | undefined {
  const [first] = here;
  if (first === undefined) return undefined;
  const ofCounters = (slice: SliceEntry): boolean => features.partitionableDevices && slice.counterSets.length > 0;
  const sorted = here.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const devices = sorted.filter((slice) => !ofCounters(slice)).flatMap((slice) => slice.devices);
  const elsewhere = others.filter((slice) => !ofCounters(slice)).flatMap((slice) => slice.devices);
  const counterSets = new Map<string, Amounts>();
  let reason = duplicateDevice(devices);
  for (const { name, amounts } of [...sorted, ...others].filter(ofCounters).flatMap((slice) => slice.counterSets)) {
    if (counterSets.has(name)) reason ??= `duplicate counter set name ${name}`;
    counterSets.set(name, amounts);
  }
  if (features.partitionableDevices) reason ??= unknownCounter(devices, counterSets) ?? unknownCounter(elsewhere, counterSets);
  if (reason !== undefined) return brokenPool(first, 'invalid', reason);
  const binding = devices.some(({ device }) => device.bindingConditions !== undefined);
  const { pool: id, spec, poolName: name } = first;
  return { ...pairable(id, devices), driver: spec.driver, name, state: 'complete', elsewhere: pairable(id, elsewhere), counterSets, binding };
}

function duplicateDevice(devices: readonly DeviceEntry[]): string | undefined {
  const names = new Set<string>();
  for (const { device } of devices) {
    if (names.has(device.name)) return `duplicate device name ${device.name}`;
    names.add(device.name);
  }
  return undefined;
}

function unknownCounter(devices: readonly DeviceEntry[], counterSets: ReadonlyMap<string, Amounts>): string | undefined {
  for (const use of devices.flatMap((entry) => entry.counters)) {
    const counters = counterSets.get(use.counterSet);
    if (counters === undefined) return `counter set ${use.counterSet} not found`;
    for (const name of use.amounts.keys()) if (!counters.has(name)) return `counter ${name} not found in counter set ${use.counterSet}`;
  }
  return undefined;
}
