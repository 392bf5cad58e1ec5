/** Allocates the claims of one pod on one node: all of them or none. Pure: nothing it is given changes. */
import type { AllocationResult, DeviceClass, ResourceClaim } from '#api';
import type { Random } from '#base';
import { Attempt } from './attempt.ts';
import { CapacityCheck } from './capacity.ts';
import { CounterAccount } from './counters.ts';
import { DerivedAttributes } from './derived.ts';
import { Eligibility } from './eligibility.ts';
import type { Features } from './features.ts';
import type { Ledger } from './ledger.ts';
import type { NodeView } from './node-match.ts';
import type { NodePool } from './pool-view.ts';
import type { PoolIndex } from './pools.ts';
import { AllocationError, NodeError, type Refusal } from './refusal.ts';
import { type ClaimPlan, planClaims } from './requests.ts';
import { allocationResult } from './result.ts';
import { Search } from './search.ts';

/** What to allocate, and the world to allocate from. */
export interface AllocateInput {
  readonly node: NodeView;
  /** The unallocated claims of one pod, in the pod's order. */
  readonly claims: readonly ResourceClaim[];
  readonly pools: PoolIndex;
  readonly ledger: Ledger;
  readonly deviceClass: (name: string) => DeviceClass | undefined;
  readonly features: Features;
  /** Gives the share ids. */
  readonly random: Random;
  /** Bounds the search; default EFFORT_MAX. */
  readonly effortMax?: number | undefined;
}

/** The answer for one node. */
export type AllocateOutcome =
  /** One result per claim, in their order. */
  | { readonly kind: 'allocated'; readonly allocations: readonly AllocationResult[]; readonly steps: number }
  /** Not on this node; `reason` is upstream's text and names no device, so that equal refusals can be counted. */
  | { readonly kind: 'unschedulable'; readonly reason: string; readonly trace: Refusal }
  /** Not on any node: a claim, a class or a selector is at fault. */
  | { readonly kind: 'failed'; readonly message: string };

/** Finds the first solution in the order of trial. */
export function allocate(input: AllocateInput): AllocateOutcome {
  const run: Run = { pools: [], claims: [], steps: 0 };
  try {
    return allocateIn(input, run);
  } catch (error) {
    if (error instanceof AllocationError) return { kind: 'failed', message: error.message };
    if (error instanceof NodeError) return { kind: 'unschedulable', reason: error.message, trace: traceOf(error.cause, run) };
    throw error;
  }
}

/** How far the allocation got, for the trace. */
interface Run {
  pools: readonly NodePool[];
  claims: readonly ClaimPlan[];
  steps: number;
}

function allocateIn(input: AllocateInput, run: Run): AllocateOutcome {
  const { node, features, ledger, random } = input;
  run.pools = input.pools.forNode(node, features);
  const eligibility = new Eligibility(node, features, input.pools.selectors);
  const capacity = new CapacityCheck(features, ledger);
  const derived = new DerivedAttributes(features);
  run.claims = planClaims(input.claims, { features, derived, pools: run.pools, eligibility, capacity, deviceClass: input.deviceClass });
  const attempt = new Attempt({ node, features, ledger, random, claims: run.claims, counters: new CounterAccount(features, ledger), capacity });
  const search = new Search({ claims: run.claims, pools: run.pools, eligibility, attempt, effortMax: input.effortMax });
  const found = search.run();
  run.steps = search.steps;
  if (!found) {
    if (run.pools.some((pool) => pool.state === 'invalid')) throw new NodeError('invalidPools', 'invalid resource pools were encountered');
    return { kind: 'unschedulable', reason: 'cannot allocate all claims', trace: traceOf('noFit', run) };
  }
  const allocations = run.claims.map((plan, i) =>
    allocationResult(
      plan,
      attempt.picks.filter((pick) => pick.ask.claim === i),
      { node, features },
    ),
  );
  return { kind: 'allocated', allocations, steps: search.steps };
}

function traceOf(cause: Refusal['cause'], { pools, claims, steps }: Run): Refusal {
  return {
    cause,
    requests: claims.flatMap(({ key, requests }) =>
      requests.flatMap(({ asks }) => asks.map((ask) => ({ claim: key, request: ask.name, wanted: ask.count, devices: ask.log.list() }))),
    ),
    pools: pools.flatMap(({ id, state, reason }) => (state === 'complete' ? [] : [{ pool: id, state, reason }])),
    steps,
  };
}
