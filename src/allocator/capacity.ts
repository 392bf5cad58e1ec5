/** Consumable capacity (KEP 5075): whether a device has enough left, and what is taken in the current attempt. */
import type { Quantity } from '#machinery';
import type { Undo } from './counters.ts';
import { type Amounts, type DeviceEntry, readQuantity } from './device.ts';
import type { DeviceAsk } from './device-ask.ts';
import type { Features } from './features.ts';
import type { Ledger } from './ledger.ts';
import { exhausted, type Offer } from './offers.ts';
import type { DeviceReason } from './refusal.ts';

export { CapacityError } from './share.ts';

const NOTHING: Offer = { amounts: new Map() };

/** Keeps account of consumed capacity in one attempt. */
export class CapacityCheck {
  readonly #features: Features;
  readonly #ledger: Ledger;
  /** What the shares of the current attempt take together, by device. */
  #taken: Map<DeviceEntry, Amounts> | undefined;

  constructor(features: Features, ledger: Ledger) {
    this.#features = features;
    this.#ledger = ledger;
  }

  /** Whether the device serves several requests at once. */
  isMulti(entry: DeviceEntry): boolean {
    return this.#features.consumableCapacity && entry.device.allowMultipleAllocations === true;
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
    const taken = this.#taken?.get(entry);
    if ((held === undefined || held.size === 0) && taken === undefined) return undefined;
    for (const [capacity, wanted] of offer.amounts) {
      const used = sum(held?.get(capacity), taken?.get(capacity));
      if (used === undefined) continue;
      const total = readQuantity(entry.device.capacity?.[capacity]?.value ?? '0');
      if (used.exceedsWith(wanted, total)) return exhausted(capacity, wanted, total.sub(used));
    }
    return undefined;
  }

  /** Takes a share; `refusal` was asked before. */
  take(ask: DeviceAsk, entry: DeviceEntry): { readonly amounts: Amounts; readonly undo: Undo } {
    const amounts = this.amountsFor(ask, entry);
    const all = (this.#taken ??= new Map());
    const before = all.get(entry);
    all.set(entry, before === undefined ? amounts : sums(before, amounts));
    const undo = (): void => {
      if (before === undefined) all.delete(entry);
      else all.set(entry, before);
    };
    return { amounts, undo };
  }

  #offer(ask: DeviceAsk, entry: DeviceEntry): Offer {
    return this.#features.consumableCapacity ? ask.offers.of(entry) : NOTHING;
  }
}

/** The sum of what is there; undefined when nothing is. */
function sum(a: Quantity | undefined, b: Quantity | undefined): Quantity | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.add(b);
}

function sums(first: Amounts, second: Amounts): Amounts {
  const all = new Map(first);
  for (const [name, amount] of second) all.set(name, all.get(name)?.add(amount) ?? amount);
  return all;
}

const ZERO_AMOUNTS: Amounts = new Map();
