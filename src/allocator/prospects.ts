/**
 * Proofs that a branch of the search cannot end well: too few usable devices for what is still wanted, or a device just like one that failed.
 *
 * All conditions on devices are monotonic: what is refused now stays refused while further devices are picked. So a device counts as usable
 * for an ask when it could be picked for it now, and if even these do not suffice, nothing below will. A proof is only worth something when
 * the branch cannot end in an error either, which upstream would report: that is settled once, by looking at all devices for all asks.
 */
import type { Attempt } from './attempt.ts';
import { CapacityError, type CapacityCheck } from './capacity.ts';
import type { Amounts, DeviceEntry } from './device.ts';
import type { Effort } from './effort.ts';
import type { Eligibility } from './eligibility.ts';
import type { Ledger } from './ledger.ts';
import { type Demand, isAssignable } from './matching.ts';
import type { NodePool } from './pool-view.ts';
import { AllocationError } from './refusal.ts';
import type { Candidate, DeviceAsk } from './device-ask.ts';
import type { ClaimPlan, RequestPlan } from './requests.ts';

/** Where in the pools a request goes on. */
export interface Position {
  readonly pool: number;
  readonly device: number;
}

/** The first device of the first pool. */
export const START: Position = { pool: 0, device: 0 };

/** What is being filled: an ask of a claim's request. */
export interface Place {
  readonly claim: number;
  readonly request: number;
  readonly ask: DeviceAsk;
  /** The ask is an alternative of a prioritized list. */
  readonly isAlternative: boolean;
}

/** What is judged. */
export interface ProspectsContext {
  readonly claims: readonly ClaimPlan[];
  readonly pools: readonly NodePool[];
  readonly ledger: Ledger;
  readonly eligibility: Eligibility;
  readonly capacity: CapacityCheck;
  readonly attempt: Attempt;
  readonly effort: Effort;
}

/** The outlook of one search. */
export class Prospects {
  readonly #context: ProspectsContext;
  /** One of each kind of ask that devices may tell apart. */
  readonly #kinds = new Map<string, DeviceAsk>();
  readonly #kindOf = new Map<DeviceAsk, string>();
  readonly #likenesses = new Map<DeviceEntry, string>();
  /** Whether proofs are worth something. */
  readonly canJudge: boolean;

  constructor(context: ProspectsContext) {
    this.#context = context;
    const asks = context.claims.flatMap((claim) => claim.requests.flatMap((request) => request.asks));
    for (const ask of asks) {
      const kind = kindOf(ask, context.claims[ask.claim]);
      this.#kindOf.set(ask, kind);
      if (!this.#kinds.has(kind)) this.#kinds.set(kind, ask);
    }
    this.canJudge = !context.claims.some(mayAbort) && [...this.#kinds.values()].every((ask) => this.#isHarmless(ask));
  }

  /** Whether so many devices from the position on could be picked for the ask. */
  hasEnough(ask: DeviceAsk, need: number, from: Position): boolean {
    return this.#usable(ask, need, from).length >= need;
  }

  /** Whether the rest of the place's ask, from its device number `index` on, and all that comes after it are out of reach. */
  isHopeless({ claim, request, ask }: Place, index: number, from: Position): boolean {
    if (!this.canJudge) return false;
    const later = this.#later(claim, request);
    const total = later.reduce((sum, plan) => sum + Math.max(...plan.asks.map((each) => each.count)), ask.count - index);
    if (total === 0) return false;
    const usable = new Map<string, readonly DeviceEntry[]>();
    const usableFor = (each: DeviceAsk): readonly DeviceEntry[] => {
      const kind = this.#kindOf.get(each) ?? '';
      const known = usable.get(kind) ?? this.#usable(each, total, START);
      usable.set(kind, known);
      return known;
    };
    const demands: Demand[] = [];
    if (index < ask.count) {
      const rest = ask.all === undefined ? this.#usable(ask, total, from) : this.#usableOf(ask.all.slice(index), ask);
      if (rest.length < ask.count - index) return true;
      this.#demand(demands, [{ ask, need: ask.count - index, options: rest }], total);
    }
    for (const plan of later) {
      const possible = plan.asks
        .map((each) => ({ ask: each, need: each.count, options: each.all === undefined ? usableFor(each) : this.#usableOf(each.all, each) }))
        .filter(({ ask: each, need, options }) => options.length >= need && each.all?.length !== 0);
      if (possible.length === 0) return true;
      this.#demand(demands, possible, total);
    }
    return demands.length > 1 && !isAssignable(demands);
  }

  /** Equal for devices that can stand in for each other: where one led nowhere, so will the other. */
  likeness(entry: DeviceEntry): unknown {
    if (this.#context.attempt.isTouched(entry)) return entry;
    let text = this.#likenesses.get(entry);
    if (text === undefined) {
      text = this.#describe(entry);
      this.#likenesses.set(entry, text);
    }
    return text;
  }

  #describe(entry: DeviceEntry): string {
    const { claims, eligibility } = this.#context;
    const perKind = [...this.#kinds.values()].map((ask) => {
      if (eligibility.refusal(ask, entry) !== undefined) return 0;
      const constraints = claims[ask.claim]?.constraints ?? [];
      return constraints.map((constraint) => {
        const compared = constraint.concerns(ask) ? constraint.valuesOf(ask, entry) : undefined;
        return compared === undefined ? 0 : [compared.isList, [...compared.values].sort()];
      });
    });
    const { device, slice } = entry;
    const drawsFrom = device.consumesCounters === undefined ? '' : slice.pool;
    return JSON.stringify([
      perKind,
      device.capacity,
      device.allowMultipleAllocations,
      device.taints,
      slice.skipNodeOperations,
      drawsFrom,
      device.consumesCounters,
    ]);
  }

  /** The requests after this one, in this claim and the later ones. */
  #later(claim: number, request: number): readonly RequestPlan[] {
    return this.#context.claims.slice(claim).flatMap(({ requests }, i) => (i === 0 ? requests.slice(request + 1) : requests));
  }

  /** Devices that could be picked for the ask now, from the position on; at most `limit` are looked for. */
  #usable(ask: DeviceAsk, limit: number, from: Position): readonly DeviceEntry[] {
    const { pools, attempt, effort } = this.#context;
    const usable: DeviceEntry[] = [];
    for (let p = from.pool; p < pools.length; p++) {
      const pool = pools[p];
      if (pool === undefined || pool.state !== 'complete') continue;
      for (let d = p === from.pool ? from.device : 0; d < pool.devices.length; d++) {
        const entry = pool.devices[d];
        if (entry === undefined) continue;
        effort.spend();
        if (attempt.refusal(ask, { pool, entry }) !== undefined) continue;
        usable.push(entry);
        if (usable.length >= limit) return usable;
      }
    }
    return usable;
  }

  #usableOf(candidates: readonly Candidate[], ask: DeviceAsk): readonly DeviceEntry[] {
    return candidates.filter((candidate) => this.#context.attempt.refusal(ask, candidate) === undefined).map(({ entry }) => entry);
  }

  /**
   * Notes what a request takes away from others, if that can matter: not when it only looks on, when devices serve several requests, or when there
   * are enough for all. Of alternatives the least is noted.
   */
  #demand(
    demands: Demand[],
    possible: readonly { readonly ask: DeviceAsk; readonly need: number; readonly options: readonly DeviceEntry[] }[],
    total: number,
  ): void {
    const { capacity } = this.#context;
    if (possible.some(({ ask, options }) => ask.adminAccess || options.length >= total)) return;
    const exclusive = possible.map(({ need, options }) => {
      const own = options.filter((entry) => !capacity.isMulti(entry));
      return { need: need - (options.length - own.length), options: own };
    });
    const need = Math.max(0, Math.min(...exclusive.map((each) => each.need)));
    const options = [...new Set(exclusive.flatMap((each) => each.options))];
    if (need > 0) demands.push({ need, options });
  }

  /** Whether no device makes the ask fail with an error, or gives back what it should consume. */
  #isHarmless(ask: DeviceAsk): boolean {
    const { pools, ledger, effort } = this.#context;
    try {
      for (const pool of pools) {
        const uses = ledger.usesOf(pool);
        for (const [i, entry] of pool.devices.entries()) {
          effort.spend();
          if (!ask.adminAccess && (uses[i]?.whole ?? 0) > 0) continue;
          if (!this.#isDeviceHarmless(ask, entry)) return false;
        }
      }
      return true;
    } catch (error) {
      if (error instanceof AllocationError || error instanceof CapacityError) return false;
      throw error;
    }
  }

  #isDeviceHarmless(ask: DeviceAsk, entry: DeviceEntry): boolean {
    const { claims, eligibility, capacity } = this.#context;
    if (eligibility.refusal(ask, entry) !== undefined) return true;
    // A share to look on spares a later user the counters.
    if (ask.adminAccess && entry.counters.length > 0 && capacity.isMulti(entry)) return false;
    if (hasNegative(capacity.amountsFor(ask, entry)) || entry.counters.some(({ amounts }) => hasNegative(amounts))) return false;
    for (const constraint of claims[ask.claim]?.constraints ?? []) if (constraint.concerns(ask)) constraint.valuesOf(ask, entry);
    return true;
  }
}

function hasNegative(amounts: Amounts): boolean {
  for (const amount of amounts.values()) if (amount.sign() < 0) return true;
  return false;
}

/** A request for all devices may end in an error when there are constraints. */
function mayAbort({ requests, constraints }: ClaimPlan): boolean {
  return constraints.length > 0 && requests.some(({ asks }) => asks.some(({ all }) => all !== undefined));
}

/** Asks of one kind accept and refuse the same devices. */
function kindOf(ask: DeviceAsk, plan: ClaimPlan | undefined): string {
  const bound = (plan?.constraints ?? []).map((constraint) => constraint.concerns(ask));
  const { claim, selectors, adminAccess, offers, tolerations, derived } = ask;
  return JSON.stringify([claim, selectors.key, adminAccess, offers.key, tolerations, bound, [...derived]]);
}
