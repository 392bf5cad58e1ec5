/** What the search is asked for: devices of a class with certain properties. */
import type { DeviceClass, DeviceToleration } from '#api';
import { nameOf } from '#machinery';
import type { DeviceEntry } from './device.ts';
import type { Offers } from './offers.ts';
import type { NodePool } from './pool-view.ts';
import type { SelectorSet } from './selectors.ts';

/** A device together with the pool it is tried from. */
export interface Candidate {
  readonly pool: NodePool;
  readonly entry: DeviceEntry;
}

/** Something that asks for devices: a plain request or one alternative of a prioritized list. */
export interface DeviceAsk {
  /** Index of the claim among those to allocate. */
  readonly claim: number;
  /** namespace/name of the claim. */
  readonly claimKey: string;
  /** Name in results: `request` or `request/subrequest`. */
  readonly name: string;
  /** Name in errors: that of the request or the bare one of the subrequest. */
  readonly shortName: string;
  /** Name of the request itself. */
  readonly parent: string;
  readonly deviceClass: DeviceClass;
  readonly selectors: SelectorSet;
  readonly tolerations: readonly DeviceToleration[] | undefined;
  readonly adminAccess: boolean;
  /** Attributes that the request derives: their expressions by name. */
  readonly derived: ReadonlyMap<string, string>;
  /** What devices offer to the requested amounts. */
  readonly offers: Offers;
  /** Devices wanted. */
  readonly count: number;
  /** With allocationMode All: which ones. */
  readonly all?: readonly Candidate[] | undefined;
}

/** The class name, for configuration and errors. */
export function className(ask: DeviceAsk): string {
  return nameOf(ask.deviceClass);
}
