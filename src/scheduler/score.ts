/** How good a node that fits is: preferred alternatives of claims first, then room left. */
import type { AllocationResult, Node, Pod, ResourceClaim } from '#api';
import { parseQuantity } from '#machinery';

/** What the score looks at besides pod and node. */
export interface ScoreInput {
  readonly podsOnNode: readonly Pod[];
  readonly claims: readonly { readonly claim: ResourceClaim; readonly allocation?: AllocationResult | undefined }[];
}

/** Alternatives per request (resource/v1: FirstAvailableDeviceRequestMaxSize). */
const ALTERNATIVES_MAX = 8;

/** One step of an alternative weighs more than all the room of a node: upstream's plugin has twice the weight and normalises. */
const ALTERNATIVE_WEIGHT = 1000;

/** What a pod that asks for nothing counts as in scoring (upstream's DefaultMilliCPURequest and DefaultMemoryRequest). */
const DEFAULT_REQUEST: Readonly<Record<string, bigint>> = { cpu: 100n, memory: 200n * 1024n * 1024n * 1000n };

/** Higher is better; only comparable between nodes of one decision. */
export function scoreNode(pod: Pod, node: Node, input: ScoreInput): number {
  let alternatives = 0;
  for (const { claim, allocation } of input.claims) alternatives += alternativesScore(claim, allocation ?? claim.status?.allocation);
  return alternatives * ALTERNATIVE_WEIGHT + leastAllocated(pod, node, input.podsOnNode);
}

/** Sum over firstAvailable requests of 8 less the index of the alternative chosen (KEP 4816). */
function alternativesScore(claim: ResourceClaim, allocation: AllocationResult | undefined): number {
  let score = 0;
  for (const request of claim.spec.devices?.requests ?? []) {
    const index = request.firstAvailable?.findIndex((alternative) => isChosen(allocation, `${request.name}/${alternative.name}`)) ?? -1;
    if (index >= 0) score += ALTERNATIVES_MAX - index;
  }
  return score;
}

function isChosen(allocation: AllocationResult | undefined, request: string): boolean {
  return (allocation?.devices?.results ?? []).some((result) => result.request === request);
}

/** Share of CPU and memory that would still be free, 0 to 100 (NodeResourcesLeastAllocated). */
function leastAllocated(pod: Pod, node: Node, podsOnNode: readonly Pod[]): number {
  let score = 0;
  const pods = [...podsOnNode, pod];
  for (const resource of ['cpu', 'memory']) {
    const capacity = milli(node.status?.allocatable?.[resource]);
    if (capacity === undefined || capacity <= 0n) continue;
    const used = pods.reduce((sum, other) => sum + requested(other, resource), 0n);
    if (used < capacity) score += Number(((capacity - used) * 100n) / capacity) / 2;
  }
  return score;
}

function requested(pod: Pod, resource: string): bigint {
  let sum = 0n;
  for (const container of pod.spec?.containers ?? []) {
    sum += milli(container.resources?.requests?.[resource]) ?? DEFAULT_REQUEST[resource] ?? 0n;
  }
  return sum;
}

function milli(quantity: string | undefined): bigint | undefined {
  return quantity === undefined ? undefined : parseQuantity(quantity)?.milliValue();
}
