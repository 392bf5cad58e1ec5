/**
 * The search: depth first, first fit. Claims, requests, alternatives and devices are tried strictly in order, so drivers steer preference by
 * the names of pools and slices and the order of devices. Within a request only combinations are tried, not permutations: each further
 * device stands after the one before.
 */
import type { Attempt } from './attempt.ts';
import type { Eligibility } from './eligibility.ts';
import type { NodePool } from './pool-view.ts';
import { AllocationError, NodeError } from './refusal.ts';
import { ALLOCATION_RESULTS_MAX_SIZE, type ClaimPlan, type DeviceAsk, type RequestPlan } from './requests.ts';

/**
 * Devices and invocations that one search may look at. Upstream gives up after ten seconds instead, which makes the answer depend on the
 * machine; this many take some seconds.
 */
export const EFFORT_MAX = 5_000_000;

/** Upstream's text when its time is over. */
const EFFORT_TEXT = 'timed out trying to allocate devices';

/** What became of a branch. `tooLarge`: more than 32 devices for one claim, so other devices of the same request are no help. */
type Outcome = 'found' | 'none' | 'tooLarge';

/** Where in the pools a request goes on. */
interface Position {
  readonly pool: number;
  readonly device: number;
}

const START: Position = { pool: 0, device: 0 };

/** What is being filled: an ask of a claim's request. */
interface Place {
  readonly claim: number;
  readonly request: number;
  readonly ask: DeviceAsk;
  /** The ask is an alternative of a prioritized list. */
  readonly isAlternative: boolean;
}

/** What a search works on. */
export interface SearchContext {
  readonly claims: readonly ClaimPlan[];
  readonly pools: readonly NodePool[];
  readonly eligibility: Eligibility;
  readonly attempt: Attempt;
  /** Default: EFFORT_MAX. */
  readonly effortMax?: number | undefined;
}

/** One search over one node's pools. */
export class Search {
  readonly #context: SearchContext;
  #steps = 0;
  #effort = 0;

  constructor(context: SearchContext) {
    this.#context = context;
  }

  /** Invocations so far, counted as upstream counts them. */
  get steps(): number {
    return this.#steps;
  }

  /** Whether there is a solution; then the attempt holds its picks. Throws AllocationError or NodeError. */
  run(): boolean {
    return this.#request(0, 0) === 'found';
  }

  /** The given request of the given claim, and everything after it. */
  #request(claim: number, index: number): Outcome {
    this.#step();
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
      this.#step();
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
    const { attempt } = this.#context;
    const refusal = attempt.pick(ask, candidate);
    if (refusal !== undefined) {
      ask.log.note(candidate.entry, refusal);
      if (refusal.kind !== 'constraint' || isAlternative) return 'none';
      const what = `cannot add device ${candidate.entry.id} because a claim constraint would not be satisfied`;
      throw new AllocationError(`claim ${ask.claimKey}, request ${ask.shortName}: ${what}`);
    }
    this.#step();
    const outcome = this.#devices(place, index + 1, START);
    if (outcome !== 'found') attempt.unpick();
    return outcome;
  }

  /** The first device from the position on with which everything else works out. */
  #anyDevice(place: Place, index: number, from: Position): Outcome {
    const { pools, attempt } = this.#context;
    for (let p = from.pool; p < pools.length; p++) {
      const pool = pools[p];
      if (pool === undefined || pool.state !== 'complete') continue;
      for (let d = p === from.pool ? from.device : 0; d < pool.devices.length; d++) {
        if (!this.#tryPick(place.ask, pool, d)) continue;
        this.#step();
        const outcome = this.#devices(place, index + 1, { pool: p, device: d + 1 });
        if (outcome === 'found') return outcome;
        attempt.unpick();
        if (outcome === 'tooLarge') return outcome;
      }
    }
    return 'none';
  }

  #tryPick(ask: DeviceAsk, pool: NodePool, index: number): boolean {
    const entry = pool.devices[index];
    if (entry === undefined) return false;
    this.#spend();
    const { attempt, eligibility } = this.#context;
    const used = attempt.useRefusal(ask, entry);
    if (used !== undefined) {
      ask.log.note(entry, used);
      return false;
    }
    if (!eligibility.check(ask, entry)) return false;
    const refusal = attempt.pick(ask, { pool, entry });
    if (refusal !== undefined) ask.log.note(entry, refusal);
    return refusal === undefined;
  }

  #step(): void {
    this.#steps++;
    this.#spend();
  }

  #spend(): void {
    if (++this.#effort > (this.#context.effortMax ?? EFFORT_MAX)) throw new NodeError('searchLimit', EFFORT_TEXT);
  }
}
