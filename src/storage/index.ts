/**
 * storage: a revisioned key-value store behind one port. It knows keys, bytes and revisions, and no kind.
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
