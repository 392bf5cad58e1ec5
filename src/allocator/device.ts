/** A device as the allocator sees it: parsed once when its slice arrives, shared by all later searches. */
import type { Device, DeviceCounterConsumption, ResourceSlice, ResourceSliceSpec } from '#api';
import { type CelAttribute, type CelDevice, celDevice } from '#cel';
import { nameOf, parseQuantity, Quantity } from '#machinery';

/** driver/pool. */
export type PoolId = string & { readonly brand: 'PoolId' };

/** driver/pool/device, also as errors print it. */
export type DeviceId = string & { readonly brand: 'DeviceId' };

/** The id of a pool. Neither a driver nor a pool's first segment is ever empty, so the text is unique. */
export function poolId(driver: string, pool: string): PoolId {
  return `${driver}/${pool}` as PoolId;
}

/** The id of a device. */
export function deviceId(pool: PoolId, device: string): DeviceId {
  return `${pool}/${device}` as DeviceId;
}

/** Amounts by name: counters of a set, or capacities of a device. */
export type Amounts = ReadonlyMap<string, Quantity>;

/** What a device takes from one counter set while it is allocated. */
export interface CounterUse {
  readonly counterSet: string;
  readonly amounts: Amounts;
  /** Groups of which all users of the counter set need one in common (KEP 5963). */
  readonly groups: readonly string[];
}

/** One published device with what can be computed from its slice alone. */
export class DeviceEntry {
  readonly id: DeviceId;
  readonly device: Device;
  readonly slice: SliceEntry;
  /** Its place in the slice. */
  readonly index: number;
  readonly counters: readonly CounterUse[];
  #cel: CelDevice | undefined;

  constructor(device: Device, slice: SliceEntry, index: number) {
    this.id = deviceId(slice.pool, device.name);
    this.device = device;
    this.slice = slice;
    this.index = index;
    this.counters = device.consumesCounters === undefined ? NO_COUNTERS : device.consumesCounters.map(counterUse);
  }

  get driver(): string {
    return this.slice.spec.driver;
  }

  /** What selectors see of it; made when the first one asks. */
  get cel(): CelDevice {
    this.#cel ??= celDevice(this.driver, visiblePart(this.device));
    return this.#cel;
  }
}

const NO_COUNTERS: readonly CounterUse[] = [];

/** Fields of a slice that Kubernetes 1.36 does not have yet (1.37: KEP 5004's optional node operations). */
interface LaterSliceSpec extends ResourceSliceSpec {
  readonly skipNodeOperations?: readonly string[] | undefined;
}

/** Fields of a counter consumption that Kubernetes 1.36 does not have yet (1.37: KEP 5963). */
interface LaterConsumption extends DeviceCounterConsumption {
  readonly compatibilityGroups?: readonly string[] | undefined;
}

/** One slice, parsed. */
export interface SliceEntry {
  readonly name: string;
  readonly pool: PoolId;
  readonly poolName: string;
  readonly generation: bigint;
  readonly resourceSliceCount: bigint;
  readonly spec: ResourceSliceSpec;
  readonly skipNodeOperations: readonly string[];
  readonly devices: readonly DeviceEntry[];
  readonly counterSets: readonly { readonly name: string; readonly amounts: Amounts }[];
  /** Some device declares compatibility groups. */
  readonly usesGroups: boolean;
  /** What sets of selectors say about the devices, by their places; kept for as long as this version of the slice is. */
  readonly verdicts: WeakMap<object, Int8Array>;
}

/** Parses a slice. Amounts that cannot be read count as zero; the API server lets none through. */
export function sliceEntry(slice: ResourceSlice): SliceEntry {
  const spec: LaterSliceSpec = slice.spec;
  const devices: DeviceEntry[] = [];
  const pool = poolId(spec.driver, spec.pool.name);
  const entry: SliceEntry = {
    name: nameOf(slice),
    pool,
    poolName: spec.pool.name,
    generation: BigInt(spec.pool.generation),
    resourceSliceCount: BigInt(spec.pool.resourceSliceCount),
    spec,
    skipNodeOperations: spec.skipNodeOperations ?? [],
    devices,
    counterSets: (spec.sharedCounters ?? []).map((set) => ({ name: set.name, amounts: amountsOf(set.counters) })),
    usesGroups: (spec.devices ?? []).some((device) =>
      (device.consumesCounters ?? []).some((use: LaterConsumption) => (use.compatibilityGroups?.length ?? 0) > 0),
    ),
    verdicts: new WeakMap(),
  };
  (spec.devices ?? []).forEach((device, index) => devices.push(new DeviceEntry(device, entry, index)));
  return entry;
}

/** What selectors can see of the device; what is absent is left out. */
function visiblePart({ attributes, capacity, allowMultipleAllocations }: Device): Parameters<typeof celDevice>[1] {
  const visible: Record<string, CelAttribute> = {};
  for (const [name, attribute] of Object.entries(attributes ?? {})) {
    const { int, bool, string, version, ints, bools, strings, versions } = attribute;
    visible[name] = {
      ...(int !== undefined && { int }),
      ...(bool !== undefined && { bool }),
      ...(string !== undefined && { string }),
      ...(version !== undefined && { version }),
      ...(ints !== undefined && { ints }),
      ...(bools !== undefined && { bools }),
      ...(strings !== undefined && { strings }),
      ...(versions !== undefined && { versions }),
    };
  }
  return { attributes: visible, capacity, allowMultipleAllocations };
}

function counterUse(consumption: LaterConsumption): CounterUse {
  return { counterSet: consumption.counterSet, amounts: amountsOf(consumption.counters), groups: consumption.compatibilityGroups ?? [] };
}

function amountsOf(counters: Readonly<Record<string, { readonly value: string }>> | undefined): Amounts {
  return new Map(Object.entries(counters ?? {}).map(([name, counter]) => [name, readQuantity(counter.value)]));
}

/** Zero: where sums start. */
export const ZERO = Quantity.of(0);

/** Amounts read before: a cluster writes few different ones, again and again. */
const READ = new Map<string, Quantity>();
const READ_MAX = 1000;

/** The amount a text stands for; zero when it is not a quantity. */
export function readQuantity(text: string): Quantity {
  let amount = READ.get(text);
  if (amount === undefined) {
    amount = parseQuantity(text) ?? ZERO;
    if (READ.size >= READ_MAX) READ.clear();
    READ.set(text, amount);
  }
  return amount;
}
