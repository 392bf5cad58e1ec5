/** Consumable capacity (KEP 5075): whether a device has enough left, and what is taken in the current attempt. */
import type { Quantity } from '#machinery';
import type { Undo } from './counters.ts';
import { type Amounts, type DeviceEntry, type DeviceId, readQuantity, type SliceEntry, ZERO } from './device.ts';
import type { Features } from './features.ts';
import type { Ledger } from './ledger.ts';
import type { DeviceReason } from './refusal.ts';
import type { DeviceAsk } from './requests.ts';
import { CapacityError, shareOf } from './share.ts';

export { CapacityError } from './share.ts';

/** What a request for certain amounts would take of one device, or why the device cannot serve it whoever else uses it. */
type Offer = { readonly amounts: Amounts } | { readonly refusal: DeviceReason };

const NOTHING: Offer = { amounts: new Map() };

/** Distinct combinations of requested amounts remembered per slice. */
const REQUESTS_MAX = 64;

/** Remembers offers for as long as the version of a slice is known: devices by their places, for each combination of requested amounts. */
export class OfferCache {
  readonly #slices = new WeakMap<SliceEntry, Map<string, (Offer | undefined)[]>>();

  /** The offer of the device; computed when it is not known. Throws CapacityError. */
  offer(ask: DeviceAsk, entry: DeviceEntry, fractional: boolean): Offer {
    let requests = this.#slices.get(entry.slice);
    if (requests === undefined) {
      requests = new Map();
      this.#slices.set(entry.slice, requests);
    }
    const key = fractional ? `fractional ${ask.capacityKey}` : ask.capacityKey;
    let offers = requests.get(key);
    if (offers === undefined) {
      if (requests.size >= REQUESTS_MAX) requests.clear();
      offers = [];
      requests.set(key, offers);
    }
    return (offers[entry.index] ??= offerOf(ask, entry, fractional));
  }
}

/** Keeps account of consumed capacity in one attempt. */
export class CapacityCheck {
  readonly #features: Features;
  readonly #ledger: Ledger;
  readonly #offers: OfferCache;
  /** Shares of the current attempt. */
  #taken: Map<DeviceId, { shares: number; readonly amounts: Map<string, Quantity> }> | undefined;

  constructor(features: Features, ledger: Ledger, offers: OfferCache) {
    this.#features = features;
    this.#ledger = ledger;
    this.#offers = offers;
  }

  /** Whether the device serves several requests at once. */
  isMulti(entry: DeviceEntry): boolean {
    return this.#features.consumableCapacity && entry.device.allowMultipleAllocations === true;
  }

  /** Whether somebody, here or in the ledger, already has a share of the device. */
  hasShares(entry: DeviceEntry): boolean {
    return (this.#ledger.useOf(entry)?.shares ?? 0) > 0 || this.#taken?.has(entry.id) === true;
  }

  /** Why the device could not serve the request even if nobody else used it. Throws CapacityError. */
  offerRefusal(ask: DeviceAsk, entry: DeviceEntry): DeviceReason | undefined {
    const offer = this.#offer(ask, entry);
    return 'refusal' in offer ? offer.refusal : undefined;
  }

  /** What the request would take of the device; nothing when it cannot serve it. Throws CapacityError. */
  amountsFor(ask: DeviceAsk, entry: DeviceEntry): Amounts {
    const offer = this.#offer(ask, entry);
    return 'amounts' in offer ? offer.amounts : ZERO_AMOUNTS;
  }

  /** Why the device cannot serve the request now. Throws CapacityError. */
  refusal(ask: DeviceAsk, entry: DeviceEntry): DeviceReason | undefined {
    const offer = this.#offer(ask, entry);
    if ('refusal' in offer) return offer.refusal;
    const held = this.#ledger.useOf(entry)?.amounts;
    const taken = this.#taken?.get(entry.id)?.amounts;
    if ((held === undefined || held.size === 0) && taken === undefined) return undefined;
    for (const [capacity, wanted] of offer.amounts) {
      const used = sum(held?.get(capacity), taken?.get(capacity));
      if (used === undefined) continue;
      const total = readQuantity(entry.device.capacity?.[capacity]?.value ?? '0');
      if (used.add(wanted).compare(total) > 0) return exhausted(capacity, wanted, total.sub(used));
    }
    return undefined;
  }

  /** Takes a share; `refusal` was asked before. */
  take(ask: DeviceAsk, entry: DeviceEntry): { readonly amounts: Amounts; readonly undo: Undo } {
    const amounts = this.amountsFor(ask, entry);
    const all = (this.#taken ??= new Map());
    const taken = all.get(entry.id) ?? { shares: 0, amounts: new Map<string, Quantity>() };
    all.set(entry.id, taken);
    taken.shares++;
    for (const [name, amount] of amounts) taken.amounts.set(name, sum(taken.amounts.get(name), amount) ?? amount);
    const undo = (): void => {
      if (--taken.shares === 0) all.delete(entry.id);
      else for (const [name, amount] of amounts) taken.amounts.set(name, (taken.amounts.get(name) ?? ZERO).sub(amount));
    };
    return { amounts, undo };
  }

  #offer(ask: DeviceAsk, entry: DeviceEntry): Offer {
    return this.#features.consumableCapacity ? this.#offers.offer(ask, entry, this.#features.fractionalCapacityRange) : NOTHING;
  }
}

/** The sum of what is there; undefined when nothing is. */
function sum(a: Quantity | undefined, b: Quantity | undefined): Quantity | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.add(b);
}

const ZERO_AMOUNTS: Amounts = new Map();

/** A capacity that the request names and the device lacks rules the device out; all capacities of the device are consumed, also unnamed ones. */
function offerOf(ask: DeviceAsk, entry: DeviceEntry, fractional: boolean): Offer {
  const capacities = entry.device.capacity ?? {};
  for (const [capacity, wanted] of Object.entries(ask.capacity)) {
    if (!Object.hasOwn(capacities, capacity)) return { refusal: { kind: 'capacity', capacity, problem: 'missing', wanted } };
  }
  const amounts = new Map<string, Quantity>();
  for (const [name, capacity] of Object.entries(capacities)) {
    const wanted = Object.hasOwn(ask.capacity, name) ? ask.capacity[name] : undefined;
    const amount = namingCapacity(name, () => shareOf(capacity, wanted, fractional));
    if (amount === undefined) return { refusal: { kind: 'capacity', capacity: name, problem: 'policy', wanted } };
    const total = readQuantity(capacity.value);
    if (amount.compare(total) > 0) return { refusal: exhausted(name, amount, total) };
    amounts.set(name, amount);
  }
  return { amounts };
}

function namingCapacity<T>(name: string, compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof CapacityError)) throw error;
    throw new CapacityError(`capacity ${JSON.stringify(name)}: ${error.message}`);
  }
}

function exhausted(capacity: string, wanted: Quantity, available: Quantity): DeviceReason {
  return { kind: 'capacity', capacity, problem: 'exhausted', wanted: wanted.toString(), available: available.toString() };
}
