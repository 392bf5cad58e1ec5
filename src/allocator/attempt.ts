/** The picks of one attempt and everything they use up: a device is taken with all its consequences or not at all. */
import { type CapacityCheck, CapacityError } from './capacity.ts';
import type { Constraint } from './constraints.ts';
import type { CounterAccount, Undo } from './counters.ts';
import type { Amounts, DeviceEntry } from './device.ts';
import type { Eligibility } from './eligibility.ts';
import type { Features } from './features.ts';
import type { DeviceUse, Ledger } from './ledger.ts';
import { AllocationError, type DeviceReason } from './refusal.ts';
import type { Candidate, DeviceAsk } from './device-ask.ts';
import type { ClaimPlan } from './requests.ts';
import { untoleratedTaint } from './taints.ts';

/** One device given to one ask. */
export interface Pick {
  readonly ask: DeviceAsk;
  readonly entry: DeviceEntry;
  /** Set for a share of a device: what it consumes. */
  readonly share?: Amounts | undefined;
}

/** What an attempt works on. */
export interface AttemptContext {
  readonly features: Features;
  readonly ledger: Ledger;
  readonly claims: readonly ClaimPlan[];
  readonly eligibility: Eligibility;
  readonly counters: CounterAccount;
  readonly capacity: CapacityCheck;
}

const ALLOCATED: DeviceReason = { kind: 'allocated' };
const PICKED: DeviceReason = { kind: 'picked' };

/** The state of the search. */
export class Attempt {
  readonly #context: AttemptContext;
  readonly #picks: Pick[] = [];
  /** How to undo each pick. */
  readonly #undos: Undo[] = [];
  /** Picks so far, by claim. */
  readonly #perClaim: number[];

  constructor(context: AttemptContext) {
    this.#context = context;
    this.#perClaim = context.claims.map(() => 0);
  }

  /** The picks for a claim, in order. */
  picksOf(claim: number): readonly Pick[] {
    return this.#perClaim.length === 1 ? this.#picks : this.#picks.filter(({ ask }) => ask.claim === claim);
  }

  /** Takes back all picks. */
  clear(): void {
    while (this.#picks.length > 0) this.unpick();
  }

  /** Devices picked for a claim. */
  countOf(claim: number): number {
    return this.#perClaim[claim] ?? 0;
  }

  /** Whether the device differs from an untouched one like it: somebody uses it, or it is picked. */
  isTouched(entry: DeviceEntry): boolean {
    const use = this.#context.ledger.useOf(entry);
    if (use !== undefined && (use.whole > 0 || use.shares > 0)) return true;
    return this.#picks.some((pick) => pick.entry === entry);
  }

  /** Why the device cannot be picked for the ask now, if so. Looking on (adminAccess) needs no free device. Throws AllocationError. */
  refusal(ask: DeviceAsk, candidate: Candidate): DeviceReason | undefined {
    const { entry } = candidate;
    return (
      this.#useRefusal(ask, entry, this.#context.ledger.useOf(entry)) ?? this.#context.eligibility.refusal(ask, entry) ?? this.#furtherRefusal(ask, candidate)
    );
  }

  /** Picks the device for the ask, or says why not; then nothing has changed. `use` is what the ledger has of the device. Throws AllocationError. */
  pick(ask: DeviceAsk, candidate: Candidate, use: DeviceUse | undefined): DeviceReason | undefined {
    const { entry } = candidate;
    const refusal = this.#useRefusal(ask, entry, use) ?? this.#context.eligibility.refusal(ask, entry) ?? this.#furtherRefusal(ask, candidate);
    if (refusal === undefined) this.#record(ask, candidate);
    return refusal;
  }

  /** Takes back the last pick. */
  unpick(): void {
    this.#picks.pop();
    this.#undos.pop()?.();
  }

  #useRefusal(ask: DeviceAsk, entry: DeviceEntry, use: DeviceUse | undefined): DeviceReason | undefined {
    const { capacity, features } = this.#context;
    if (use !== undefined && !ask.adminAccess && (use.whole > 0 || (!features.consumableCapacity && use.shares > 0))) return ALLOCATED;
    if (this.#picks.length === 0 || capacity.isMulti(entry)) return undefined;
    // A claim gets a device at most once, even only to look at; other claims may look at what is used, and use what is looked at.
    for (const pick of this.#picks) {
      if (pick.entry === entry && (pick.ask.claim === ask.claim || (!ask.adminAccess && !pick.ask.adminAccess))) return PICKED;
    }
    return undefined;
  }

  /** What may be wrong with a device that is free and matches. Capacity comes first, but last when all devices are wanted: then a constraint is fatal. */
  #furtherRefusal(ask: DeviceAsk, { pool, entry }: Candidate): DeviceReason | undefined {
    const { features, counters, eligibility } = this.#context;
    const lacking = eligibility.nodeRefusal(entry) ?? (ask.all === undefined ? this.#capacityRefusal(ask, entry) : undefined);
    if (lacking !== undefined) return lacking;
    if (entry.counters.length > 0) {
      if (!features.partitionableDevices) return { kind: 'featureOff', feature: 'DRAPartitionableDevices' };
      const short = this.#drawsCounters(ask, entry) ? counters.refusal(pool, entry) : undefined;
      if (short !== undefined) return short;
    }
    return this.#taintRefusal(ask, entry) ?? this.#constraintRefusal(ask, entry) ?? (ask.all === undefined ? undefined : this.#capacityRefusal(ask, entry));
  }

  /** Looking on costs nothing, and a shared device draws once, for its first share that does not only look on. */
  #drawsCounters(ask: DeviceAsk, entry: DeviceEntry): boolean {
    if (ask.adminAccess) return false;
    if (!this.#context.capacity.isMulti(entry)) return true;
    return (this.#context.ledger.useOf(entry)?.shares ?? 0) === 0 && !this.#picks.some((pick) => pick.entry === entry && !pick.ask.adminAccess);
  }

  #capacityRefusal(ask: DeviceAsk, entry: DeviceEntry): DeviceReason | undefined {
    const { capacity, ledger } = this.#context;
    try {
      const refusal = capacity.refusal(ask, entry);
      if (refusal !== undefined || ask.adminAccess || capacity.isMulti(entry)) return refusal;
      // Shares outlive the driver's permission to share: nobody gets the whole device beside them, whatever amount they leave.
      return (ledger.useOf(entry)?.shares ?? 0) > 0 ? ALLOCATED : undefined;
    } catch (error) {
      if (!(error instanceof CapacityError)) throw error;
      throw new AllocationError(`claim ${ask.claimKey}, request ${ask.shortName}: checking capacity for device ${entry.id}: ${error.message}`);
    }
  }

  #taintRefusal(ask: DeviceAsk, entry: DeviceEntry): DeviceReason | undefined {
    if (entry.device.taints === undefined || !this.#context.features.deviceTaints) return undefined;
    const taint = untoleratedTaint(entry.device.taints, ask.tolerations);
    return taint === undefined ? undefined : { kind: 'taint', taint };
  }

  #constraints(ask: DeviceAsk): readonly Constraint[] {
    return this.#context.claims[ask.claim]?.constraints ?? [];
  }

  #constraintRefusal(ask: DeviceAsk, entry: DeviceEntry): DeviceReason | undefined {
    for (const constraint of this.#constraints(ask)) {
      if (constraint.accepts(ask, entry)) continue;
      return { kind: 'constraint', index: constraint.index, attribute: constraint.attribute, constraint: constraint.kind };
    }
    return undefined;
  }

  /** The device is refused by nothing. */
  #record(ask: DeviceAsk, { pool, entry }: Candidate): void {
    const { capacity, counters } = this.#context;
    const isMulti = capacity.isMulti(entry);
    const drawn = entry.counters.length > 0 && this.#drawsCounters(ask, entry) ? counters.draw(pool, entry) : undefined;
    const constraints = this.#constraints(ask);
    for (const constraint of constraints) constraint.add(ask, entry);
    const share = isMulti ? capacity.take(ask, entry) : undefined;
    this.#perClaim[ask.claim] = this.countOf(ask.claim) + 1;
    this.#picks.push({ ask, entry, share: share?.amounts });
    this.#undos.push(() => {
      this.#perClaim[ask.claim] = this.countOf(ask.claim) - 1;
      share?.undo();
      for (const constraint of constraints) constraint.remove(ask);
      drawn?.();
    });
  }
}
