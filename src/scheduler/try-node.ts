/** Filter: whether a pod fits on one node, with which allocations, or why not. */
import { type AllocateOutcome, Allocator, type NodeView } from '#allocator';
import { oncePer } from '#base';
import type { AllocationResult, ContainerExtendedResourceRequest, Node, Pod, ResourceClaim } from '#api';
import { allocatableOf, nodeRefusals } from '#filters';
import { keyOf, matchesNodeSelector, nameOf } from '#machinery';
import { bindingState } from './binding-conditions.ts';
import { type ClassByResource, extendedClaimFor } from './extended-resources.ts';
import type { Snapshot } from './snapshot.ts';
import type { WakeCause } from './wake-cause.ts';

/** A claim of the pod that is to be placed, with the allocation it gets; absent if it has one already. */
export interface ClaimPlan {
  readonly claim: ResourceClaim;
  readonly allocation?: AllocationResult | undefined;
  /** Set for the claim that stands for extended resources: it has to be created first. */
  readonly requestMappings?: readonly ContainerExtendedResourceRequest[] | undefined;
}

/** What a pod needs besides room. */
export interface Demand {
  readonly pod: Pod;
  /** The claims that it names or that were made for it. */
  readonly claims: readonly ResourceClaim[];
  /** Extended resources that may be served by devices. */
  readonly backed: ClassByResource;
  /** A claim for extended resources left behind by an earlier attempt. */
  readonly leftover: ResourceClaim | undefined;
  /** What is asked of the allocator, by the resources that are served as devices; filled as nodes are tried. */
  readonly asked: Map<string, Asked>;
}

/** The pod's claims on all nodes that serve the same resources as devices. */
interface Asked {
  readonly plans: readonly ClaimPlan[];
  readonly unallocated: readonly ResourceClaim[];
  readonly allocator: Allocator;
}

/** The outcome for one node. */
export type NodeOutcome =
  | { readonly kind: 'fits'; readonly claims: readonly ClaimPlan[] }
  | {
      readonly kind: 'refused';
      readonly reasons: readonly string[];
      /** An empty node would not refuse: other pods are in the way. */
      readonly crowded: boolean;
      readonly wakes: readonly WakeCause[];
      /** Allocated claims that cannot be used on the node. */
      readonly unavailable: readonly ResourceClaim[];
    }
  /** The claims or classes themselves are at fault, so no node can help. */
  | { readonly kind: 'failed'; readonly message: string };

type Refused = Extract<NodeOutcome, { kind: 'refused' }>;

/** The node's own refusal first, then the claims. `podsOnNode` are the pods that take room there. */
export function tryNode(demand: Demand, node: Node, podsOnNode: readonly Pod[], snapshot: Snapshot): NodeOutcome {
  const asDevices = servedAsDevices(demand.backed, node);
  const reasons = nodeRefusals(demand.pod, node, podsOnNode, asDevices);
  if (reasons.length > 0) {
    const crowded = podsOnNode.length > 0 && nodeRefusals(demand.pod, node, EMPTY, asDevices).length === 0;
    return { kind: 'refused', reasons, crowded, wakes: ['node', 'pod', 'class'], unavailable: [] };
  }
  if (asDevices.size > 0 && demand.leftover !== undefined) return refusedByClaims('cannot schedule extended resource claim', []);
  if (asDevices.size === 0 && demand.claims.length === 0) return { kind: 'fits', claims: [] };
  return tryClaims(demand, asDevices, node, snapshot);
}

const EMPTY: readonly Pod[] = [];

/** A resource that the node has none of is asked for as devices; otherwise the device plugin of the node serves it. */
function servedAsDevices(backed: ClassByResource, node: Node): ReadonlySet<string> {
  const found = new Set<string>();
  for (const resource of backed.keys()) if (allocatableOf(node).get(resource)?.isZero() !== false) found.add(resource);
  return found;
}

function tryClaims(demand: Demand, asDevices: ReadonlySet<string>, node: Node, snapshot: Snapshot): NodeOutcome {
  const { plans, unallocated, allocator } = askedFor(demand, asDevices, snapshot);
  const unavailable = demand.claims.filter((claim) => claim.status?.allocation !== undefined && !isUsableOn(claim, node, snapshot));
  // Errors win over claims that cannot be used, so the allocator is asked in any case.
  const outcome = unallocated.length === 0 ? NOTHING_TO_ALLOCATE : allocator.allocate(nodeView(node));
  if (outcome.kind === 'failed') return { kind: 'failed', message: `running "DynamicResources" filter plugin: ${outcome.message}` };
  if (outcome.kind === 'unschedulable') return refusedByClaims(outcome.reason, unavailable);
  if (unavailable.length > 0) return refusedByClaims('resourceclaim not available on the node', unavailable);
  const allocations = new Map(unallocated.map((claim, i) => [keyOf(claim), outcome.allocations[i]]));
  return { kind: 'fits', claims: plans.map((plan) => ({ ...plan, allocation: allocations.get(keyOf(plan.claim)) })) };
}

const NOTHING_TO_ALLOCATE: AllocateOutcome = { kind: 'allocated', allocations: [], steps: 0 };

/** One allocator serves all nodes that are asked for the same: it prepares the claims once. */
function askedFor(demand: Demand, asDevices: ReadonlySet<string>, { pools, ledger, deviceClass, features, random }: Snapshot): Asked {
  const key = [...asDevices].sort().join();
  const known = demand.asked.get(key);
  if (known !== undefined) return known;
  const backed = new Map([...demand.backed].filter(([resource]) => asDevices.has(resource)));
  const extended = backed.size === 0 ? [] : [extendedClaimFor(demand.pod, backed)];
  const plans: readonly ClaimPlan[] = [...demand.claims.map((claim) => ({ claim })), ...extended];
  const unallocated = plans.map(({ claim }) => claim).filter((claim) => claim.status?.allocation === undefined);
  const asked = { plans, unallocated, allocator: new Allocator({ claims: unallocated, pools, ledger, deviceClass, features, random }) };
  demand.asked.set(key, asked);
  return asked;
}

function refusedByClaims(reason: string, unavailable: readonly ResourceClaim[]): Refused {
  return { kind: 'refused', reasons: [reason], crowded: false, wakes: ['claim', 'slice', 'class'], unavailable };
}

/** Whether an allocated claim can be used on the node: reachable from there and not known to have failed to bind. */
function isUsableOn(claim: ResourceClaim, node: Node, snapshot: Snapshot): boolean {
  const selector = claim.status?.allocation?.nodeSelector;
  if (selector !== undefined && !matchesNodeSelector(selector, nodeView(node))) return false;
  const state = bindingState(claim, snapshot.nowMs, snapshot.bindingTimeoutMs);
  return state.kind === 'ready' || state.kind === 'waiting';
}

/** The same view for as long as the node does not change: what the allocator remembers hangs on it. */
const nodeView = oncePer((node: Node): NodeView => {
  const declaredFeatures = node.status?.declaredFeatures;
  return { name: nameOf(node), labels: node.metadata.labels ?? {}, ...(declaredFeatures === undefined ? {} : { declaredFeatures }) };
});
