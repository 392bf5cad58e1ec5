/** Why claims do not fit on a node, as data: what events, the CLI and the page print comes from here. */
import type { DeviceTaint } from '#api';
import type { DeviceEntry, DeviceId, PoolId } from './device.ts';

/** Why one device was not given to one request. The first reason met is kept. */
export type DeviceReason =
  | { readonly kind: 'selector'; readonly of: 'class' | 'claim'; readonly name: string; readonly index: number }
  | { readonly kind: 'otherNode' }
  | { readonly kind: 'featureOff'; readonly feature: string }
  | { readonly kind: 'allocated' }
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

/** What the search found out about one request, or one alternative of it. */
export interface RequestRefusal {
  /** namespace/name. */
  readonly claim: string;
  /** `request` or `request/subrequest`. */
  readonly request: string;
  /** Devices wanted; for allocationMode All the number of matching devices. */
  readonly wanted: number;
  readonly devices: readonly { readonly device: DeviceId; readonly reason: DeviceReason }[];
}

/** A pool that had to be left out. */
export interface PoolProblem {
  readonly pool: PoolId;
  readonly state: 'incomplete' | 'invalid';
  readonly reason?: string | undefined;
}

/** Everything known about a refusal on one node. */
export interface Refusal {
  readonly cause: 'noFit' | 'invalidPools' | 'poolUnavailable' | 'searchLimit';
  readonly requests: readonly RequestRefusal[];
  readonly pools: readonly PoolProblem[];
  /** Invocations of the search, counted as upstream counts them. */
  readonly steps: number;
}

/** Stops the whole attempt: the claim itself is at fault, or its selectors are (upstream: fatal, no other node is tried). */
export class AllocationError extends Error {
  override readonly name = 'AllocationError';
}

/** Stops the attempt on this node only (upstream: ErrFailedAllocationOnNode). */
export class NodeError extends Error {
  override readonly name = 'NodeError';
  override readonly cause: Exclude<Refusal['cause'], 'noFit'>;

  constructor(cause: Exclude<Refusal['cause'], 'noFit'>, message: string) {
    super(message);
    this.cause = cause;
  }
}

/** Keeps the first reason for each device of one request. */
export class ReasonLog {
  readonly #reasons = new Map<DeviceEntry, DeviceReason>();

  /** Notes why the device was refused, unless an earlier reason is known. */
  note(entry: DeviceEntry, reason: DeviceReason): void {
    if (!this.#reasons.has(entry)) this.#reasons.set(entry, reason);
  }

  /** The noted reasons, in the order in which the devices were met. */
  list(): RequestRefusal['devices'] {
    return [...this.#reasons].map(([entry, reason]) => ({ device: entry.id, reason }));
  }
}
