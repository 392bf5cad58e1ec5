/** Allocates the claims of one pod, node by node: on each all of them or none. Pure: nothing it is given changes. */
import type { AllocationResult, DeviceClass, ResourceClaim } from '#api';
import type { Random } from '#base';
import { Attempt } from './attempt.ts';
import { CapacityCheck } from './capacity.ts';
import { CounterAccount } from './counters.ts';
import { DerivedAttributes } from './derived.ts';
import { Effort } from './effort.ts';
import { Eligibility } from './eligibility.ts';
import { explainRequests } from './explain.ts';
import type { Features } from './features.ts';
import type { Ledger } from './ledger.ts';
import type { NodeView } from './node-match.ts';
import type { NodePool } from './pool-view.ts';
import type { PoolIndex } from './pools.ts';
import { AllocationError, type Cause, InterruptedError, NodeError, type PoolProblem, type Refusal } from './refusal.ts';
import { type ClaimPlan, planClaims } from './requests.ts';
import { allocationResult } from './result.ts';
import { Search, type SearchContext } from './search.ts';

/** What to allocate, and the world to allocate from. */
export interface AllocatorInput {
  /** The unallocated claims of one pod, in the pod's order. */
  readonly claims: readonly ResourceClaim[];
  readonly pools: PoolIndex;
  readonly ledger: Ledger;
  readonly deviceClass: (name: string) => DeviceClass | undefined;
  readonly features: Features;
  /** Gives the share ids. */
  readonly random: Random;
  /** Bounds the search on one node; default EFFORT_MAX. */
  readonly effortMax?: number | undefined;
  /** Asked at every step of a search: the cause to end it (upstream: the context is done), or undefined to go on. */
  readonly interrupted?: (() => string | undefined) | undefined;
}

/** The answer for one node. */
export type AllocateOutcome =
  /** One result per claim, in their order. */
  | { readonly kind: 'allocated'; readonly allocations: readonly AllocationResult[]; readonly steps: number }
  /** Not on this node; `reason` is upstream's text and names no device, so that equal refusals can be counted. `explain` tells more. */
  | { readonly kind: 'unschedulable'; readonly reason: string; readonly cause: Cause; readonly steps: number }
  /** Not on any node: a claim, a class or a selector is at fault, or the caller interrupted the search. */
  | { readonly kind: 'failed'; readonly message: string; readonly isInterrupted?: boolean };

/** What is found out about the claims once and holds on every node, until the ledger changes. */
interface Preparation {
  readonly revision: number;
  readonly eligibility: Eligibility;
  readonly capacity: CapacityCheck;
  readonly claims: readonly ClaimPlan[];
  readonly attempt: Attempt;
}

/** Allocates one pod's claims on one node after the other; what does not depend on the node is done once. */
export class Allocator {
  readonly #input: AllocatorInput;
  #prepared: Preparation | undefined;

  constructor(input: AllocatorInput) {
    this.#input = input;
  }

  /** The first solution in the order of trial. */
  allocate(node: NodeView): AllocateOutcome {
    const effort = new Effort(this.#input.effortMax, this.#input.interrupted);
    try {
      return this.#allocate(node, effort);
    } catch (error) {
      if (error instanceof AllocationError) return { kind: 'failed', message: error.message };
      if (error instanceof InterruptedError) return { kind: 'failed', message: error.message, isInterrupted: true };
      if (error instanceof NodeError) return { kind: 'unschedulable', reason: error.message, cause: error.cause, steps: effort.steps };
      throw error;
    }
  }

  /** Why the claims do not fit on the node; undefined when they do. The world has to be as it was when they were refused. */
  explain(node: NodeView): Refusal | undefined {
    const outcome = this.allocate(node);
    if (outcome.kind === 'allocated') return undefined;
    if (outcome.kind === 'failed') return { cause: 'failed', message: outcome.message, requests: [], pools: [], steps: 0 };
    const { cause, reason, steps } = outcome;
    const { pools, features, effortMax } = this.#input;
    const offered = pools.forNode(node, features);
    return {
      cause,
      message: reason,
      steps,
      pools: poolProblems(offered),
      requests: cause === 'poolUnavailable' ? [] : explainRequests(this.#context(node, offered), new Effort(effortMax)),
    };
  }

  #allocate(node: NodeView, effort: Effort): AllocateOutcome {
    const { features, random } = this.#input;
    const pools = this.#input.pools.forNode(node, features);
    const context = this.#context(node, pools);
    const { claims, attempt } = context;
    try {
      const isFound = new Search(context, effort).run();
      if (!isFound) {
        if (pools.some(isInvalid)) throw new NodeError('invalidPools', 'invalid resource pools were encountered');
        return { kind: 'unschedulable', reason: 'cannot allocate all claims', cause: 'noFit', steps: effort.steps };
      }
      const allocations = claims.map((plan, i) => allocationResult(plan, attempt.picksOf(i), { node, features, random }));
      return { kind: 'allocated', allocations, steps: effort.steps };
    } finally {
      attempt.clear();
    }
  }

  #context(node: NodeView, pools: readonly NodePool[]): SearchContext {
    const { ledger } = this.#input;
    const known = this.#prepared?.revision === ledger.revision ? this.#prepared : undefined;
    const { claims, attempt, eligibility, capacity } = known ?? this.#prepare(node, pools);
    eligibility.visit(node);
    return { claims, pools, ledger, attempt, eligibility, capacity };
  }

  /** Throws AllocationError or NodeError. What is asked for with allocationMode All differs from node to node, so it is not kept. */
  #prepare(node: NodeView, pools: readonly NodePool[]): Preparation {
    const { features, ledger, deviceClass } = this.#input;
    const { selectors, offers } = this.#input.pools;
    const eligibility = new Eligibility(node, features);
    const capacity = new CapacityCheck(features, ledger);
    const derived = new DerivedAttributes(features);
    const claims = planClaims(this.#input.claims, { features, selectors, offers, derived, pools, eligibility, capacity, deviceClass });
    const attempt = new Attempt({ features, ledger, claims, eligibility, counters: new CounterAccount(features, ledger), capacity });
    const prepared = { revision: ledger.revision, eligibility, capacity, claims, attempt };
    this.#prepared = claims.some(asksForAll) ? undefined : prepared;
    return prepared;
  }
}

function isInvalid(pool: NodePool): boolean {
  return pool.state === 'invalid';
}

function asksForAll({ requests }: ClaimPlan): boolean {
  return requests.some(({ asks }) => asks.some(({ all }) => all !== undefined));
}

function poolProblems(pools: readonly NodePool[]): readonly PoolProblem[] {
  return pools.flatMap(({ id, state, reason }) => (state === 'complete' ? [] : [{ pool: id, state, reason }]));
}
