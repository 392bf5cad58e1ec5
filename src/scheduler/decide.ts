/** The decision: from a pod and a snapshot of the cluster to a node and allocations, or to reasons. Pure and synchronous. */
import type { Node, Pod, ResourceClaim } from '#api';
import { keyOf, nameOf } from '#machinery';
import { classBackedResources } from './extended-resources.ts';
import { isReservedForNoOther, missingClass } from './pod-claims.ts';
import { priorityOf } from './pod-priority.ts';
import { type Preemption, preempt, type RefusedNode } from './preemption.ts';
import { nodesRefusedText, podRefusedText } from './refusal-text.ts';
import type { WakeCause } from './wake-cause.ts';
import { alternativesScore, alternativesScoreMax, roomScore } from './score.ts';
import type { Snapshot } from './snapshot.ts';
import { type ClaimPlan, type Demand, type NodeOutcome, tryNode } from './try-node.ts';

/** What to do with a pod. */
export type Decision =
  | { readonly kind: 'place'; readonly nodeName: string; readonly claims: readonly ClaimPlan[] }
  | {
      readonly kind: 'refused';
      readonly message: string;
      readonly wakes: ReadonlySet<WakeCause>;
      /** A claim to give back, because it is allocated where the pod cannot go. */
      readonly deallocate?: ResourceClaim | undefined;
      /** A claim for extended resources to delete, left behind by an earlier attempt. */
      readonly remove?: ResourceClaim | undefined;
      /** Pods to remove so that this one fits. */
      readonly preempt?: Preemption | undefined;
      /** An earlier nomination has come to nothing. */
      readonly denominate?: boolean | undefined;
    }
  /** The claims or classes themselves are at fault, so no node can help. */
  | { readonly kind: 'failed'; readonly message: string };

/** From so many nodes on upstream does not look at all of them (minFeasibleNodesToFind). */
const MIN_FEASIBLE_NODES = 100;

/** Decides where the pod goes. The first of the best-scored nodes wins. */
export function decide(pod: Pod, snapshot: Snapshot): Decision {
  const count = snapshot.nodes.length;
  if (count === 0) return { kind: 'refused', message: 'no nodes available to schedule pods', wakes: new Set(['node']) };
  const resolved = snapshot.claimsOf(pod);
  if (!resolved.ok) return { kind: 'refused', message: podRefusedText(count, resolved.reason), wakes: new Set(['claim']) };
  const obstacle = claimObstacle(resolved.claims, snapshot);
  if (obstacle !== undefined) return { kind: 'refused', message: podRefusedText(count, obstacle), wakes: new Set(['claim', 'class']) };
  const classExists = (name: string): boolean => snapshot.deviceClass(name) !== undefined;
  const backed = snapshot.classesByResource === undefined ? new Map<string, string>() : classBackedResources(pod, snapshot.classesByResource, classExists);
  const leftover = backed.size === 0 ? undefined : snapshot.extendedClaimOf(pod);
  return chooseNode({ pod, claims: resolved.claims, backed, leftover, asked: new Map() }, snapshot);
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

/**
 * Filter and Score. Where upstream looks at every node, so does this; in clusters so large that upstream looks at some nodes only, those with
 * most room are tried first, and no more than can still be better.
 */
function chooseNode(demand: Demand, snapshot: Snapshot): Decision {
  const isLarge = snapshot.nodes.length >= MIN_FEASIBLE_NODES;
  const scored = snapshot.nodes.map((node) => ({ node, room: roomScore(demand.pod, node, snapshot.podsOn(nameOf(node))) }));
  if (isLarge) scored.sort((a, b) => b.room - a.room);
  const alternativesMax = alternativesScoreMax(demand.claims);
  const refused: RefusedNode[] = [];
  let best: { nodeName: string; claims: readonly ClaimPlan[]; score: number } | undefined;
  for (const { node, room } of scored) {
    if (isLarge && best !== undefined && room + alternativesMax <= best.score) break;
    const outcome = tryNodeWithNominated(demand, node, snapshot);
    if (outcome.kind === 'failed') return outcome;
    if (outcome.kind === 'refused') {
      refused.push({ node, outcome });
      continue;
    }
    const score = room + alternativesScore(outcome.claims);
    if (best === undefined || score > best.score) best = { nodeName: nameOf(node), claims: outcome.claims, score };
  }
  if (best !== undefined) return { kind: 'place', nodeName: best.nodeName, claims: best.claims };
  return refuse(demand, refused, snapshot);
}

/** Room that is kept for pods at least as important counts as taken; the pod must fit with and without them (upstream: addGENominatedPods). */
function tryNodeWithNominated(demand: Demand, node: Node, snapshot: Snapshot): NodeOutcome {
  const present = snapshot.podsOn(nameOf(node));
  const isRival = (other: Pod): boolean => other.metadata.uid !== demand.pod.metadata.uid && priorityOf(other) >= priorityOf(demand.pod);
  const rivals = snapshot.nominatedTo(nameOf(node)).filter(isRival);
  if (rivals.length > 0) {
    const outcome = tryNode(demand, node, [...present, ...rivals], snapshot);
    if (outcome.kind !== 'fits') return outcome;
  }
  return tryNode(demand, node, present, snapshot);
}

/** PostFilter: a claim that is allocated in the wrong place and used by nobody else is given back; else pods of lower priority may go. */
function refuse(demand: Demand, refused: readonly RefusedNode[], snapshot: Snapshot): Decision {
  const unavailable = refused.flatMap(({ outcome }) => outcome.unavailable);
  const deallocate = unavailable.find((claim) => isReservedForNoOther(claim, demand.pod));
  const remove = deallocate === undefined ? demand.leftover : undefined;
  const { chosen, texts, ineligible } = preempt(demand, refused, snapshot);
  const message = nodesRefusedText({
    nodes: refused.length,
    reasons: refused.flatMap(({ outcome }) => outcome.reasons),
    claims: claimsText(demand, deallocate, remove),
    preemption: chosen === undefined ? (ineligible ?? texts) : undefined,
  });
  const wakes = new Set<WakeCause>(['node', ...refused.flatMap(({ outcome }) => outcome.wakes)]);
  return { kind: 'refused', message, wakes, deallocate, remove, preempt: chosen, denominate: chosen === undefined && ineligible === undefined };
}

function claimsText(demand: Demand, deallocate: ResourceClaim | undefined, remove: ResourceClaim | undefined): string {
  if (demand.claims.length === 0 && demand.backed.size === 0) return 'no new claims to deallocate';
  if (deallocate !== undefined) return 'deallocation of ResourceClaim completed';
  return remove === undefined ? 'still not schedulable' : 'deletion of ResourceClaim completed';
}
