/** Shared counters of partitionable devices (KEP 4815) and compatibility groups on them (KEP 5963). */
import { type CounterUse, type DeviceEntry, ZERO } from './device.ts';
import type { Features } from './features.ts';
import type { Ledger } from './ledger.ts';
import type { Quantity } from '#machinery';
import type { NodePool } from './pool-view.ts';
import type { DeviceReason } from './refusal.ts';

/** What the users of a counter set agree on: nothing known yet (absent), no groups at all (null), or the groups all have in common. */
type Agreement = ReadonlySet<string> | null;

/** What is left of a pool's counters. */
interface PoolState {
  /** By counter set and counter. */
  readonly free: Map<string, Map<string, Quantity>>;
  /** A counter that allocated devices overdraw: until one is freed, no further device of the pool may draw from any counter. */
  readonly overdrawn?: { readonly counterSet: string; readonly counter: string } | undefined;
  readonly agreements: Map<string, Agreement>;
}

/** Undoes one accepted device. */
export type Undo = () => void;

const NO_UNDO: Undo = () => {};

/** Keeps account of the counters in one attempt. A pool's starting state is computed when it is first asked for. */
export class CounterAccount {
  readonly #features: Features;
  readonly #ledger: Ledger;
  #pools: Map<NodePool, PoolState> | undefined;

  constructor(features: Features, ledger: Ledger) {
    this.#features = features;
    this.#ledger = ledger;
  }

  /** Why the device cannot be given what it consumes, if so. */
  refusal(pool: NodePool, entry: DeviceEntry): DeviceReason | undefined {
    if (entry.counters.length === 0) return undefined;
    const state = this.#stateOf(pool);
    return (this.#features.compatibilityGroups ? groupRefusal(state, entry.counters) : undefined) ?? counterRefusal(state, entry.counters);
  }

  /** Draws what the device consumes, which `refusal` did not refuse; returns how to undo it. */
  draw(pool: NodePool, entry: DeviceEntry): Undo {
    if (entry.counters.length === 0) return NO_UNDO;
    const state = this.#stateOf(pool);
    return this.#features.compatibilityGroups ? both(take(state, entry.counters), joinGroups(state, entry.counters)) : take(state, entry.counters);
  }

  #stateOf(pool: NodePool): PoolState {
    this.#pools ??= new Map();
    let state = this.#pools.get(pool);
    if (state === undefined) {
      state = startingState(pool, this.#ledger);
      this.#pools.set(pool, state);
    }
    return state;
  }
}

function both(first: Undo, second: Undo): Undo {
  return () => {
    second();
    first();
  };
}

/** The counters of the pool less what allocated devices consume, wherever their node is. */
function startingState(pool: NodePool, ledger: Ledger): PoolState {
  const free = new Map([...pool.counterSets].map(([name, amounts]) => [name, new Map(amounts)]));
  const state: PoolState = { free, agreements: new Map() };
  for (const reach of [pool, pool.elsewhere]) {
    ledger.usesOf(reach).forEach((use, i) => {
      const entry = reach.devices[i];
      if (entry === undefined || use === undefined || (use.whole === 0 && use.shares === 0)) return;
      take(state, entry.counters);
      joinGroups(state, entry.counters);
    });
  }
  for (const [counterSet, counters] of free) {
    for (const [counter, left] of counters) if (left.sign() < 0) return { ...state, overdrawn: { counterSet, counter } };
  }
  return state;
}

function counterRefusal({ free, overdrawn }: PoolState, uses: readonly CounterUse[]): DeviceReason | undefined {
  if (overdrawn !== undefined)
    return { kind: 'counters', ...overdrawn, wanted: '0', available: free.get(overdrawn.counterSet)?.get(overdrawn.counter)?.toString() ?? '0' };
  for (const { counterSet, amounts } of uses) {
    for (const [counter, wanted] of amounts) {
      const available = free.get(counterSet)?.get(counter) ?? ZERO;
      if (wanted.compare(available) > 0) return { kind: 'counters', counterSet, counter, wanted: wanted.toString(), available: available.toString() };
    }
  }
  return undefined;
}

function take({ free }: PoolState, uses: readonly CounterUse[]): Undo {
  const before: (() => void)[] = [];
  for (const { counterSet, amounts } of uses) {
    const counters = free.get(counterSet);
    if (counters === undefined) continue;
    for (const [counter, wanted] of amounts) {
      const left = counters.get(counter) ?? ZERO;
      before.push(() => counters.set(counter, left));
      counters.set(counter, left.sub(wanted));
    }
  }
  return () => before.reverse().forEach((restore) => restore());
}

function groupRefusal({ agreements }: PoolState, uses: readonly CounterUse[]): DeviceReason | undefined {
  for (const { counterSet, groups } of uses) {
    const agreed = agreements.get(counterSet);
    if (agreed === undefined) continue;
    const fits = agreed === null ? groups.length === 0 : groups.some((group) => agreed.has(group));
    if (!fits) return { kind: 'groups', counterSet };
  }
  return undefined;
}

/** Devices in use that already disagree are taken as they are: with each other they leave an empty intersection. */
function joinGroups({ agreements }: PoolState, uses: readonly CounterUse[]): Undo {
  const before: (() => void)[] = [];
  for (const { counterSet, groups } of uses) {
    const agreed = agreements.get(counterSet);
    before.push(() => (agreed === undefined ? agreements.delete(counterSet) : agreements.set(counterSet, agreed)));
    const own: Agreement = groups.length > 0 ? new Set(groups) : null;
    if (agreed === undefined) agreements.set(counterSet, own);
    else if (agreed !== null && own !== null) agreements.set(counterSet, agreed.intersection(own));
  }
  return () => before.reverse().forEach((restore) => restore());
}
