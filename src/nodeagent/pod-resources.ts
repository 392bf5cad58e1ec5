/** The PodResources service: which devices the containers of this node hold, for monitoring agents and runtimes. */
import type { Clock } from '#base';
import type { Pod } from '#api';
import { keyOf } from '#machinery';
import { GrpcCode, GrpcError, type GrpcMethod } from '#ports';
import { type MessageInitShape, podResourcesV1, unary } from '#wire';
import { type ClaimUse, claimUsesOrNone, type UsedDevice } from './pod-claims.ts';
import type { CheckpointClaim } from './checkpoint.ts';

/** What the service needs. */
export interface PodResourcesOptions {
  readonly clock: Clock;
  /** The pods of this node. */
  readonly pods: () => readonly Pod[];
  /** A prepared claim by namespace and name. */
  readonly prepared: (namespace: string, claimName: string) => CheckpointClaim | undefined;
  /** Told of every call and whether it failed. */
  readonly observe: (call: PodResourcesCall, failed: boolean) => void;
}

/** The calls of the service as its metrics name them. */
export type PodResourcesCall = 'list' | 'get' | 'get_allocatable';

type PodResources = MessageInitShape<typeof podResourcesV1.PodResourcesSchema>;
type DynamicResource = MessageInitShape<typeof podResourcesV1.DynamicResourceSchema>;

/** Kubelet: DefaultQPS and DefaultBurstTokens of the podresources server. */
const QUERIES_PER_SECOND = 100;
const BURST = 10;

/** The methods of `v1.PodResourcesLister`. */
export function podResourcesService(options: PodResourcesOptions): readonly GrpcMethod[] {
  const { list, get, getAllocatableResources } = podResourcesV1.PodResourcesLister.method;
  const limiter = new TokenBucket(options.clock);
  const answer = async <T>(call: PodResourcesCall, make: () => T): Promise<T> => {
    let failed = true;
    try {
      if (!limiter.take()) throw new GrpcError(GrpcCode.resourceExhausted, 'rejected by rate limit');
      const made = make();
      failed = false;
      return made;
    } finally {
      options.observe(call, failed);
    }
  };
  const resourcesOf = (pod: Pod): PodResources => podResources(pod, (claim) => options.prepared(pod.metadata.namespace ?? '', claim));
  return [
    unary(list, () => answer('list', () => ({ podResources: options.pods().filter(isActive).map(resourcesOf) }))),
    unary(get, ({ podName, podNamespace }) =>
      answer('get', () => {
        const pod = options.pods().find((other) => keyOf(other) === `${podNamespace}/${podName}`);
        if (pod === undefined) throw new Error(`pod ${podName} in namespace ${podNamespace} not found`);
        if (!isActive(pod)) throw new Error(`pod ${podName} in namespace ${podNamespace} is not active`);
        return { podResources: resourcesOf(pod) };
      }),
    ),
    unary(getAllocatableResources, () => answer('get_allocatable', () => ({}))),
  ];
}

/** A terminated pod holds nothing. */
function isActive(pod: Pod): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';
}

/** What each container of a pod holds: sidecars and regular containers; an ordinary init container holds nothing for long. */
export function podResources(pod: Pod, prepared: (claimName: string) => CheckpointClaim | undefined): PodResources {
  const sidecars = (pod.spec?.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  return {
    name: pod.metadata.name ?? '',
    namespace: pod.metadata.namespace ?? '',
    containers: [...sidecars, ...(pod.spec?.containers ?? [])].map((container) => ({
      name: container.name,
      dynamicResources: dynamicResources(pod, claimUsesOrNone(pod, container, prepared)),
    })),
  };
}

/** One entry per claim with the devices that this container uses of it (the kubelet lists all devices of the claim). */
function dynamicResources(pod: Pod, uses: readonly ClaimUse[]): DynamicResource[] {
  const byClaim = Map.groupBy(uses, (use) => use.claimName);
  return [...byClaim].map(([claimName, ofClaim]) => ({
    claimName,
    claimNamespace: pod.metadata.namespace ?? '',
    claimResources: [...new Map(ofClaim.flatMap((use) => use.devices).map((used) => [used.device, used])).values()].map(claimResource),
  }));
}

function claimResource({ driver, device }: UsedDevice): MessageInitShape<typeof podResourcesV1.ClaimResourceSchema> {
  return {
    driverName: driver,
    poolName: device.PoolName,
    deviceName: device.DeviceName,
    cdiDevices: (device.CDIDeviceIDs ?? []).map((name) => ({ name })),
    ...(device.ShareID === null ? {} : { shareId: device.ShareID }),
  };
}

/** Lets so many calls through at once and so many per second. */
class TokenBucket {
  readonly #clock: Clock;
  #tokens = BURST;
  #filledMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#filledMs = clock.monotonicMs();
  }

  take(): boolean {
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(BURST, this.#tokens + ((nowMs - this.#filledMs) * QUERIES_PER_SECOND) / 1000);
    this.#filledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
