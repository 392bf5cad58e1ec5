/** The picks of one attempt and everything they use up: a device is taken with all its consequences or not at all. */
import type { Random } from '#base';
import { type CapacityCheck, CapacityError } from './capacity.ts';
import type { Constraint } from './constraints.ts';
import type { CounterAccount, Undo } from './counters.ts';
import type { Amounts, DeviceEntry } from './device.ts';
import type { Features } from './features.ts';
import type { Ledger } from './ledger.ts';
import type { NodeView } from './node-match.ts';
import { AllocationError, type DeviceReason } from './refusal.ts';
import type { Candidate, ClaimPlan, DeviceAsk } from './requests.ts';
import { untoleratedTaint } from './taints.ts';

/** What a node has to declare to be given devices whose preparation may be skipped. */
const OPTIONAL_NODE_OPERATIONS = 'DRAOptionalNodeOperations';

/** One device given to one ask. */
export interface Pick {
  readonly ask: DeviceAsk;
  readonly entry: DeviceEntry;
  /** Set for a share of a device: its id and what it consumes. */
  readonly share?: { readonly id: string; readonly amounts: Amounts } | undefined;
}

/** What an attempt works on. */
export interface AttemptContext {
  readonly node: NodeView;
  readonly features: Features;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly claims: readonly ClaimPlan[];
  readonly counters: CounterAccount;
  readonly capacity: CapacityCheck;
}

/** The state of the search. */
export class Attempt {
  readonly #context: AttemptContext;
  readonly #picks: Pick[] = [];
  /** How to undo each pick. */
  readonly #undos: Undo[] = [];
  /** Picks so far, by claim. */
  readonly #perClaim: number[];
  /** Devices given as a whole to somebody who uses them. */
  readonly #exclusive = new Set<DeviceEntry>();
  /** Devices given as a whole, by claim: a claim gets each at most once, even only to look at. */
  readonly #ofClaim: Set<DeviceEntry>[];

  constructor(context: AttemptContext) {
    this.#context = context;
    this.#perClaim = context.claims.map(() => 0);
    this.#ofClaim = context.claims.map(() => new Set());
  }

  /** The picks in order. */
  get picks(): readonly Pick[] {
    return this.#picks;
  }

  /** Devices picked for a claim. */
  countOf(claim: number): number {
    return this.#perClaim[claim] ?? 0;
  }

  /** Why the device is not free for the ask, if it is not. Looking on (adminAccess) needs no free device. */
  useRefusal(ask: DeviceAsk, entry: DeviceEntry): DeviceReason | undefined {
    const { ledger, capacity } = this.#context;
    const isMulti = capacity.isMulti(entry);
    if (!ask.adminAccess && (ledger.isHeld(entry.id) || (!this.#context.features.consumableCapacity && ledger.isShared(entry.id))))
      return { kind: 'allocated' };
    if (isMulti) return undefined;
    const isPicked = this.#ofClaim[ask.claim]?.has(entry) === true || (!ask.adminAccess && this.#exclusive.has(entry));
    return isPicked ? { kind: 'picked' } : undefined;
  }

  /** Why the device has too little left for the ask, if so. Throws AllocationError. */
  capacityRefusal(ask: DeviceAsk, entry: DeviceEntry): DeviceReason | undefined {
    try {
      return this.#context.capacity.refusal(ask, entry);
    } catch (error) {
      if (!(error instanceof CapacityError)) throw error;
      throw new AllocationError(`claim ${ask.claimKey}, request ${ask.shortName}: checking capacity for device ${entry.id}: ${error.message}`);
    }
  }

  /** Picks the device for the ask, or says why not; then nothing has changed. */
  pick(ask: DeviceAsk, { pool, entry }: Candidate): DeviceReason | undefined {
    const { features, counters, capacity } = this.#context;
    const stateless = this.useRefusal(ask, entry) ?? this.#nodeRefusal(entry) ?? this.capacityRefusal(ask, entry);
    if (stateless !== undefined) return stateless;
    if (entry.counters.length > 0 && !features.partitionableDevices) return { kind: 'featureOff', feature: 'DRAPartitionableDevices' };
    const isMulti = capacity.isMulti(entry);
    const drawn = ask.adminAccess || (isMulti && capacity.hasShares(entry)) ? undefined : counters.draw(pool, entry);
    if (typeof drawn === 'object') return drawn;
    const refusal = this.#taintRefusal(ask, entry) ?? this.#addToConstraints(ask, entry);
    if (refusal !== undefined) {
      drawn?.();
      return refusal;
    }
    this.#record(ask, entry, { isMulti, drawn });
    return undefined;
  }

  /** Takes back the last pick. */
  unpick(): void {
    this.#picks.pop();
    this.#undos.pop()?.();
  }

  #nodeRefusal(entry: DeviceEntry): DeviceReason | undefined {
    if (entry.slice.skipNodeOperations.length === 0) return undefined;
    const { features, node } = this.#context;
    const isUnderstood = features.optionalNodeOperations && node.declaredFeatures?.includes(OPTIONAL_NODE_OPERATIONS) === true;
    return isUnderstood ? undefined : { kind: 'nodeOperations' };
  }

  #taintRefusal(ask: DeviceAsk, entry: DeviceEntry): DeviceReason | undefined {
    if (!this.#context.features.deviceTaints) return undefined;
    const taint = untoleratedTaint(entry.device.taints, ask.tolerations);
    return taint === undefined ? undefined : { kind: 'taint', taint };
  }

  #constraints(ask: DeviceAsk): readonly Constraint[] {
    return this.#context.claims[ask.claim]?.constraints ?? [];
  }

  #addToConstraints(ask: DeviceAsk, entry: DeviceEntry): DeviceReason | undefined {
    const constraints = this.#constraints(ask);
    for (const [i, constraint] of constraints.entries()) {
      if (constraint.add(ask, entry)) continue;
      for (const earlier of constraints.slice(0, i)) earlier.remove(ask);
      return { kind: 'constraint', index: constraint.index, attribute: constraint.attribute, constraint: constraint.kind };
    }
    return undefined;
  }

  #record(ask: DeviceAsk, entry: DeviceEntry, { isMulti, drawn }: { isMulti: boolean; drawn: Undo | undefined }): void {
    const share = isMulti ? this.#context.capacity.take(ask, entry) : undefined;
    const marks = isMulti ? [] : [this.#ofClaim[ask.claim], ...(ask.adminAccess ? [] : [this.#exclusive])];
    for (const mark of marks) mark?.add(entry);
    this.#perClaim[ask.claim] = this.countOf(ask.claim) + 1;
    this.#picks.push({ ask, entry, share: share && { id: this.#context.random.uuid(), amounts: share.amounts } });
    this.#undos.push(() => {
      this.#perClaim[ask.claim] = this.countOf(ask.claim) - 1;
      for (const mark of marks) mark?.delete(entry);
      share?.undo();
      for (const constraint of this.#constraints(ask)) constraint.remove(ask);
      drawn?.();
    });
  }
}
