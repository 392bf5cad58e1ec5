/** Decides, without doing it, which ResourceSlices of a pool to delete, update and create. */
import type { CounterSet, Device, NodeSelector, ResourceSlice } from '#api';
import { nameOf, type OwnerReference } from '#machinery';

/** One slice that a driver wants; the kit adds names, generation and count. */
export interface DesiredSlice {
  readonly devices?: readonly Device[] | undefined;
  readonly sharedCounters?: readonly CounterSet[] | undefined;
  readonly perDeviceNodeSelection?: boolean | undefined;
  /** Kubernetes 1.37; older servers drop them, which the kit reports. */
  readonly partitionTypeAttribute?: string | undefined;
  readonly skipNodeOperations?: readonly string[] | undefined;
}

/** A pool that a driver wants published. Without a placement of its own it belongs to the driver's node. */
export interface DesiredPool {
  readonly generation?: number | undefined;
  readonly nodeSelector?: NodeSelector | undefined;
  readonly allNodes?: boolean | undefined;
  readonly slices: readonly DesiredSlice[];
}

/** What to write, in this order: deletes, updates, creates. */
export interface PoolPlan {
  readonly deletes: readonly ResourceSlice[];
  readonly updates: readonly ResourceSlice[];
  readonly creates: readonly ResourceSlice[];
}

/** Whose slices these are. */
export interface SliceOwner {
  readonly driver: string;
  readonly nodeName: string;
  readonly nodeReference: OwnerReference;
}

/** resource.k8s.io/v1: ResourceSliceMaxDevices, and ResourceSliceMaxDevicesWithTaintsOrConsumesCounters. */
const RESOURCE_SLICE_MAX_DEVICES = 128;
const RESOURCE_SLICE_MAX_DEVICES_WITH_TAINTS = 64;
/** resource.k8s.io/v1: ResourceSliceMaxCounterSets. */
const RESOURCE_SLICE_MAX_COUNTER_SETS = 8;
/** Digits of the index that opens a slice's name (controller: generateName). */
const INDEX_DIGITS_MIN = 5;

/** Splits devices and counter sets into slices within the API's limits: counters first, then devices in their order. */
export function splitDevices(devices: readonly Device[], sharedCounters: readonly CounterSet[] = []): readonly DesiredSlice[] {
  const costly = devices.some((device) => (device.taints ?? []).length > 0 || (device.consumesCounters ?? []).length > 0 || usesLists(device));
  const chunk = costly ? RESOURCE_SLICE_MAX_DEVICES_WITH_TAINTS : RESOURCE_SLICE_MAX_DEVICES;
  const slices: DesiredSlice[] = [];
  for (let i = 0; i < sharedCounters.length; i += RESOURCE_SLICE_MAX_COUNTER_SETS) {
    slices.push({ sharedCounters: sharedCounters.slice(i, i + RESOURCE_SLICE_MAX_COUNTER_SETS) });
  }
  for (let i = 0; i < devices.length; i += chunk) slices.push({ devices: devices.slice(i, i + chunk) });
  // An empty slice tells consumers that the pool is complete, not unknown.
  return slices.length > 0 ? slices : [{ devices: [] }];
}

function usesLists(device: Device): boolean {
  return Object.values(device.attributes ?? {}).some((a) => (a.ints ?? a.bools ?? a.strings ?? a.versions) !== undefined);
}

/** The plan that turns `existing`, all slices of the pool, into `desired`; undefined means that the pool goes. */
export function planPool(name: string, desired: DesiredPool | undefined, existing: readonly ResourceSlice[], owner: SliceOwner): PoolPlan {
  if (desired === undefined) return { deletes: existing, updates: [], creates: [] };
  const current = Math.max(0, ...existing.map((slice) => Number(slice.spec.pool.generation)));
  const digits = Math.max(INDEX_DIGITS_MIN, (desired.slices.length - 1).toString(16).length);
  const byIndex = new Map<number, ResourceSlice>();
  const deletes: ResourceSlice[] = [];
  for (const slice of existing) {
    const index = indexOf(slice, digits);
    const usable = Number(slice.spec.pool.generation) === current && index !== undefined && index < desired.slices.length && !byIndex.has(index);
    if (usable) byIndex.set(index, slice);
    else deletes.push(slice);
  }
  const wanted = (generation: number): readonly ResourceSlice[] =>
    desired.slices.map((slice, i) => sliceOf({ name, pool: desired, slice, generation, index: i, digits }, owner, byIndex.get(i)));
  const changed = wanted(current).filter((slice, i) => !sameSpec(slice, byIndex.get(i)));
  const creates = changed.filter((slice) => slice.metadata.uid === undefined);
  const generation = nextGeneration(desired.generation, current, creates.length > 0 || changed.length > 1);
  if (generation !== current) {
    const all = wanted(generation);
    return { deletes, updates: all.filter((s) => s.metadata.uid !== undefined), creates: all.filter((s) => s.metadata.uid === undefined) };
  }
  return { deletes, updates: changed, creates: [] };
}

/** A single update is atomic by itself; anything more needs a new generation so that nobody sees a mixture. */
function nextGeneration(wanted: number | undefined, current: number, several: boolean): number {
  if (wanted !== undefined && wanted > current) return wanted;
  return several ? current + 1 : current;
}

function indexOf(slice: ResourceSlice, digits: number): number | undefined {
  const prefix = nameOf(slice).split('-')[0] ?? '';
  return prefix.length === digits && /^[0-9a-f]+$/.test(prefix) ? Number.parseInt(prefix, 16) : undefined;
}

interface SlicePlace {
  readonly name: string;
  readonly pool: DesiredPool;
  readonly slice: DesiredSlice;
  readonly generation: number;
  readonly index: number;
  readonly digits: number;
}

function sliceOf(place: SlicePlace, owner: SliceOwner, existing: ResourceSlice | undefined): ResourceSlice {
  const { name, pool, slice, generation } = place;
  const elsewhere = pool.nodeSelector !== undefined || pool.allNodes === true || slice.perDeviceNodeSelection === true;
  // Fields that the generated type of this release does not have yet.
  const newer = { partitionTypeAttribute: slice.partitionTypeAttribute, skipNodeOperations: slice.skipNodeOperations };
  const prefix = place.index.toString(16).padStart(place.digits, '0');
  const metadata = existing?.metadata ?? {
    generateName: `${prefix}-${owner.driver}-${owner.nodeName}-`,
    ...(elsewhere ? {} : { ownerReferences: [owner.nodeReference] }),
  };
  return {
    metadata,
    spec: {
      driver: owner.driver,
      pool: { name, generation, resourceSliceCount: pool.slices.length },
      ...(elsewhere ? {} : { nodeName: owner.nodeName }),
      nodeSelector: pool.nodeSelector,
      allNodes: pool.allNodes === true ? true : undefined,
      perDeviceNodeSelection: slice.perDeviceNodeSelection,
      devices: withTimes(slice.devices, existing?.spec.devices),
      sharedCounters: slice.sharedCounters,
      ...newer,
    },
  };
}

/** A taint without a time keeps the one the server gave it while key, value and effect stay. */
function withTimes(devices: readonly Device[] | undefined, existing: readonly Device[] | undefined): readonly Device[] | undefined {
  return devices?.map((device) => {
    if (device.taints === undefined) return device;
    const known = existing?.find((other) => other.name === device.name)?.taints ?? [];
    const taints = device.taints.map((taint) => {
      const same = known.find((other) => other.key === taint.key && other.value === taint.value && other.effect === taint.effect);
      return taint.timeAdded === undefined && same?.timeAdded !== undefined ? { ...taint, timeAdded: same.timeAdded } : taint;
    });
    return { ...device, taints };
  });
}

function sameSpec(wanted: ResourceSlice, existing: ResourceSlice | undefined): boolean {
  return existing !== undefined && canonical(wanted.spec) === canonical(existing.spec);
}

/** JSON with sorted keys; empty and absent are one. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member === 'bigint') return `${member}n`;
    if (Array.isArray(member)) return member.length === 0 ? undefined : member;
    if (typeof member !== 'object' || member === null) return member === false ? undefined : member;
    const entries: [string, unknown][] = Object.entries(member);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
