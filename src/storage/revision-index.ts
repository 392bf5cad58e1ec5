/** The state that every engine keeps in memory: live entries, the changes since the last compaction, and the watchers. */
import { assert } from '#base';
import { SortedKeys, compareKeys } from './sorted-keys.ts';
import { CompactedError, type CommitResult, type Entry, type RangeQuery, type RangeResult, type StoreEvent, type Transaction } from './store.ts';

/**
 * What overwritten and deleted values may take, with what is noted of each change. Past it the oldest changes are forgotten before their
 * time, as by a compaction: reads and watches from before then have to start anew.
 */
export const HISTORY_BYTES_MAX = 64 * 1024 * 1024;
/** What a change takes besides the value that it replaced: the event, the entries before and after it, their key. */
const EVENT_BYTES = 300;
/** Of HISTORY_BYTES_MAX so much is kept when some is forgotten, so that it is not with every change. */
const HISTORY_KEPT = 0.75;

interface Watcher {
  readonly prefix: string;
  readonly onEvents: (events: readonly StoreEvent[], revision: number) => void;
}

/** The changes of one committed transaction. */
export interface Change {
  readonly revision: number;
  readonly events: readonly StoreEvent[];
}

/**
 * Transactions decided one after the other against the index and against those before them in the batch, but not yet
 * visible. An engine makes the batch durable and then hands it to `RevisionIndex.apply`, or drops it.
 */
export class Batch {
  readonly #index: RevisionIndex;
  readonly #staged = new Map<string, Entry | undefined>();
  readonly changes: Change[] = [];
  revision: number;

  constructor(index: RevisionIndex) {
    this.#index = index;
    this.revision = index.revision;
  }

  /** Decides one transaction: its revision, or what stands in its way. */
  add(transaction: Transaction): CommitResult {
    const conflicts = transaction.compare
      .filter(({ key, modRevision }) => (this.#current(key)?.modRevision ?? 0) !== modRevision)
      .map(({ key }) => ({ key, current: this.#current(key) }));
    if (conflicts.length > 0) return { committed: false, conflicts };
    const { writes } = transaction;
    assert(writes.length === 1 || new Set(writes.map(({ key }) => key)).size === writes.length, 'a transaction writes each key at most once');
    this.revision += 1;
    this.changes.push({ revision: this.revision, events: this.#write(transaction) });
    return { committed: true, revision: this.revision };
  }

  #write(transaction: Transaction): StoreEvent[] {
    const events: StoreEvent[] = [];
    for (const { key, value } of transaction.writes) {
      const previous = this.#current(key);
      if (value === undefined && previous === undefined) continue;
      const createRevision = previous?.createRevision ?? this.revision;
      events.push({ key, revision: this.revision, value, createRevision, previous });
      this.#staged.set(key, value === undefined ? undefined : { key, value, createRevision, modRevision: this.revision });
    }
    return events;
  }

  #current(key: string): Entry | undefined {
    return this.#staged.has(key) ? this.#staged.get(key) : this.#index.get(key);
  }
}

/** Live entries, recent history and watchers of one store. All methods are synchronous. */
export class RevisionIndex {
  readonly #live = new Map<string, Entry>();
  readonly #keys = new SortedKeys();
  readonly #watchers = new Set<Watcher>();
  /** Changes after #compacted, ascending. */
  #changes: Change[] = [];
  /** What #changes keep that is not alive. */
  #historyBytes = 0;
  readonly #historyBytesMax: number;
  #compacted: number;
  #revision: number;

  /** Starts from the entries that lived at `revision`; what was before counts as compacted. */
  constructor(revision = 1, entries: Iterable<Entry> = [], historyBytesMax = HISTORY_BYTES_MAX) {
    this.#historyBytesMax = historyBytesMax;
    this.#revision = revision;
    this.#compacted = revision === 1 ? 0 : revision;
    for (const entry of entries) this.#live.set(entry.key, entry);
    this.#keys.reset(this.#live.keys());
  }

  get revision(): number {
    return this.#revision;
  }

  /** Reads and watches start at this revision or later. */
  get compactedRevision(): number {
    return this.#compacted;
  }

  get(key: string): Entry | undefined {
    return this.#live.get(key);
  }

  /** Makes a batch visible and tells the watchers, one call per commit. */
  apply(batch: Batch): void {
    for (const change of batch.changes) this.#applyChange(change);
  }

  #applyChange(change: Change): void {
    assert(change.revision === this.#revision + 1, 'changes are applied in order');
    this.#revision = change.revision;
    for (const { key, value, createRevision, revision, previous } of change.events) {
      if (value === undefined) {
        this.#live.delete(key);
        this.#keys.delete(key);
        continue;
      }
      this.#live.set(key, { key, value, createRevision, modRevision: revision });
      if (previous === undefined) this.#keys.add(key);
    }
    this.#remember(change);
    for (const watcher of Array.from(this.#watchers)) notify(watcher, change);
  }

  #remember(change: Change): void {
    if (change.events.length === 0) return;
    this.#changes.push(change);
    this.#historyBytes += historyBytesOf(change);
    if (this.#historyBytes <= this.#historyBytesMax) return;
    let [bytes, forgotten, revision] = [this.#historyBytes, 0, this.#compacted];
    for (; bytes > this.#historyBytesMax * HISTORY_KEPT; forgotten++) {
      const oldest = this.#changes[forgotten];
      if (oldest === undefined) break;
      bytes -= historyBytesOf(oldest);
      ({ revision } = oldest);
    }
    this.#forget(forgotten, revision);
  }

  /** Forgets so many changes, all there are up to `revision`. */
  #forget(count: number, revision: number): void {
    for (const change of this.#changes.splice(0, count)) this.#historyBytes -= historyBytesOf(change);
    this.#compacted = revision;
  }

  /** Reads a range; throws CompactedError, or RangeError for a revision that does not exist yet. */
  range(query: RangeQuery): RangeResult {
    const revision = query.revision ?? this.#revision;
    if (revision > this.#revision) throw new RangeError(`revision ${String(revision)} is in the future; the newest is ${String(this.#revision)}`);
    if (revision < this.#compacted) throw new CompactedError(this.#compacted);
    const limit = query.limit === undefined || query.limit <= 0 ? Infinity : query.limit;
    if (revision === this.#revision) {
      const keys = this.#keys.below(query.prefix, query.startKey);
      return { entries: this.#entriesOf(keys.slice(0, limit)), revision, remaining: Math.max(0, keys.length - limit) };
    }
    const entries = this.#pastRange(query, revision);
    return { entries: entries.slice(0, limit), revision, remaining: Math.max(0, entries.length - limit) };
  }

  /** See Store.getMany. */
  getMany(keys: readonly string[]): Pick<RangeResult, 'entries' | 'revision'> {
    return { entries: this.#entriesOf(keys), revision: this.#revision };
  }

  #entriesOf(keys: readonly string[]): Entry[] {
    const entries: Entry[] = [];
    for (const key of keys) {
      const entry = this.#live.get(key);
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  /** The live range with the changes after `revision` undone. */
  #pastRange(query: RangeQuery, revision: number): Entry[] {
    const before = new Map<string, Entry | undefined>();
    for (let i = this.#changes.length - 1; i >= this.#firstAfter(revision); i--) {
      for (const event of this.#changes[i]?.events ?? []) {
        if (event.key.startsWith(query.prefix) && compareKeys(event.key, query.startKey ?? '') >= 0) before.set(event.key, event.previous);
      }
    }
    const entries = this.#entriesOf(this.#keys.below(query.prefix, query.startKey)).filter((entry) => !before.has(entry.key));
    for (const entry of before.values()) if (entry !== undefined) entries.push(entry);
    return entries.sort((a, b) => compareKeys(a.key, b.key));
  }

  /** The position of the first change after `revision`. */
  #firstAfter(revision: number): number {
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#changes[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** See Store.watch. Changes that are already there are delivered before the call returns. */
  watch(prefix: string, revision: number, onEvents: Watcher['onEvents']): () => void {
    if (revision < this.#compacted) throw new CompactedError(this.#compacted);
    const watcher: Watcher = { prefix, onEvents };
    for (let i = this.#firstAfter(revision); i < this.#changes.length; i++) {
      const change = this.#changes[i];
      if (change !== undefined) notify(watcher, change);
    }
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Forgets the changes up to `revision`. */
  compact(revision: number): void {
    if (revision > this.#revision) throw new RangeError(`revision ${String(revision)} is in the future; the newest is ${String(this.#revision)}`);
    if (revision > this.#compacted) this.#forget(this.#firstAfter(revision), revision);
  }

  /** Ends all watches. */
  close(): void {
    this.#watchers.clear();
  }
}

function historyBytesOf({ events }: Change): number {
  return events.reduce((sum, { previous }) => sum + EVENT_BYTES + (previous?.value.length ?? 0), 0);
}

function notify({ prefix, onEvents }: Watcher, { events, revision }: Change): void {
  const [first, ...others] = events;
  if (first === undefined) return;
  const matching = others.length > 0 ? events.filter(({ key }) => key.startsWith(prefix)) : first.key.startsWith(prefix) ? events : [];
  if (matching.length > 0) onEvents(matching, revision);
}
