/** What is in use: the devices, shares and amounts that allocated claims hold. */
import type { DeviceRequestAllocationResult, ResourceClaim } from '#api';
import { keyOf, type Quantity } from '#machinery';
import { type DeviceEntry, type DeviceId, deviceId, type PoolId, poolId, readQuantity, ZERO } from './device.ts';

/** The use of one device by all claims. */
export interface DeviceUse {
  /** Claims that hold the whole device: one, unless something went wrong. */
  readonly whole: number;
  /** Claims' shares of the device. */
  readonly shares: number;
  /** What the shares consume together, by capacity. */
  readonly amounts: ReadonlyMap<string, Quantity>;
}

/** What one result entry of one claim holds. */
interface Holding {
  readonly pool: PoolId;
  readonly device: DeviceId;
  /** Set for a share of a device, absent for a whole one. */
  readonly amounts?: ReadonlyMap<string, Quantity> | undefined;
}

interface MutableUse extends DeviceUse {
  whole: number;
  shares: number;
  /** Devices held as a whole share one empty map. */
  amounts: Map<string, Quantity>;
}

/** The uses of a pool's devices. Objects stay where they are, so that a pool's devices can be paired with them once. */
interface PoolUses {
  readonly devices: Map<DeviceId, MutableUse>;
  /** The uses beside the devices of a view, as far as there are any; made anew when a device is used that was not before. */
  paired: WeakMap<readonly DeviceEntry[], readonly (DeviceUse | undefined)[]>;
}

interface Held {
  readonly claim: ResourceClaim;
  readonly holdings: readonly Holding[];
}

const NO_AMOUNTS = new Map<string, Quantity>();

/** Objects for devices that were given back are kept for their next use, up to so many. */
const SPARE_MAX = 100_000;

/**
 * Devices in use, kept claim by claim. Owned by its caller, who reports allocated claims, also those it only assumes to be.
 * Entries with adminAccess hold nothing.
 */
export class Ledger {
  readonly #claims = new Map<string, Held>();
  readonly #pools = new Map<PoolId, PoolUses>();
  #spare = 0;
  #revision = 0;

  /** Rises with every change of what is in use. */
  get revision(): number {
    return this.#revision;
  }

  /** A claim has appeared or changed; without an allocation it holds nothing. */
  upsertClaim(claim: ResourceClaim): void {
    const key = keyOf(claim);
    const allocation = claim.status?.allocation;
    const known = this.#claims.get(key);
    if (known !== undefined) {
      if (known.claim.status?.allocation === allocation) return;
      this.deleteClaim(key);
    }
    if (allocation === undefined) return;
    const holdings = holdingsOf(allocation.devices?.results ?? []);
    this.#claims.set(key, { claim, holdings });
    this.#revision++;
    for (const holding of holdings) this.#take(holding);
  }

  /** A claim (namespace/name) is gone; an unknown one is ignored. */
  deleteClaim(key: string): void {
    const held = this.#claims.get(key);
    if (held === undefined) return;
    this.#claims.delete(key);
    this.#revision++;
    for (const holding of held.holdings) this.#release(holding);
    if (this.#spare > SPARE_MAX) this.#dropSpare();
  }

  /** A ledger of its own with the same contents, to try out what would be. */
  copy(): Ledger {
    const copy = new Ledger();
    for (const { claim } of this.#claims.values()) copy.upsertClaim(claim);
    return copy;
  }

  /** The claims that hold something. */
  *claims(): Iterable<ResourceClaim> {
    for (const { claim } of this.#claims.values()) yield claim;
  }

  /** The use of a device; undefined when nobody uses it. */
  useOf(entry: DeviceEntry): DeviceUse | undefined {
    return this.#pools.get(entry.slice.pool)?.devices.get(entry.id);
  }

  /** The uses of devices of one pool, in their order; undefined when none is in use. Valid until the ledger changes. */
  usesOf(pool: PoolId, devices: readonly DeviceEntry[]): readonly (DeviceUse | undefined)[] | undefined {
    const uses = this.#pools.get(pool);
    if (uses === undefined) return undefined;
    let paired = uses.paired.get(devices);
    if (paired === undefined) {
      paired = devices.map((entry) => uses.devices.get(entry.id));
      uses.paired.set(devices, paired);
    }
    return paired;
  }

  #take({ pool, device, amounts }: Holding): void {
    const use = this.#slot(pool, device);
    if (isFree(use)) this.#spare--;
    if (amounts === undefined) use.whole++;
    else use.shares++;
    if (amounts === undefined || amounts.size === 0) return;
    if (use.amounts === NO_AMOUNTS) use.amounts = new Map();
    for (const [name, amount] of amounts) use.amounts.set(name, (use.amounts.get(name) ?? ZERO).add(amount));
  }

  #slot(pool: PoolId, device: DeviceId): MutableUse {
    let uses = this.#pools.get(pool);
    if (uses === undefined) {
      uses = { devices: new Map(), paired: new WeakMap() };
      this.#pools.set(pool, uses);
    }
    let use = uses.devices.get(device);
    if (use === undefined) {
      use = { whole: 0, shares: 0, amounts: NO_AMOUNTS };
      uses.devices.set(device, use);
      uses.paired = new WeakMap();
      this.#spare++;
    }
    return use;
  }

  #release({ pool, device, amounts }: Holding): void {
    const use = this.#slot(pool, device);
    if (amounts === undefined) use.whole--;
    else use.shares--;
    for (const [name, amount] of amounts ?? []) use.amounts.set(name, (use.amounts.get(name) ?? ZERO).sub(amount));
    if (!isFree(use)) return;
    use.amounts = NO_AMOUNTS;
    this.#spare++;
  }

  #dropSpare(): void {
    for (const [pool, uses] of this.#pools) {
      for (const [device, use] of uses.devices) if (isFree(use)) uses.devices.delete(device);
      uses.paired = new WeakMap();
      if (uses.devices.size === 0) this.#pools.delete(pool);
    }
    this.#spare = 0;
  }
}

function isFree(use: DeviceUse): boolean {
  return use.whole === 0 && use.shares === 0;
}

function holdingsOf(results: readonly DeviceRequestAllocationResult[]): readonly Holding[] {
  const holdings: Holding[] = [];
  for (const result of results) if (result.adminAccess !== true) holdings.push(holdingOf(result));
  return holdings;
}

function holdingOf(result: DeviceRequestAllocationResult): Holding {
  const pool = poolId(result.driver, result.pool);
  const device = deviceId(pool, result.device);
  if (result.shareID === undefined) return { pool, device };
  return { pool, device, amounts: new Map(Object.entries(result.consumedCapacity ?? {}).map(([name, amount]) => [name, readQuantity(amount)])) };
}
