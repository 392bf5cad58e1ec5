/** The durable engine: one SQLite file with write-ahead log, written by one group-committing writer. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { asError } from '#base';
import {
  Batch,
  type CommitResult,
  type Entry,
  type RangeQuery,
  type RangeResult,
  RevisionIndex,
  type Store,
  type StoreEvent,
  type Transaction,
} from '#storage';

/** Marks the file as a dray store (PRAGMA application_id): "dray" in ASCII. */
const APPLICATION_ID = 0x64726179;
/** Layout of the tables (PRAGMA user_version). */
const FORMAT_VERSION = 1;

/**
 * `entry` holds what lived at the compacted revision, `log` every change since: a commit is written once, and compaction
 * folds the log into `entry`.
 */
const SCHEMA = `
  CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE entry (key TEXT PRIMARY KEY, value BLOB NOT NULL, create_revision INTEGER NOT NULL, mod_revision INTEGER NOT NULL);
  CREATE TABLE log (revision INTEGER NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL, value BLOB, create_revision INTEGER NOT NULL, PRIMARY KEY (revision, position)) WITHOUT ROWID;
  INSERT INTO state (name, value) VALUES ('revision', 1), ('compacted', 1);
  PRAGMA application_id = ${String(APPLICATION_ID)};
  PRAGMA user_version = ${String(FORMAT_VERSION)};`;

/** The store file cannot be used; the message is one sentence that names it. */
export class StoreFileError extends Error {
  override readonly name = 'StoreFileError';
}

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
  readonly #insertLog: StatementSync;
  readonly #setState: StatementSync;
  #queue: Pending[] = [];
  #drainScheduled = false;
  #closed = false;

  /** Opens or creates `file`; throws StoreFileError when it is damaged, foreign or in use. */
  static open(file: string): SqliteStore {
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(file);
      prepare(database, file);
      return new SqliteStore(file, database, load(database));
    } catch (thrown) {
      database?.close();
      throw thrown instanceof StoreFileError ? thrown : new StoreFileError(explain(file, asError(thrown)), { cause: thrown });
    }
  }

  private constructor(file: string, database: DatabaseSync, index: RevisionIndex) {
    this.#file = file;
    this.#database = database;
    this.#index = index;
    this.#insertLog = database.prepare('INSERT INTO log (revision, position, key, value, create_revision) VALUES (?, ?, ?, ?, ?)');
    this.#setState = database.prepare('UPDATE state SET value = ? WHERE name = ?');
  }

  revision(): number {
    return this.#index.revision;
  }

  get(key: string): Promise<Entry | undefined> {
    return Promise.resolve(this.#index.get(key));
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
      if (batch.changes.length > 0) inTransaction(this.#database, () => this.#write(batch));
    } catch (thrown) {
      const error = new StoreFileError(`the store file ${this.#file} could not be written (${asError(thrown).message})`, { cause: thrown });
      for (const { reject } of pending) reject(error);
      return;
    }
    this.#index.apply(batch);
    results.forEach((result, at) => pending[at]?.resolve(result));
  }

  #write(batch: Batch): void {
    for (const { revision, events } of batch.changes) {
      events.forEach((event, position) => this.#insertLog.run(revision, position, event.key, event.value ?? null, event.createRevision));
    }
    this.#setState.run(batch.revision, 'revision');
  }

  async compact(revision: number): Promise<void> {
    this.#drain();
    if (!this.#index.compact(revision)) return;
    inTransaction(this.#database, () => fold(this.#database, this.#setState, revision));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#drain();
    this.#closed = true;
    this.#index.close();
    this.#database.close();
  }
}

/** Checks that the file is ours and whole, creates the tables in an empty one, and sets how it is written. */
function prepare(database: DatabaseSync, file: string): void {
  database.exec('PRAGMA busy_timeout = 1000; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  const empty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (empty) return inTransaction(database, () => database.exec(SCHEMA));
  if (pragma(database, 'application_id') !== APPLICATION_ID) throw new StoreFileError(`the file ${file} is an SQLite database but not a dray store`);
  const format = pragma(database, 'user_version');
  if (format !== FORMAT_VERSION)
    throw new StoreFileError(`the store file ${file} has format ${String(format)}, this dray reads format ${String(FORMAT_VERSION)}`);
  const check = pragma(database, 'quick_check');
  if (check !== 'ok') throw new StoreFileError(`the store file ${file} is damaged (${String(check).split('\n')[0] ?? ''})`);
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

/** The index as of the last commit: the entries at the compacted revision and the log replayed on them. */
function load(database: DatabaseSync): RevisionIndex {
  const state = new Map(
    database
      .prepare('SELECT name, value FROM state')
      .all()
      .map((row) => [text(row['name']), number(row['value'])]),
  );
  const entries: Entry[] = [];
  for (const row of database.prepare('SELECT key, value, create_revision, mod_revision FROM entry').iterate()) {
    entries.push({
      key: text(row['key']),
      value: bytes(row['value']),
      createRevision: number(row['create_revision']),
      modRevision: number(row['mod_revision']),
    });
  }
  const index = new RevisionIndex(state.get('compacted') ?? 1, entries);
  const writes = new Map<number, { key: string; value: Uint8Array | undefined }[]>();
  for (const row of database.prepare('SELECT revision, key, value FROM log ORDER BY revision, position').iterate()) {
    const revision = number(row['revision']);
    const value = row['value'] === null ? undefined : bytes(row['value']);
    const ofRevision = writes.get(revision) ?? [];
    ofRevision.push({ key: text(row['key']), value });
    writes.set(revision, ofRevision);
  }
  const batch = new Batch(index);
  const last = state.get('revision') ?? 1;
  while (batch.revision < last) batch.add({ compare: [], writes: writes.get(batch.revision + 1) ?? [] });
  index.apply(batch);
  return index;
}

/** Moves the log up to `revision` into `entry`. */
function fold(database: DatabaseSync, setState: StatementSync, revision: number): void {
  const newest = 'SELECT key, MAX(revision) AS revision FROM log WHERE revision <= ? GROUP BY key';
  database.prepare(`DELETE FROM entry WHERE key IN (SELECT key FROM log WHERE revision <= ?)`).run(revision);
  database
    .prepare(
      `INSERT INTO entry (key, value, create_revision, mod_revision)
       SELECT log.key, log.value, log.create_revision, log.revision FROM log JOIN (${newest}) AS newest
       ON log.key = newest.key AND log.revision = newest.revision WHERE log.value IS NOT NULL`,
    )
    .run(revision);
  database.prepare('DELETE FROM log WHERE revision <= ?').run(revision);
  setState.run(revision, 'compacted');
}

function inTransaction(database: DatabaseSync, work: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    work();
    database.exec('COMMIT');
  } catch (thrown) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw thrown;
  }
}

function explain(file: string, error: Error): string {
  if (/locked|busy/.test(error.message)) return `the store file ${file} is in use by another process`;
  if (/not a database|malformed|corrupt|no such (table|column)/.test(error.message))
    return `the store file ${file} is damaged or not a dray store (${error.message})`;
  return `the store file ${file} cannot be opened (${error.message})`;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('malformed row: text expected');
  return value;
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw new Error('malformed row: integer expected');
  return value;
}

function bytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Error('malformed row: bytes expected');
  return value;
}
