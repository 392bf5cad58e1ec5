/** Whether the node has room for what the pod requests (NodeResourcesFit). */
import type { Node, Pod } from '#api';
import { Quantity } from '#machinery';
import { add, amountsOf, podRequests } from './pod-requests.ts';

const ZERO = Quantity.of(0);

/** Each thing the node has too little of, worded as upstream: `Too many pods`, then `Insufficient <resource>` with cpu, memory and storage first. */
export function fitRefusals(pod: Pod, node: Node, podsOnNode: readonly Pod[]): readonly string[] {
  const allocatable = amountsOf(node.status?.allocatable);
  const reasons: string[] = [];
  const podsMax = allocatable.get('pods') ?? ZERO;
  if (Quantity.of(podsOnNode.length + 1).compare(podsMax) > 0) reasons.push('Too many pods');
  const used = usedBy(podsOnNode);
  const wanted = [...podRequests(pod)].filter(([, amount]) => amount.sign() > 0).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
  for (const [resource, amount] of wanted) {
    const free = (allocatable.get(resource) ?? ZERO).sub(used.get(resource) ?? ZERO);
    if (amount.compare(free) > 0) reasons.push(`Insufficient ${resource}`);
  }
  return reasons;
}

function usedBy(pods: readonly Pod[]): ReadonlyMap<string, Quantity> {
  const used = new Map<string, Quantity>();
  for (const pod of pods) add(used, podRequests(pod));
  return used;
}

const FIRST: readonly string[] = ['cpu', 'memory', 'ephemeral-storage'];

function rank(resource: string): number {
  const index = FIRST.indexOf(resource);
  return index < 0 ? FIRST.length : index;
}
