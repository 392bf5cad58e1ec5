/** The port of the revisioned store: what the API server needs of memory, SQLite or etcd. */

/** A stored value with the revisions that optimistic concurrency compares. */
export interface Entry {
  readonly key: string;
  /** The encoded object, UTF-8 JSON; owned by the store, never changed in place. */
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
}

/** One write of a transaction; without `value` the key is deleted. */
export interface Write {
  readonly key: string;
  readonly value?: Uint8Array | undefined;
}

/** Holds when the key's modRevision is the given one; 0: the key must not exist. */
export interface Comparison {
  readonly key: string;
  readonly modRevision: number;
}

/** All comparisons are checked and all writes made at one revision, or nothing is. */
export interface Transaction {
  readonly compare: readonly Comparison[];
  readonly writes: readonly Write[];
}

/** The outcome of a transaction: its revision, or the entries (absent: undefined) whose comparison failed. */
export type CommitResult =
  | { readonly committed: true; readonly revision: number }
  | { readonly committed: false; readonly conflicts: readonly { readonly key: string; readonly current: Entry | undefined }[] };

/** Which keys to read: prefix, optionally from `startKey` on (inclusive), at most `limit`, at `revision` (default: now). */
export interface RangeQuery {
  readonly prefix: string;
  readonly startKey?: string | undefined;
  readonly limit?: number | undefined;
  readonly revision?: number | undefined;
}

/** Entries in byte order of their keys, read at `revision`; `remaining` counts those past `limit`. */
export interface RangeResult {
  readonly entries: readonly Entry[];
  readonly revision: number;
  readonly remaining: number;
}

/** One change of a key. A deletion carries no value; `previous` is what the key held before. */
export interface StoreEvent {
  readonly key: string;
  readonly revision: number;
  readonly value: Uint8Array | undefined;
  readonly createRevision: number;
  readonly previous: Entry | undefined;
}

/** Thrown for a revision that was compacted away (410 Expired outside). */
export class CompactedError extends Error {
  override readonly name = 'CompactedError';
  readonly compactedRevision: number;
  constructor(compactedRevision: number) {
    super(`revision is compacted; the oldest available is ${String(compactedRevision)}`);
    this.compactedRevision = compactedRevision;
  }
}

/**
 * A revisioned key-value store. Revisions rise by one with every committed transaction; an acknowledged commit survives
 * the process. Keys are ordered by bytes.
 */
export interface Store {
  /** The revision of the last commit, 1 for an empty store. */
  revision(): number;
  /** Reads and watches start at this revision or later. */
  compactedRevision(): number;
  get(key: string): Promise<Entry | undefined>;
  /** Those of `keys` that exist, in the order given, and the revision at which that is so: the one of the call. */
  getMany(keys: readonly string[]): Promise<Pick<RangeResult, 'entries' | 'revision'>>;
  /** Throws CompactedError, or RangeError for a revision in the future. */
  range(query: RangeQuery): Promise<RangeResult>;
  /** Resolves once the transaction is durable. */
  commit(transaction: Transaction): Promise<CommitResult>;
  /**
   * Calls `onEvents` with every later change of keys below `prefix` after `revision`, in order, those of one commit
   * together, and the revision reached; returns the function that ends it. Throws CompactedError at once if `revision`
   * is compacted. Callbacks are synchronous and must not throw.
   */
  watch(prefix: string, revision: number, onEvents: (events: readonly StoreEvent[], revision: number) => void): () => void;
  /** Forgets what was overwritten at or before `revision`. */
  compact(revision: number): Promise<void>;
  /** Waits for pending commits and releases files. */
  close(): Promise<void>;
}
