/** What a scheduling decision looks at. */
import type { Features, Ledger, PoolIndex } from '#allocator';
import type { Random } from '#base';
import type { DeviceClass, Node, Pod, ResourceClaim } from '#api';
import type { ClassByResource } from './extended-resources.ts';
import type { ResolvedClaims } from './pod-claims.ts';

/** The cluster as the scheduler believes it to be, its own pending decisions included. */
export interface Snapshot {
  /** In the order in which they are tried. */
  readonly nodes: readonly Node[];
  /** Pods that take room on a node. The same list until they change. */
  readonly podsOn: (nodeName: string) => readonly Pod[];
  /** Pods that a node is kept free for. */
  readonly nominatedTo: (nodeName: string) => readonly Pod[];
  /** The claims of a pod; none while the plugin DynamicResources is off. */
  readonly claimsOf: (pod: Pod) => ResolvedClaims;
  readonly isInFlight: (claimKey: string) => boolean;
  /** The claim that an earlier attempt made for extended resources of the pod and that is still there. */
  readonly extendedClaimOf: (pod: Pod) => ResourceClaim | undefined;
  readonly deviceClass: (name: string) => DeviceClass | undefined;
  /** Classes that stand for extended resources; none while the feature is off. */
  readonly classesByResource: ClassByResource | undefined;
  readonly pools: PoolIndex;
  readonly ledger: Ledger;
  readonly features: Features;
  readonly random: Random;
  readonly nowMs: number;
  readonly bindingTimeoutMs: number;
}
