/** Why claims do not fit on a node, as data: what events, the CLI and the page print comes from here. */
import type { DeviceTaint } from '#api';
import type { DeviceId, PoolId } from './device.ts';

/** Why one device was not given to one request. The first reason met is kept. */
export type DeviceReason =
  | { readonly kind: 'selector'; readonly of: 'class' | 'claim'; readonly name: string; readonly index: number }
  /** A selector cannot be evaluated for the device; the search ended before it came to that. */
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'otherNode' }
  | { readonly kind: 'featureOff'; readonly feature: string }
  | {
      readonly kind: 'allocated';
      /** Claims (namespace/name) that hold the device, as far as they were looked up. */ readonly by?: readonly string[] | undefined;
    }
  | { readonly kind: 'picked' }
  | { readonly kind: 'nodeOperations' }
  | { readonly kind: 'counters'; readonly counterSet: string; readonly counter: string; readonly wanted: string; readonly available: string }
  | { readonly kind: 'groups'; readonly counterSet: string }
  | { readonly kind: 'taint'; readonly taint: DeviceTaint }
  | { readonly kind: 'constraint'; readonly index: number; readonly attribute: string; readonly constraint: 'match' | 'distinct' }
  | {
      readonly kind: 'capacity';
      readonly capacity: string;
      readonly problem: 'missing' | 'policy' | 'exhausted';
      readonly wanted?: string | undefined;
      readonly available?: string | undefined;
    };

/** What was found out about one request, or one alternative of it. */
export interface RequestRefusal {
  /** namespace/name. */
  readonly claim: string;
  /** `request` or `request/subrequest`. */
  readonly request: string;
  /** Devices wanted; for allocationMode All the number of matching devices. */
  readonly wanted: number;
  /** Devices that nothing speaks against when the request is looked at alone; of these some may be refused all the same, to others' benefit. */
  readonly usable: number;
  readonly devices: readonly { readonly device: DeviceId; readonly reason: DeviceReason }[];
}

/** A pool that had to be left out. */
export interface PoolProblem {
  readonly pool: PoolId;
  readonly state: 'incomplete' | 'invalid';
  readonly reason?: string | undefined;
}

/** What kind of refusal it is. `poolUnavailable`: all devices are wanted, and a pool is incomplete or invalid. */
export type Cause = 'noFit' | 'invalidPools' | 'poolUnavailable' | 'searchLimit';

/** Everything known about a refusal on one node. */
export interface Refusal {
  /** `failed`: not on any node. */
  readonly cause: Cause | 'failed';
  /** Upstream's text. */
  readonly message: string;
  readonly requests: readonly RequestRefusal[];
  readonly pools: readonly PoolProblem[];
  /** Invocations of the search, counted as upstream counts them. */
  readonly steps: number;
}

/** Stops the whole attempt: the claim itself is at fault, or its selectors are (upstream: fatal, no other node is tried). */
export class AllocationError extends Error {
  override readonly name = 'AllocationError';
}

/** Stops the whole attempt: the caller wants no more of it. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** Stops the attempt on this node only (upstream: ErrFailedAllocationOnNode). */
export class NodeError extends Error {
  override readonly name = 'NodeError';
  override readonly cause: Exclude<Cause, 'noFit'>;

  constructor(cause: Exclude<Cause, 'noFit'>, message: string) {
    super(message);
    this.cause = cause;
  }
}
