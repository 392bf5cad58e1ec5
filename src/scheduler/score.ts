/** How good a node that fits is: preferred alternatives of claims first, then room left. */
import { oncePer } from '#base';
import type { AllocationResult, DeviceRequest, Node, Pod, ResourceClaim } from '#api';
import { allocatableOf, podRequests } from '#filters';

/** Alternatives per request (resource/v1: FirstAvailableDeviceRequestMaxSize). */
const ALTERNATIVES_MAX = 8;

/** One step of an alternative weighs more than all the room of a node: upstream's plugin has twice the weight and normalises. */
const ALTERNATIVE_WEIGHT = 1000;

/** What a pod that asks for nothing counts as in scoring: millicores and bytes (upstream's DefaultMilliCPURequest and DefaultMemoryRequest). */
const DEFAULT_REQUEST: Readonly<Record<Scored, number>> = { cpu: 100, memory: 200 * 1024 * 1024 };

/** The resources that scoring looks at. */
type Scored = 'cpu' | 'memory';
const SCORED: readonly Scored[] = ['cpu', 'memory'];

/** What a claim of a pod to be placed is given. */
interface Given {
  readonly claim: ResourceClaim;
  readonly allocation?: AllocationResult | undefined;
}

/** Sum over firstAvailable requests of 8 less the index of the alternative chosen (KEP 4816), weighed. */
export function alternativesScore(given: readonly Given[]): number {
  let score = 0;
  for (const { claim, allocation } of given) {
    for (const request of prioritized(claim)) {
      const index = request.firstAvailable?.findIndex((one) => isChosen(allocation ?? claim.status?.allocation, `${request.name}/${one.name}`)) ?? -1;
      if (index >= 0) score += ALTERNATIVES_MAX - index;
    }
  }
  return score * ALTERNATIVE_WEIGHT;
}

/** The most that the claims' alternatives can score on any node. */
export function alternativesScoreMax(claims: readonly ResourceClaim[]): number {
  return claims.reduce((sum, claim) => sum + prioritized(claim).length, 0) * ALTERNATIVES_MAX * ALTERNATIVE_WEIGHT;
}

/** Share of CPU and memory that would still be free, 0 to 100 (NodeResourcesLeastAllocated). */
export function roomScore(pod: Pod, node: Node, podsOnNode: readonly Pod[]): number {
  let score = 0;
  for (const resource of SCORED) {
    const capacity = capacityOf(node)[resource];
    const used = usedBy(podsOnNode)[resource] + requestedBy(pod)[resource];
    if (used < capacity) score += Math.floor(((capacity - used) * 100) / capacity) / 2;
  }
  return score;
}

function prioritized(claim: ResourceClaim): readonly DeviceRequest[] {
  return (claim.spec.devices?.requests ?? []).filter((request) => (request.firstAvailable ?? []).length > 0);
}

function isChosen(allocation: AllocationResult | undefined, request: string): boolean {
  return (allocation?.devices?.results ?? []).some((result) => result.request === request);
}

/** Millicores and bytes. */
type Amounts = Readonly<Record<Scored, number>>;

const capacityOf = oncePer((node: Node): Amounts => ({
  cpu: Number(allocatableOf(node).get('cpu')?.milliValue() ?? 0n),
  memory: Number(allocatableOf(node).get('memory')?.value() ?? 0n),
}));

const requestedBy = oncePer((pod: Pod): Amounts => {
  const requests = podRequests(pod);
  return {
    cpu: Number(requests.get('cpu')?.milliValue() ?? 0n) || DEFAULT_REQUEST.cpu,
    memory: Number(requests.get('memory')?.value() ?? 0n) || DEFAULT_REQUEST.memory,
  };
});

const usedBy = oncePer((pods: readonly Pod[]): Amounts => {
  const sum = (resource: Scored): number => pods.reduce((total, pod) => total + requestedBy(pod)[resource], 0);
  return { cpu: sum('cpu'), memory: sum('memory') };
});
