/**
 * The search: depth first, first fit. Claims, requests, alternatives and devices are tried strictly in order, so drivers steer preference by
 * the names of pools and slices and the order of devices. Within a request only combinations are tried, not permutations: each further
 * device stands after the one before.
 *
 * Nothing is proved in advance. Only from the first dead end on, `Prospects` tells which branches cannot end well; they are left out, which
 * changes the effort and never the answer.
 */
import type { DeviceEntry } from './device.ts';
import type { Effort } from './effort.ts';
import { type Place, type Position, Prospects, type ProspectsContext, START } from './prospects.ts';
import { AllocationError, type DeviceReason } from './refusal.ts';
import type { Candidate, DeviceAsk } from './device-ask.ts';
import { ALLOCATION_RESULTS_MAX_SIZE, type RequestPlan } from './requests.ts';

/** What became of a branch. `tooLarge`: more than 32 devices for one claim, so other devices of the same request are no help. */
type Outcome = 'found' | 'none' | 'tooLarge';

/** What a search works on. */
export interface SearchContext extends Omit<ProspectsContext, 'effort'> {
  /** Is told of every device that was not given to an ask. */
  readonly refused?: ((ask: DeviceAsk, candidate: Candidate, reason: DeviceReason) => void) | undefined;
}

/** One search over one node's pools. */
export class Search {
  readonly #context: SearchContext;
  readonly #effort: Effort;
  /** Set from the first dead end on. */
  #prospects: Prospects | undefined;
  /** Set when a constraint ruled out an alternative that asks for all devices. */
  #violation: AllocationError | undefined;

  constructor(context: SearchContext, effort: Effort) {
    this.#context = context;
    this.#effort = effort;
  }

  /** Whether there is a solution; then the attempt holds its picks. Throws AllocationError or NodeError. */
  run(): boolean {
    if (this.#request(0, 0) === 'found') return true;
    if (this.#violation !== undefined) throw this.#violation;
    return false;
  }

  /** The given request of the given claim, and everything after it. */
  #request(claim: number, index: number): Outcome {
    this.#effort.step();
    const plan = this.#context.claims[claim];
    if (plan === undefined) return 'found';
    const request = plan.requests[index];
    if (request === undefined) return this.#request(claim + 1, 0) === 'found' ? 'found' : 'none';
    if (request.isList) return this.#alternatives(request, { claim, request: index });
    const [ask] = request.asks;
    return ask === undefined ? 'none' : this.#devices({ claim, request: index, ask, isAlternative: false }, 0, START);
  }

  /** The alternatives in order of preference. */
  #alternatives({ asks }: RequestPlan, at: { readonly claim: number; readonly request: number }): Outcome {
    let tooLarge = 0;
    for (const ask of asks) {
      this.#effort.step();
      const outcome = this.#devices({ ...at, ask, isAlternative: true }, 0, START);
      if (outcome === 'found') return outcome;
      if (outcome === 'tooLarge') tooLarge++;
    }
    return tooLarge === asks.length ? 'tooLarge' : 'none';
  }

  /** The device number `index` of an ask and everything after it. Its invocation is counted by the caller. */
  #devices(place: Place, index: number, from: Position): Outcome {
    const { ask, claim, request } = place;
    if (ask.all?.length === 0) return 'none';
    if (index >= ask.count) return this.#request(claim, request + 1);
    if (this.#context.attempt.countOf(claim) + ask.count - index > ALLOCATION_RESULTS_MAX_SIZE) return 'tooLarge';
    return ask.all === undefined ? this.#anyDevice(place, index, from) : this.#nextOfAll(place, index);
  }

  /** allocationMode All leaves no choice. */
  #nextOfAll(place: Place, index: number): Outcome {
    const { ask, isAlternative } = place;
    const candidate = ask.all?.[index];
    if (candidate === undefined) return 'none';
    const { attempt, ledger } = this.#context;
    const refusal = attempt.pick(ask, candidate, ledger.useOf(candidate.entry));
    if (refusal !== undefined) {
      this.#context.refused?.(ask, candidate, refusal);
      if (refusal.kind !== 'constraint') return 'none';
      const what = `cannot add device ${candidate.entry.id} because a claim constraint would not be satisfied`;
      const violation = new AllocationError(`claim ${ask.claimKey}, request ${ask.shortName}: ${what}`);
      if (!isAlternative) throw violation;
      // Unlike upstream, other alternatives get their turn; only when nothing works out is the claim at fault.
      this.#violation ??= violation;
      return 'none';
    }
    this.#effort.step();
    const outcome = this.#devices(place, index + 1, START);
    if (outcome !== 'found') attempt.unpick();
    return outcome;
  }

  /** The first device from the position on with which everything else works out. */
  #anyDevice(place: Place, index: number, from: Position): Outcome {
    const { pools, ledger, refused } = this.#context;
    const { ask } = place;
    const isHeldNoUse = !ask.adminAccess && refused === undefined;
    const failed = new FailedLikes();
    for (let p = from.pool; p < pools.length; p++) {
      const pool = pools[p];
      if (pool === undefined || pool.state !== 'complete') continue;
      this.#effort.spend();
      if (isHeldNoUse && ledger.areAllHeld(pool)) continue;
      const uses = ledger.usesOf(pool);
      for (let d = p === from.pool ? from.device : 0; d < pool.devices.length; d++) {
        const use = uses[d];
        if (isHeldNoUse && use !== undefined && use.whole > 0) continue;
        const entry = pool.devices[d];
        if (entry === undefined) continue;
        this.#effort.spend();
        if (failed.has(entry)) continue;
        const candidate = { pool, entry };
        const refusal = this.#context.attempt.pick(ask, candidate, use);
        if (refusal !== undefined) {
          refused?.(ask, candidate, refusal);
          continue;
        }
        const next: Position = { pool: p, device: d + 1 };
        const outcome = this.#follow(place, index + 1, next);
        if (outcome !== 'none') return outcome;
        const prospects = this.#deadEnd();
        if (!prospects.canJudge) continue;
        if (!prospects.hasEnough(ask, ask.count - index, next)) return 'none';
        failed.add(entry, prospects);
      }
    }
    return 'none';
  }

  /** What comes after a pick. Unless it leads to the goal, the pick is taken back. */
  #follow(place: Place, index: number, from: Position): Outcome {
    const { attempt } = this.#context;
    let outcome: Outcome = 'none';
    if (this.#prospects?.isHopeless(place, index, from) !== true) {
      this.#effort.step();
      outcome = this.#devices(place, index, from);
    }
    if (outcome !== 'found') attempt.unpick();
    return outcome;
  }

  #deadEnd(): Prospects {
    this.#prospects ??= new Prospects({ ...this.#context, effort: this.#effort });
    return this.#prospects;
  }
}

/** What the devices looked like that led nowhere. */
class FailedLikes {
  #prospects: Prospects | undefined;
  #likes: Set<unknown> | undefined;

  add(entry: DeviceEntry, prospects: Prospects): void {
    this.#prospects = prospects;
    this.#likes ??= new Set();
    this.#likes.add(prospects.likeness(entry));
  }

  has(entry: DeviceEntry): boolean {
    return this.#likes?.has(this.#prospects?.likeness(entry)) === true;
  }
}
