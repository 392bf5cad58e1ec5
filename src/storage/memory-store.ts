/** The engine that keeps everything in memory: for tests and throw-away clusters. */
import { Batch, RevisionIndex } from './revision-index.ts';
import type { CommitResult, Entry, RangeQuery, RangeResult, Store, StoreEvent, Transaction } from './store.ts';

/** A store that lives as long as its process. Commits take effect before `commit` returns its promise. */
export class MemoryStore implements Store {
  readonly #index: RevisionIndex;

  /**
   * Revisions follow `revision`. Where clients outlive the store, it must lie beyond all revisions of the one before: a watch that
   * goes on from there is then told that its history is gone, instead of being continued in a history of others.
   */
  constructor(revision = 1) {
    this.#index = new RevisionIndex(revision);
  }

  revision(): number {
    return this.#index.revision;
  }

  compactedRevision(): number {
    return this.#index.compactedRevision;
  }

  get(key: string): Promise<Entry | undefined> {
    return Promise.resolve(this.#index.get(key));
  }

  async getMany(keys: readonly string[]): Promise<Pick<RangeResult, 'entries' | 'revision'>> {
    return this.#index.getMany(keys);
  }

  async range(query: RangeQuery): Promise<RangeResult> {
    return this.#index.range(query);
  }

  async commit(transaction: Transaction): Promise<CommitResult> {
    const batch = new Batch(this.#index);
    const result = batch.add(transaction);
    this.#index.apply(batch);
    return result;
  }

  watch(prefix: string, revision: number, onEvents: (events: readonly StoreEvent[], revision: number) => void): () => void {
    return this.#index.watch(prefix, revision, onEvents);
  }

  async compact(revision: number): Promise<void> {
    this.#index.compact(revision);
  }

  async close(): Promise<void> {
    this.#index.close();
  }
}
