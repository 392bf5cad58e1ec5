/**
 * storage: a revisioned key-value store behind one port. It knows keys, bytes and revisions, and no kind.
 *
 * Every engine of one process keeps all live entries and the recent changes in a `RevisionIndex`: it decides
 * transactions, answers reads at any revision that is not compacted, and feeds watches. The memory engine is that index
 * and nothing else; a durable engine writes each batch of changes down before the index applies it.
 */
export {
  CompactedError,
  type CommitResult,
  type Comparison,
  type Entry,
  type RangeQuery,
  type RangeResult,
  type Store,
  type StoreEvent,
  type Transaction,
  type Write,
} from './store.ts';
export { MemoryStore } from './memory-store.ts';
export { Batch, HISTORY_BYTES_MAX, RevisionIndex } from './revision-index.ts';
export { compareKeys, SortedKeys } from './sorted-keys.ts';
