/** The durable engine: one SQLite file with write-ahead log, written by one group-committing writer. */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { asError } from '#base';
import {
  Batch,
  type CommitResult,
  type Entry,
  type RangeQuery,
  type RangeResult,
  type RevisionIndex,
  type Store,
  type StoreEvent,
  type Transaction,
} from '#storage';
import { load, LogWriter, prepare, StoreFileError } from './sqlite-format.ts';

/** Only the owner reads and writes. */
const FILE_MODE = 0o600;

interface Pending {
  readonly transaction: Transaction;
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: Error) => void;
}

/** A store in one SQLite file. All live entries are kept in memory too; a commit resolves after the file is synced. */
export class SqliteStore implements Store {
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #index: RevisionIndex;
  readonly #log: LogWriter;
  #queue: Pending[] = [];
  #drainScheduled = false;
  #closed = false;

  /** Opens or creates `file`; throws StoreFileError when it is damaged, foreign or in use. */
  static open(file: string): SqliteStore {
    let database: DatabaseSync | undefined;
    try {
      // Secrets are in there; SQLite gives its other files the permissions of this one.
      closeSync(openSync(file, 'a', FILE_MODE));
      database = new DatabaseSync(file);
      prepare(database, file);
      return new SqliteStore(file, database, load(database, file));
    } catch (thrown) {
      database?.close();
      throw thrown instanceof StoreFileError ? thrown : new StoreFileError(explain(file, asError(thrown)), { cause: thrown });
    }
  }

  private constructor(file: string, database: DatabaseSync, index: RevisionIndex) {
    this.#file = file;
    this.#database = database;
    this.#index = index;
    this.#log = new LogWriter(database);
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

  watch(prefix: string, revision: number, onEvents: (events: readonly StoreEvent[], revision: number) => void): () => void {
    return this.#index.watch(prefix, revision, onEvents);
  }

  commit(transaction: Transaction): Promise<CommitResult> {
    if (this.#closed) return Promise.reject(new StoreFileError(`the store file ${this.#file} is closed`));
    const outcome = new Promise<CommitResult>((resolve, reject) => this.#queue.push({ transaction, resolve, reject }));
    if (!this.#drainScheduled) {
      this.#drainScheduled = true;
      setImmediate(() => this.#drain());
    }
    return outcome;
  }

  /** Decides everything that is queued and writes it in one transaction of the file: one sync for all. */
  #drain(): void {
    this.#drainScheduled = false;
    const pending = this.#queue;
    this.#queue = [];
    if (pending.length === 0) return;
    const batch = new Batch(this.#index);
    let results: CommitResult[];
    try {
      results = pending.map(({ transaction }) => batch.add(transaction));
      if (batch.changes.length > 0) this.#log.append(batch);
    } catch (thrown) {
      const error = new StoreFileError(`the store file ${this.#file} could not be written (${asError(thrown).message})`, { cause: thrown });
      for (const { reject } of pending) reject(error);
      return;
    }
    this.#index.apply(batch);
    results.forEach((result, at) => pending[at]?.resolve(result));
  }

  async compact(revision: number): Promise<void> {
    this.#drain();
    this.#index.compact(revision);
    this.#log.fold(revision);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#drain();
    this.#closed = true;
    this.#index.close();
    this.#database.close();
  }
}

function explain(file: string, error: Error): string {
  if (/locked|busy/.test(error.message)) return `the store file ${file} is in use by another process`;
  if (/not a database|malformed|corrupt|no such (table|column)/.test(error.message))
    return `the store file ${file} is damaged or not a dray store (${error.message})`;
  return `the store file ${file} cannot be opened (${error.message})`;
}
