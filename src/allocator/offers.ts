/** What devices offer to requests for consumable capacity (KEP 5075), whoever else uses them. */
import type { Quantity } from '#machinery';
import { type Amounts, type DeviceEntry, readQuantity, type SliceEntry } from './device.ts';
import type { DeviceReason } from './refusal.ts';
import { CapacityError, shareOf } from './share.ts';

/** What a request for certain amounts would take of one device, or why the device cannot serve it whoever else uses it. */
export type Offer = { readonly amounts: Amounts } | { readonly refusal: DeviceReason };

/** Amounts that a request names, by capacity. */
export type RequestedAmounts = Readonly<Record<string, string>>;

/** No amounts: the request takes what the device hands out by default. */
export const NO_AMOUNTS_REQUESTED: RequestedAmounts = {};

/** Distinct combinations of requested amounts whose offers are remembered. */
const REQUESTS_MAX = 64;

/** What devices offer to one combination of requested amounts; remembered for as long as the version of their slice is known, by their places. */
export class Offers {
  /** Equal for equal amounts. */
  readonly key: string;
  readonly #requested: RequestedAmounts;
  readonly #fractional: boolean;
  readonly #slices = new WeakMap<SliceEntry, (Offer | undefined)[]>();

  constructor(key: string, requested: RequestedAmounts, fractional: boolean) {
    this.key = key;
    this.#requested = requested;
    this.#fractional = fractional;
  }

  /** The offer of the device; computed when it is not known. Throws CapacityError. */
  of(entry: DeviceEntry): Offer {
    let offers = this.#slices.get(entry.slice);
    if (offers === undefined) {
      offers = [];
      this.#slices.set(entry.slice, offers);
    }
    return (offers[entry.index] ??= offerOf(this.#requested, entry, this.#fractional));
  }
}

/** Keeps the offers to some combinations of requested amounts, shared by all searches. */
export class OfferCache {
  readonly #offers = new Map<string, Offers>();
  /** What was found for a claim's own list, which is asked for again when its pod is tried again. */
  readonly #ofRequests = new WeakMap<RequestedAmounts, { readonly fractional: boolean; readonly offers: Offers }>();

  /** The offers to a request for these amounts: equal amounts give the same, so that what was computed is shared. */
  offersFor(requested: RequestedAmounts, fractional: boolean): Offers {
    const known = this.#ofRequests.get(requested);
    if (known !== undefined && known.fractional === fractional) return known.offers;
    const offers = this.#equalOffers(requested, fractional);
    this.#ofRequests.set(requested, { fractional, offers });
    return offers;
  }

  #equalOffers(requested: RequestedAmounts, fractional: boolean): Offers {
    const key = `${fractional ? 'fractional ' : ''}${JSON.stringify(Object.entries(requested))}`;
    let offers = this.#offers.get(key);
    if (offers === undefined) {
      if (this.#offers.size >= REQUESTS_MAX) this.#offers.clear();
      offers = new Offers(key, requested, fractional);
      this.#offers.set(key, offers);
    }
    return offers;
  }
}

/** A capacity that the request names and the device lacks rules the device out; all capacities of the device are consumed, also unnamed ones. */
function offerOf(requested: RequestedAmounts, entry: DeviceEntry, fractional: boolean): Offer {
  const capacities = entry.device.capacity ?? {};
  for (const [capacity, wanted] of Object.entries(requested)) {
    if (!Object.hasOwn(capacities, capacity)) return { refusal: { kind: 'capacity', capacity, problem: 'missing', wanted } };
  }
  const amounts = new Map<string, Quantity>();
  for (const [name, capacity] of Object.entries(capacities)) {
    const wanted = Object.hasOwn(requested, name) ? requested[name] : undefined;
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

/** The device has too little left of the capacity. */
export function exhausted(capacity: string, wanted: Quantity, available: Quantity): DeviceReason {
  return { kind: 'capacity', capacity, problem: 'exhausted', wanted: wanted.toString(), available: available.toString() };
}
