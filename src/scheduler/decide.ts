/** The decision: from a pod and a snapshot of the cluster to a node and allocations, or to reasons. Pure and synchronous. */
import { allocate, type Features, type Ledger, type PoolIndex } from '#allocator';
import type { Random } from '#base';
import type { AllocationResult, DeviceClass, Node, Pod, ResourceClaim } from '#api';
import { nodeRefusals } from '#filters';
import { keyOf, matchesNodeSelector, nameOf } from '#machinery';
import { bindingState } from './binding-conditions.ts';
import { isReservedForNoOther, missingClass, resolveClaims } from './pod-claims.ts';
import { type NodeRefusal, nodesRefusedText, podRefusedText } from './refusal-text.ts';
import type { WakeCause } from './scheduling-queue.ts';
import { scoreNode } from './score.ts';

/** Everything a decision looks at. */
export interface Snapshot {
  /** In the order in which they are tried. */
  readonly nodes: readonly Node[];
  readonly podsOn: (nodeName: string) => readonly Pod[];
  readonly claimOf: (key: string) => ResourceClaim | undefined;
  readonly isInFlight: (claimKey: string) => boolean;
  readonly deviceClass: (name: string) => DeviceClass | undefined;
  readonly pools: PoolIndex;
  readonly ledger: Ledger;
  readonly features: Features;
  readonly random: Random;
  readonly nowMs: number;
  readonly bindingTimeoutMs: number;
}

/** A claim of the pod that is to be placed, with the allocation it gets; absent if it has one already. */
export interface ClaimPlan {
  readonly claim: ResourceClaim;
  readonly allocation?: AllocationResult | undefined;
}

/** What to do with a pod. */
export type Decision =
  | { readonly kind: 'place'; readonly nodeName: string; readonly claims: readonly ClaimPlan[] }
  | { readonly kind: 'refused'; readonly message: string; readonly wakes: ReadonlySet<WakeCause>; readonly deallocate?: ResourceClaim | undefined }
  /** The claims or classes themselves are at fault, so no node can help. */
  | { readonly kind: 'failed'; readonly message: string };

/** Upstream stops looking for further nodes when it has so many that fit (minFeasibleNodesToFind). */
const MIN_FEASIBLE_NODES = 100;

/** Decides where the pod goes. The first of the best-scored nodes wins. */
export function decide(pod: Pod, snapshot: Snapshot): Decision {
  const count = snapshot.nodes.length;
  if (count === 0) return { kind: 'refused', message: 'no nodes available to schedule pods', wakes: new Set(['node']) };
  const resolved = resolveClaims(pod, snapshot.claimOf);
  if (!resolved.ok) return { kind: 'refused', message: podRefusedText(count, resolved.reason), wakes: new Set(['claim']) };
  const obstacle = claimObstacle(resolved.claims, snapshot);
  if (obstacle !== undefined) return { kind: 'refused', message: podRefusedText(count, obstacle), wakes: new Set(['claim', 'class']) };
  return chooseNode(pod, resolved.claims, snapshot);
}

/** PreFilter: what stands in the way on every node. */
function claimObstacle(claims: readonly ResourceClaim[], snapshot: Snapshot): string | undefined {
  for (const claim of claims) {
    if (claim.status?.allocation !== undefined) continue;
    if (snapshot.isInFlight(keyOf(claim))) return `resource claim ${keyOf(claim)} is in the process of being allocated`;
    const missing = missingClass(claim, (name) => snapshot.deviceClass(name) !== undefined);
    if (missing !== undefined) return missing;
  }
  return undefined;
}

type NodeOutcome =
  | { readonly kind: 'fits'; readonly claims: readonly ClaimPlan[] }
  | { readonly kind: 'refused'; readonly refusal: NodeRefusal; readonly wakes: readonly WakeCause[]; readonly unavailable: readonly ResourceClaim[] }
  | { readonly kind: 'failed'; readonly message: string };

function chooseNode(pod: Pod, claims: readonly ResourceClaim[], snapshot: Snapshot): Decision {
  const refusals: NodeRefusal[] = [];
  const wakes = new Set<WakeCause>();
  const unavailable = new Map<string, ResourceClaim>();
  let best: { nodeName: string; claims: readonly ClaimPlan[]; score: number } | undefined;
  const feasibleMax = feasibleNodesToFind(snapshot.nodes.length);
  let feasible = 0;
  for (const node of snapshot.nodes) {
    const outcome = tryNode(pod, node, claims, snapshot);
    if (outcome.kind === 'failed') return outcome;
    if (outcome.kind === 'fits') {
      const score = scoreNode(pod, node, { podsOnNode: snapshot.podsOn(nameOf(node)), claims: outcome.claims });
      if (best === undefined || score > best.score) best = { nodeName: nameOf(node), claims: outcome.claims, score };
      if (++feasible >= feasibleMax) break;
      continue;
    }
    refusals.push(outcome.refusal);
    for (const cause of outcome.wakes) wakes.add(cause);
    for (const claim of outcome.unavailable) unavailable.set(keyOf(claim), claim);
  }
  if (best !== undefined) return { kind: 'place', nodeName: best.nodeName, claims: best.claims };
  return refuse(pod, { refusals, wakes, unavailable: [...unavailable.values()], hasClaims: claims.length > 0 });
}

interface Refusals {
  readonly refusals: readonly NodeRefusal[];
  readonly wakes: Set<WakeCause>;
  readonly unavailable: readonly ResourceClaim[];
  readonly hasClaims: boolean;
}

/** PostFilter: a claim that is allocated in the wrong place and used by nobody else is given back. */
function refuse(pod: Pod, found: Refusals): Decision {
  const deallocate = found.unavailable.find((claim) => isReservedForNoOther(claim, pod));
  const afterwards = !found.hasClaims
    ? 'no new claims to deallocate'
    : deallocate === undefined
      ? 'still not schedulable'
      : 'deallocation of ResourceClaim completed';
  found.wakes.add('node');
  return { kind: 'refused', message: nodesRefusedText(found.refusals, afterwards), wakes: found.wakes, deallocate };
}

/** Filter: the node's own refusal first, then the claims. */
function tryNode(pod: Pod, node: Node, claims: readonly ResourceClaim[], snapshot: Snapshot): NodeOutcome {
  const podsOnNode = snapshot.podsOn(nameOf(node));
  const reasons = nodeRefusals(pod, node, podsOnNode);
  if (reasons.length > 0) {
    // A refusal that an empty node would not utter is due to other pods, which preemption could remove.
    const preemptionHelps = podsOnNode.length > 0 && nodeRefusals(pod, node, []).length === 0;
    return { kind: 'refused', refusal: { nodeName: nameOf(node), reasons, preemptionHelps }, wakes: ['node', 'pod'], unavailable: [] };
  }
  return claims.length === 0 ? { kind: 'fits', claims: [] } : tryClaims(node, claims, snapshot);
}

function tryClaims(node: Node, claims: readonly ResourceClaim[], snapshot: Snapshot): NodeOutcome {
  const unavailable = claims.filter((claim) => claim.status?.allocation !== undefined && !isUsableOn(claim, node, snapshot));
  const unallocated = claims.filter((claim) => claim.status?.allocation === undefined);
  const allocations = new Map<string, AllocationResult>();
  if (unallocated.length > 0) {
    const outcome = allocate({
      node: nodeView(node),
      claims: unallocated,
      pools: snapshot.pools,
      ledger: snapshot.ledger,
      deviceClass: snapshot.deviceClass,
      features: snapshot.features,
      random: snapshot.random,
    });
    if (outcome.kind === 'failed') return { kind: 'failed', message: `running "DynamicResources" filter plugin: ${outcome.message}` };
    if (outcome.kind === 'unschedulable') return refusedByClaims(node, outcome.reason, unavailable);
    unallocated.forEach((claim, i) => {
      const allocation = outcome.allocations[i];
      if (allocation !== undefined) allocations.set(keyOf(claim), allocation);
    });
  }
  if (unavailable.length > 0) return refusedByClaims(node, 'resourceclaim not available on the node', unavailable);
  return { kind: 'fits', claims: claims.map((claim) => ({ claim, allocation: allocations.get(keyOf(claim)) })) };
}

function refusedByClaims(node: Node, reason: string, unavailable: readonly ResourceClaim[]): NodeOutcome {
  return { kind: 'refused', refusal: { nodeName: nameOf(node), reasons: [reason], preemptionHelps: false }, wakes: ['claim', 'slice', 'class'], unavailable };
}

/** Whether an allocated claim can be used on the node: reachable from there and not known to have failed to bind. */
function isUsableOn(claim: ResourceClaim, node: Node, snapshot: Snapshot): boolean {
  const selector = claim.status?.allocation?.nodeSelector;
  if (selector !== undefined && !matchesNodeSelector(selector, nodeView(node))) return false;
  const state = bindingState(claim, snapshot.nowMs, snapshot.bindingTimeoutMs);
  return state.kind === 'ready' || state.kind === 'waiting';
}

function nodeView(node: Node): { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly declaredFeatures?: readonly string[] } {
  const declaredFeatures = node.status?.declaredFeatures;
  return { name: nameOf(node), labels: node.metadata.labels ?? {}, ...(declaredFeatures === undefined ? {} : { declaredFeatures }) };
}

/** Upstream's numFeasibleNodesToFind with the adaptive percentage: 50 % less 1 % per 125 nodes, at least 5 %. */
function feasibleNodesToFind(nodes: number): number {
  if (nodes < MIN_FEASIBLE_NODES) return nodes;
  const percentage = Math.max(5, 50 - Math.floor(nodes / 125));
  return Math.max(MIN_FEASIBLE_NODES, Math.floor((nodes * percentage) / 100));
}
