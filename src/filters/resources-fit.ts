/** Whether the node has room for what the pod requests (NodeResourcesFit). */
import type { Node, Pod } from '#api';
import { oncePer } from '#base';
import { Quantity } from '#machinery';
import { add, amountsOf, podRequests, type ResourceAmounts } from './pod-requests.ts';

const ZERO = Quantity.of(0);

/**
 * Each thing the node has too little of, worded as upstream: `Too many pods`, then `Insufficient <resource>` with cpu, memory and storage first.
 * `asDevices` are the resources that the pod gets through claims here. What a node's pods use together is remembered per list of them.
 */
export function fitRefusals(pod: Pod, node: Node, podsOnNode: readonly Pod[], asDevices: ReadonlySet<string>): readonly string[] {
  const allocatable = allocatableOf(node);
  const reasons: string[] = [];
  const podsMax = allocatable.get('pods') ?? ZERO;
  if (Quantity.of(podsOnNode.length + 1).compare(podsMax) > 0) reasons.push('Too many pods');
  for (const [resource, amount] of wantedBy(pod)) {
    if (asDevices.has(resource)) continue;
    const free = (allocatable.get(resource) ?? ZERO).sub(usedBy(podsOnNode).get(resource) ?? ZERO);
    if (amount.compare(free) > 0) reasons.push(`Insufficient ${resource}`);
  }
  return reasons;
}

/** What the node offers to pods. */
export const allocatableOf: (node: Node) => ResourceAmounts = oncePer((node) => amountsOf(node.status?.allocatable));

const wantedBy = oncePer((pod: Pod) =>
  [...podRequests(pod)].filter(([, amount]) => amount.sign() > 0).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1)),
);

const usedBy = oncePer((pods: readonly Pod[]): ResourceAmounts => {
  const used = new Map<string, Quantity>();
  for (const pod of pods) add(used, podRequests(pod));
  return used;
});

const FIRST: readonly string[] = ['cpu', 'memory', 'ephemeral-storage'];

function rank(resource: string): number {
  const index = FIRST.indexOf(resource);
  return index < 0 ? FIRST.length : index;
}
