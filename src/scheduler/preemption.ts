/** Preemption (DefaultPreemption): which pods of lower priority would have to go so that a pod fits. Devices in use are never freed by it. */
import type { Node, Pod } from '#api';
import { keyOf, nameOf } from '#machinery';
import { priorityOf } from './pod-priority.ts';
import type { Snapshot } from './snapshot.ts';
import { type Demand, type NodeOutcome, tryNode } from './try-node.ts';

/** A node that a pod was refused on. */
export interface RefusedNode {
  readonly node: Node;
  readonly outcome: Extract<NodeOutcome, { kind: 'refused' }>;
}

/** Pods to remove from one node. */
export interface Preemption {
  readonly nodeName: string;
  /** At least one, the most important first. */
  readonly victims: readonly Pod[];
}

/** What preemption can do; `texts` says for each node why it cannot. */
export interface PreemptionResult {
  readonly chosen?: Preemption | undefined;
  readonly texts: readonly string[];
  /** Set when preemption is out of the question for this pod; counts instead of `texts`. */
  readonly ineligible?: string | undefined;
}

const NOT_HELPFUL = 'Preemption is not helpful for scheduling';
const NO_VICTIMS = 'No preemption victims found for incoming pod';

/** Looks for the node where removing pods does the least harm. */
export function preempt(demand: Demand, refused: readonly RefusedNode[], snapshot: Snapshot): PreemptionResult {
  const ineligible = whyIneligible(demand.pod, snapshot);
  if (ineligible !== undefined) return { texts: [], ineligible };
  const texts: string[] = [];
  const candidates: Preemption[] = [];
  for (const { node, outcome } of refused) {
    const found = outcome.crowded ? victimsOn(node, demand, snapshot) : NOT_HELPFUL;
    if (typeof found === 'string') texts.push(found);
    else candidates.push({ nodeName: nameOf(node), victims: found });
  }
  return { texts, chosen: candidates.reduce<Preemption | undefined>((best, one) => (best === undefined || harm(one, best) < 0 ? one : best), undefined) };
}

/** A pod that already made others go waits for them (upstream: PodEligibleToPreemptOthers). */
function whyIneligible(pod: Pod, snapshot: Snapshot): string | undefined {
  if (pod.spec?.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
  const nominated = pod.status?.nominatedNodeName ?? '';
  const isGoing = (other: Pod): boolean => other.metadata.deletionTimestamp !== undefined && priorityOf(other) < priorityOf(pod);
  if (nominated !== '' && snapshot.podsOn(nominated).some(isGoing)) return 'not eligible due to a terminating pod on the nominated node.';
  return undefined;
}

/** The least important pods without which the pod fits: all less important ones go, then as many as possible are let back in. */
function victimsOn(node: Node, demand: Demand, snapshot: Snapshot): readonly Pod[] | string {
  const present = snapshot.podsOn(nameOf(node));
  const lower = present.filter((pod) => priorityOf(pod) < priorityOf(demand.pod)).sort(moreImportantFirst);
  if (lower.length === 0) return NO_VICTIMS;
  let staying = present.filter((pod) => !lower.includes(pod));
  const emptied = tryNode(demand, node, staying, snapshot);
  if (emptied.kind === 'refused') return emptied.reasons.join(', ');
  if (emptied.kind === 'failed') return emptied.message;
  const victims: Pod[] = [];
  for (const pod of lower) {
    const more = [...staying, pod];
    if (tryNode(demand, node, more, snapshot).kind === 'fits') staying = more;
    else victims.push(pod);
  }
  return victims.length === 0 ? NO_VICTIMS : victims;
}

/** Higher priority first, then the one that has run longer (upstream: util.MoreImportantPod). */
function moreImportantFirst(a: Pod, b: Pod): number {
  return priorityOf(b) - priorityOf(a) || startOf(a) - startOf(b) || (keyOf(a) < keyOf(b) ? -1 : 1);
}

/** A pod that has not started counts as just started. */
function startOf(pod: Pod): number {
  const started = Date.parse(pod.status?.startTime ?? '');
  return Number.isNaN(started) ? Number.MAX_SAFE_INTEGER : started;
}

/** Negative if `a` does less harm: lowest top priority, then lowest sum, fewest victims, latest start (upstream: pickOneNodeForPreemption). */
function harm(a: Preemption, b: Preemption): number {
  return topPriority(a) - topPriority(b) || sumOfPriorities(a) - sumOfPriorities(b) || a.victims.length - b.victims.length || topStart(b) - topStart(a);
}

function topPriority({ victims }: Preemption): number {
  return Math.max(...victims.map(priorityOf));
}

/** Shifted so that more victims of negative priority weigh more, too. */
function sumOfPriorities({ victims }: Preemption): number {
  return victims.reduce((sum, pod) => sum + priorityOf(pod) + 2 ** 31, 0);
}

/** When the first of the most important victims was started. */
function topStart(preemption: Preemption): number {
  const top = topPriority(preemption);
  return Math.min(...preemption.victims.filter((pod) => priorityOf(pod) === top).map(startOf));
}
