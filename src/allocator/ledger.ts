/** What is in use: the devices, shares and amounts that allocated claims hold. */
import type { DeviceRequestAllocationResult, ResourceClaim } from '#api';
import { keyOf, type Quantity } from '#machinery';
import { type DeviceId, deviceId, type PoolId, poolId, readQuantity, ZERO } from './device.ts';

/** What one result entry of one claim holds. */
interface Holding {
  readonly pool: PoolId;
  readonly device: DeviceId;
  /** Set for a share of a device, absent for a whole one. */
  readonly amounts?: ReadonlyMap<string, Quantity> | undefined;
}

/** The use of one device by all claims. */
interface Use {
  whole: number;
  shares: number;
  readonly amounts: Map<string, Quantity>;
}

/**
 * Devices in use, kept claim by claim. Owned by its caller, who reports allocated claims, also those it only assumes to be.
 * Entries with adminAccess hold nothing.
 */
export class Ledger {
  readonly #claims = new Map<string, ResourceClaim>();
  readonly #uses = new Map<DeviceId, Use>();
  readonly #byPool = new Map<PoolId, Set<DeviceId>>();
  #revision = 0;

  /** Rises with every change of what is in use. */
  get revision(): number {
    return this.#revision;
  }

  /** A claim has appeared or changed; without an allocation it holds nothing. */
  upsertClaim(claim: ResourceClaim): void {
    const key = keyOf(claim);
    const known = this.#claims.get(key);
    if (known !== undefined && known.status?.allocation === claim.status?.allocation) return;
    this.deleteClaim(key);
    if (claim.status?.allocation === undefined) return;
    this.#claims.set(key, claim);
    this.#revision++;
    for (const holding of holdingsOf(claim)) this.#take(holding);
  }

  /** A claim (namespace/name) is gone; an unknown one is ignored. */
  deleteClaim(key: string): void {
    const claim = this.#claims.get(key);
    if (claim === undefined) return;
    this.#claims.delete(key);
    this.#revision++;
    for (const holding of holdingsOf(claim)) this.#release(holding);
  }

  /** A ledger of its own with the same contents, to try out what would be. */
  copy(): Ledger {
    const copy = new Ledger();
    for (const claim of this.#claims.values()) copy.upsertClaim(claim);
    return copy;
  }

  /** The claims that hold something. */
  claims(): Iterable<ResourceClaim> {
    return this.#claims.values();
  }

  /** Some claim holds the whole device. */
  isHeld(device: DeviceId): boolean {
    return (this.#uses.get(device)?.whole ?? 0) > 0;
  }

  /** Some claim holds a share of the device. */
  isShared(device: DeviceId): boolean {
    return (this.#uses.get(device)?.shares ?? 0) > 0;
  }

  /** The amount of a capacity that the shares of a device hold together. */
  consumed(device: DeviceId, capacity: string): Quantity {
    return this.#uses.get(device)?.amounts.get(capacity) ?? ZERO;
  }

  /** The devices of a pool of which anything is in use. */
  inUse(pool: PoolId): ReadonlySet<DeviceId> {
    return this.#byPool.get(pool) ?? NOTHING;
  }

  #take({ pool, device, amounts }: Holding): void {
    let use = this.#uses.get(device);
    if (use === undefined) {
      use = { whole: 0, shares: 0, amounts: new Map() };
      this.#uses.set(device, use);
      const inPool = this.#byPool.get(pool) ?? new Set();
      this.#byPool.set(pool, inPool.add(device));
    }
    if (amounts === undefined) use.whole++;
    else use.shares++;
    for (const [name, amount] of amounts ?? []) use.amounts.set(name, (use.amounts.get(name) ?? ZERO).add(amount));
  }

  #release({ pool, device, amounts }: Holding): void {
    const use = this.#uses.get(device);
    if (use === undefined) return;
    if (amounts === undefined) use.whole--;
    else use.shares--;
    for (const [name, amount] of amounts ?? []) use.amounts.set(name, (use.amounts.get(name) ?? ZERO).sub(amount));
    if (use.whole > 0 || use.shares > 0) return;
    this.#uses.delete(device);
    const inPool = this.#byPool.get(pool);
    inPool?.delete(device);
    if (inPool?.size === 0) this.#byPool.delete(pool);
  }
}

const NOTHING: ReadonlySet<DeviceId> = new Set();

function holdingsOf(claim: ResourceClaim): readonly Holding[] {
  const results = claim.status?.allocation?.devices?.results ?? [];
  return results.filter((result) => result.adminAccess !== true).map(holdingOf);
}

function holdingOf(result: DeviceRequestAllocationResult): Holding {
  const pool = poolId(result.driver, result.pool);
  const device = deviceId(pool, result.device);
  if (result.shareID === undefined) return { pool, device };
  return { pool, device, amounts: new Map(Object.entries(result.consumedCapacity ?? {}).map(([name, amount]) => [name, readQuantity(amount)])) };
}
