/** What the scheduler believes about claims: the informer's view, its own writes on top, and allocations still being written. */
import type { AllocationResult, ResourceClaim } from '#api';
import { type Clock, sleep } from '#base';
import type { Lister } from '#client';
import { keyOf } from '#machinery';

/** Where claims count as using devices; `Ledger` of the allocator is one. */
export interface DeviceUse {
  upsertClaim(claim: ResourceClaim): void;
  deleteClaim(key: string): void;
}

/**
 * Reads the latest known state of each claim and keeps `use` in step with it, so that a device is taken from the moment of
 * the decision and not only when the informer tells of it.
 */
export class ClaimCache {
  readonly #lister: Lister<ResourceClaim>;
  readonly #use: DeviceUse;
  readonly #assumed = new Map<string, ResourceClaim>();
  readonly #inFlight = new Map<string, ResourceClaim>();
  readonly #clock: Clock;
  readonly #waiting = new Set<{ readonly keys: readonly string[]; readonly wake: () => void }>();

  constructor(lister: Lister<ResourceClaim>, use: DeviceUse, clock: Clock) {
    this.#lister = lister;
    this.#use = use;
    this.#clock = clock;
  }

  /** Resolves at the next change of one of the claims that the informer delivers, after `timeoutMs`, or when `signal` aborts. */
  async changed(keys: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const waiter = { keys, wake: () => woken.abort() };
    this.#waiting.add(waiter);
    await sleep(this.#clock, timeoutMs, AbortSignal.any([signal, woken.signal])).catch(() => undefined);
    this.#waiting.delete(waiter);
  }

  /** The claim as the API has it, as far as known; an own write counts before the informer delivers it. */
  get(key: string): ResourceClaim | undefined {
    const listed = this.#lister.get(key);
    const assumed = this.#assumed.get(key);
    if (listed === undefined || assumed === undefined) return listed;
    return assumed.metadata.uid === listed.metadata.uid && isNewer(assumed, listed) ? assumed : listed;
  }

  /** Whether an allocation of the claim has been decided but not yet written. */
  isInFlight(key: string): boolean {
    return this.#inFlight.has(key);
  }

  /** An allocation was decided: `claim` carries it. */
  startAllocation(claim: ResourceClaim): void {
    this.#inFlight.set(keyOf(claim), claim);
    this.#account(keyOf(claim));
  }

  /** The allocation was written, or given up. One that was decided since for the claim, or for another of its name, goes on. */
  endAllocation(key: string, allocation: AllocationResult): void {
    if (this.#inFlight.get(key)?.status?.allocation !== allocation) return;
    this.#inFlight.delete(key);
    this.#account(key);
  }

  /** An own write succeeded with this result. */
  assume(claim: ResourceClaim): void {
    const key = keyOf(claim);
    const known = this.get(key);
    if (known === undefined || known.metadata.uid !== claim.metadata.uid || !isNewer(claim, known)) return;
    this.#assumed.set(key, claim);
    this.#account(key);
  }

  /** The informer delivered a change or deletion of the claim. */
  informed(key: string): void {
    if (this.get(key) !== this.#assumed.get(key)) this.#assumed.delete(key);
    this.#account(key);
    for (const waiter of this.#waiting) if (waiter.keys.includes(key)) waiter.wake();
  }

  #account(key: string): void {
    const claim = this.#inFlight.get(key) ?? this.get(key);
    if (claim === undefined) this.#use.deleteClaim(key);
    else this.#use.upsertClaim(claim);
  }
}

/** Resource versions of one resource are comparable numbers (KEP 5504). */
function isNewer(a: ResourceClaim, b: ResourceClaim): boolean {
  const [left, right] = [a.metadata.resourceVersion ?? '', b.metadata.resourceVersion ?? ''];
  return left.length !== right.length ? left.length > right.length : left > right;
}
