/** Speaks the protocol of the allocator oracle: a case with nodes, slices, classes and claims in, what upstream's structured allocator would answer out. */
import { type AllocateOutcome, Allocator, type Features, Ledger, NO_FEATURES, PoolIndex } from '#allocator';
import type { AllocationResult, DeviceClass, Node, ResourceClaim, ResourceSlice } from '#api';
import type { Random } from '#base';
import { nameOf } from '#machinery';

/** One question; objects are plain Kubernetes JSON. */
export interface OracleCase {
  readonly id: string;
  readonly features?: Readonly<Record<string, boolean>> | undefined;
  readonly classes?: readonly DeviceClass[] | undefined;
  readonly slices?: readonly ResourceSlice[] | undefined;
  readonly nodes?: readonly Node[] | undefined;
  readonly claims?: readonly ResourceClaim[] | undefined;
  readonly allocated?: {
    readonly devices?: readonly string[] | undefined;
    readonly shared?: readonly string[] | undefined;
    readonly capacity?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
  };
  /** The caller gives up before the first step. */
  readonly abort?: 'timeout' | 'deadline' | 'cancel' | undefined;
}

/** The answer for one node. */
export interface OracleResult {
  readonly node?: string | undefined;
  readonly allocation?: readonly AllocationResult[] | undefined;
  readonly none?: boolean | undefined;
  readonly error?: string | undefined;
  readonly errorClass?: string | undefined;
  readonly steps?: number | undefined;
}

/** The answer to a case. */
export interface OracleAnswer {
  readonly id: string;
  readonly results: readonly OracleResult[];
}

/** Answers a case with dray's allocator, one and the same for all its nodes. */
export function answerCase(question: OracleCase): OracleAnswer {
  const pools = new PoolIndex();
  for (const slice of question.slices ?? []) pools.upsertSlice(slice);
  const ledger = ledgerOf(question.allocated ?? {});
  const classes = new Map((question.classes ?? []).map((item) => [nameOf(item), item]));
  const features = featuresOf(question.features ?? {});
  const claims = question.claims ?? [];
  const allocator = new Allocator({
    claims,
    pools,
    ledger,
    deviceClass: (name) => classes.get(name),
    features,
    random: shareNames(),
    interrupted: interruptionOf(question),
  });
  const results = (question.nodes ?? []).map((node) => {
    const view = { name: nameOf(node), labels: node.metadata.labels ?? {}, declaredFeatures: node.status?.declaredFeatures };
    return resultOf(view.name, allocator.allocate(view));
  });
  return { id: question.id, results };
}

/** Share ids are random; the protocol numbers them in order of appearance in the result, which is the order of picks that stayed. */
function shareNames(): Random {
  let next = 0;
  return { below: () => 0, uuid: () => `uuid-${next++}` };
}

function interruptionOf({ abort }: OracleCase): (() => string) | undefined {
  if (abort === undefined) return undefined;
  return () => (abort === 'cancel' ? 'context canceled' : 'context deadline exceeded');
}

function resultOf(node: string, outcome: AllocateOutcome): OracleResult {
  if (outcome.kind === 'allocated') return { node, allocation: withShareNames(outcome.allocations), steps: outcome.steps };
  if (outcome.kind === 'failed') return { node, error: outcome.message, errorClass: outcome.isInterrupted === true ? 'aborted' : 'fatal' };
  if (outcome.cause === 'noFit') return { node, none: true, steps: outcome.steps };
  return { node, error: outcome.reason, errorClass: 'node', steps: outcome.steps };
}

function withShareNames(allocations: readonly AllocationResult[]): readonly AllocationResult[] {
  let next = 1;
  return allocations.map((allocation) => ({
    ...allocation,
    devices: {
      ...allocation.devices,
      results: (allocation.devices?.results ?? []).map((result) => (result.shareID === undefined ? result : { ...result, shareID: `share-${next++}` })),
    },
  }));
}

/** The oracle's features are named as ours, in upper case. */
export function featuresOf(named: Readonly<Record<string, boolean>>): Features {
  const entries = Object.keys(NO_FEATURES).map((name) => [name, named[name.charAt(0).toUpperCase() + name.slice(1)] === true]);
  // The recordings are of the 1.37 library.
  return { ...NO_FEATURES, ...Object.fromEntries(entries), unlistedWholeConfig: true, limitPerRequest: true };
}

function ledgerOf(allocated: NonNullable<OracleCase['allocated']>): Ledger {
  const ledger = new Ledger();
  for (const claim of holdersOf(allocated)) ledger.upsertClaim(claim);
  return ledger;
}

/** What others hold, as claims: one per device or share. The amounts of a device's shares are known only together, so the first one carries them. */
export function holdersOf({ devices = [], shared = [], capacity = {} }: NonNullable<OracleCase['allocated']>): readonly ResourceClaim[] {
  const amounts = new Map(Object.entries(capacity));
  const whole = devices.map((id, i) => holder(`device-${i}`, id));
  const shares = shared.map((text, i) => {
    const id = text.slice(0, text.lastIndexOf('/'));
    const share = holder(`share-${i}`, id, { shareID: `held-${i}`, consumedCapacity: amounts.get(id) });
    amounts.delete(id);
    return share;
  });
  return [...whole, ...shares, ...[...amounts].map(([id, consumedCapacity], i) => holder(`rest-${i}`, id, { shareID: `rest-${i}`, consumedCapacity }))];
}

function holder(name: string, id: string, share: { shareID?: string; consumedCapacity?: Readonly<Record<string, string>> | undefined } = {}): ResourceClaim {
  const [driver = '', pool = '', device = ''] = id.split('/');
  return {
    metadata: { name, namespace: 'held' },
    spec: {},
    status: { allocation: { devices: { results: [{ request: 'r', driver, pool, device, ...share }] } } },
  };
}
