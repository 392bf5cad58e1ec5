/** What is in use: the devices, shares and amounts that allocated claims hold. */
import type { DeviceRequestAllocationResult, ResourceClaim } from '#api';
import { keyOf, type Quantity } from '#machinery';
import { type Amounts, type DeviceEntry, type PoolId, poolId, readQuantity, ZERO } from './device.ts';

/** The use of one device by all claims. */
export interface DeviceUse {
  /** Claims that hold the whole device: one, unless something went wrong. */
  readonly whole: number;
  /** Claims' shares of the device. */
  readonly shares: number;
  /** What the shares consume together, by capacity. */
  readonly amounts: Amounts;
}

interface MutableUse extends DeviceUse {
  whole: number;
  shares: number;
  /** Devices held as a whole share one empty map. */
  amounts: Map<string, Quantity>;
}

/** The uses of a pool's devices. Objects stay where they are, so that a pool's devices can be paired with them once. */
interface PoolUses {
  /** By the names of the devices. */
  readonly devices: Map<string, MutableUse>;
  /** Devices that are held as a whole. */
  held: number;
  /** Rises when a device gets an object or loses it. */
  stamp: number;
}

/** Devices in some order, and room for what the ledger remembers about them. */
export interface Pairable {
  readonly id: PoolId;
  readonly devices: readonly DeviceEntry[];
  /** The ledger's; nobody else looks at it. */
  readonly pairing: { current?: Pairing | undefined };
}

/** Devices beside their uses, as far as there are any. */
interface Pairing {
  readonly ledger: Ledger;
  readonly source: PoolUses;
  readonly stamp: number;
  readonly uses: readonly (DeviceUse | undefined)[];
  /** All used devices of the pool are among these. */
  readonly isWhole: boolean;
}

/** What one result entry of one claim holds. Uses that somebody holds are never dropped, so they need not be looked up again. */
interface Holding {
  readonly pool: PoolUses;
  readonly use: MutableUse;
  /** Set for a share of a device, undefined for a whole one: what is taken of each capacity. */
  readonly amounts: readonly TakenAmount[] | undefined;
}

interface TakenAmount {
  readonly capacity: string;
  readonly amount: Quantity;
}

interface Held {
  readonly claim: ResourceClaim;
  readonly holdings: readonly Holding[];
}

const NO_AMOUNTS = new Map<string, Quantity>();

/** Objects for devices that were given back are kept for their next use, up to so many. */
const SPARE_MAX = 100_000;

/** Claims that are gone are forgotten when there are more of them than this and than of others. */
const LOST_MAX = 1000;

/**
 * Devices in use, kept claim by claim. Owned by its caller, who reports allocated claims, also those it only assumes to be.
 * Entries with adminAccess hold nothing.
 */
export class Ledger {
  /** By namespace/name. A large Map that gains and loses entries all the time is slow, so lost ones stay until there are many. */
  #claims = new Map<string, { held: Held | undefined }>();
  #lost = 0;
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
    if (allocation === undefined) {
      this.deleteClaim(key);
      return;
    }
    const place = this.#claims.get(key);
    if (place?.held?.claim.status?.allocation === allocation) return;
    if (place?.held !== undefined) for (const holding of place.held.holdings) this.#release(holding);
    const results = allocation.devices?.results ?? [];
    const held = { claim, holdings: results.filter(({ adminAccess }) => adminAccess !== true).map((result) => this.#take(result)) };
    if (place === undefined) this.#claims.set(key, { held });
    else {
      if (place.held === undefined) this.#lost--;
      place.held = held;
    }
    this.#revision++;
  }

  /** A claim (namespace/name) is gone; an unknown one is ignored. */
  deleteClaim(key: string): void {
    const place = this.#claims.get(key);
    if (place?.held === undefined) return;
    for (const holding of place.held.holdings) this.#release(holding);
    place.held = undefined;
    this.#revision++;
    if (++this.#lost > LOST_MAX && this.#lost > this.#claims.size / 2) this.#forgetLost();
    if (this.#spare > SPARE_MAX) this.#dropSpare();
  }

  /** A ledger of its own with the same contents, to try out what would be. */
  copy(): Ledger {
    const copy = new Ledger();
    for (const claim of this.claims()) copy.upsertClaim(claim);
    return copy;
  }

  /** The claims that hold something. */
  *claims(): Iterable<ResourceClaim> {
    for (const { held } of this.#claims.values()) if (held !== undefined) yield held.claim;
  }

  /** The use of a device; undefined when nobody uses it. */
  useOf(entry: DeviceEntry): DeviceUse | undefined {
    return this.#pools.get(entry.slice.pool)?.devices.get(entry.device.name);
  }

  /** The uses of devices of one pool, in their order. Valid until the ledger changes. */
  usesOf(devices: Pairable): readonly (DeviceUse | undefined)[] {
    return this.#pairing(devices).uses;
  }

  /** Whether it is certain, without a look at them, that all the devices are held as a whole. */
  areAllHeld(devices: Pairable): boolean {
    const { source, isWhole } = this.#pairing(devices);
    return isWhole && source.held === devices.devices.length;
  }

  #pairing({ id, devices, pairing }: Pairable): Pairing {
    const known = pairing.current;
    if (known !== undefined && known.ledger === this && known.stamp === known.source.stamp) return known;
    const source = this.#poolUses(id);
    const uses = devices.map((entry) => source.devices.get(entry.device.name));
    const found = new Set(uses).size - (uses.includes(undefined) ? 1 : 0);
    const current = { ledger: this, source, stamp: source.stamp, uses, isWhole: found === source.devices.size };
    pairing.current = current;
    return current;
  }

  #poolUses(pool: PoolId): PoolUses {
    let uses = this.#pools.get(pool);
    if (uses === undefined) {
      uses = { devices: new Map(), held: 0, stamp: 0 };
      this.#pools.set(pool, uses);
      this.#spare++;
    }
    return uses;
  }

  #take({ driver, pool: name, device, shareID, consumedCapacity }: DeviceRequestAllocationResult): Holding {
    const pool = this.#poolUses(poolId(driver, name));
    const use = this.#slot(pool, device);
    if (isFree(use)) this.#spare--;
    if (shareID === undefined) {
      if (use.whole++ === 0) pool.held++;
      return { pool, use, amounts: undefined };
    }
    const amounts = taken(consumedCapacity);
    use.shares++;
    if (use.amounts === NO_AMOUNTS && amounts.length > 0) use.amounts = new Map();
    for (const { capacity, amount } of amounts) use.amounts.set(capacity, use.amounts.get(capacity)?.add(amount) ?? amount);
    return { pool, use, amounts };
  }

  #slot(uses: PoolUses, device: string): MutableUse {
    let use = uses.devices.get(device);
    if (use === undefined) {
      use = { whole: 0, shares: 0, amounts: NO_AMOUNTS };
      uses.devices.set(device, use);
      uses.stamp++;
      this.#spare++;
    }
    return use;
  }

  #release({ pool, use, amounts }: Holding): void {
    if (amounts === undefined) {
      if (--use.whole === 0) pool.held--;
    } else if (--use.shares === 0) use.amounts = NO_AMOUNTS;
    else for (const { capacity, amount } of amounts) use.amounts.set(capacity, (use.amounts.get(capacity) ?? ZERO).sub(amount));
    if (isFree(use)) this.#spare++;
  }

  #forgetLost(): void {
    this.#claims = new Map([...this.#claims].filter(([, { held }]) => held !== undefined));
    this.#lost = 0;
  }

  #dropSpare(): void {
    for (const [pool, uses] of this.#pools) {
      for (const [device, use] of uses.devices) if (isFree(use)) uses.devices.delete(device);
      uses.stamp++;
      if (uses.devices.size === 0) this.#pools.delete(pool);
    }
    this.#spare = 0;
  }
}

function taken(consumed: Readonly<Record<string, string>> = {}): readonly TakenAmount[] {
  return Object.keys(consumed).map((capacity) => ({ capacity, amount: readQuantity(consumed[capacity] ?? '0') }));
}

function isFree(use: DeviceUse): boolean {
  return use.whole === 0 && use.shares === 0;
}
