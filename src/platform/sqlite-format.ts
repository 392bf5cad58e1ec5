/** The layout of a store file: tables, checksums, and how files of earlier releases are brought up to date. */
import { crc32 } from 'node:zlib';
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { oncePer } from '#base';
import { Batch, type Entry, RevisionIndex, type StoreEvent, type Write } from '#storage';

/** Marks the file as a dray store (PRAGMA application_id): "dray" in ASCII. */
const APPLICATION_ID = 0x64726179;
/** Layout of the tables (PRAGMA user_version). 1 had neither checksums nor one integer as the key of the log, 2 wrote the revision down with each commit. */
const FORMAT_VERSION = 3;
/** Two or three objects of usual size to a page; SQLite's 4096 would hold one and waste the rest. */
const PAGE_BYTES = 8192;
/** The log's key is revision x this + place in the transaction: in order, and one integer. */
const LOG_PLACES = 2 ** 20;

/**
 * `entry` holds what lived at the compacted revision, `log` every change since: a commit is written once, and compaction
 * folds the log into `entry`. `crc` is the CRC-32 of key and value (see `checksum`). The revision reached is that of the log's
 * end; `state` has it where the last commits changed nothing.
 */
const TABLES = `
  CREATE TABLE entry (key TEXT PRIMARY KEY, value BLOB NOT NULL, create_revision INTEGER NOT NULL, mod_revision INTEGER NOT NULL, crc INTEGER NOT NULL);
  CREATE TABLE log (id INTEGER PRIMARY KEY, key TEXT NOT NULL, value BLOB, create_revision INTEGER NOT NULL, crc INTEGER NOT NULL);`;
const STATE = `
  CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO state (name, value) VALUES ('revision', 1), ('compacted', 1);`;
const MARKS = `
  PRAGMA application_id = ${String(APPLICATION_ID)};
  PRAGMA user_version = ${String(FORMAT_VERSION)};`;
const INSERT_ENTRY = 'INSERT INTO entry (key, value, create_revision, mod_revision, crc) VALUES (?, ?, ?, ?, ?)';
const INSERT_LOG = 'INSERT INTO log (id, key, value, create_revision, crc) VALUES (?, ?, ?, ?, ?)';

/** The store file cannot be used; the message is one sentence that names it. */
export class StoreFileError extends Error {
  override readonly name = 'StoreFileError';
}

/** Checks that the file is ours and whole, creates the tables in an empty one, and sets how it is written. */
export function prepare(database: DatabaseSync, file: string): void {
  database.exec(`PRAGMA page_size = ${String(PAGE_BYTES)}; PRAGMA busy_timeout = 1000; PRAGMA locking_mode = EXCLUSIVE;`);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  const empty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (empty) return inTransaction(database, () => database.exec(STATE + TABLES + MARKS));
  if (pragma(database, 'application_id') !== APPLICATION_ID) throw new StoreFileError(`the file ${file} is an SQLite database but not a dray store`);
  const format = Number(pragma(database, 'user_version'));
  if (format < 1 || format > FORMAT_VERSION) {
    throw new StoreFileError(`the store file ${file} has format ${String(format)}, this dray reads formats 1 to ${String(FORMAT_VERSION)}`);
  }
  const check = pragma(database, 'quick_check');
  if (check !== 'ok') throw new StoreFileError(`the store file ${file} is damaged (${String(check).split('\n')[0] ?? ''})`);
  if (format === 1) inTransaction(database, () => upgradeFrom1(database));
  else if (format < FORMAT_VERSION) database.exec(MARKS);
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

function upgradeFrom1(database: DatabaseSync): void {
  database.exec(`ALTER TABLE entry RENAME TO entry_1; ALTER TABLE log RENAME TO log_1; ${TABLES}`);
  const insertEntry = database.prepare(INSERT_ENTRY);
  for (const row of database.prepare('SELECT key, value, create_revision, mod_revision FROM entry_1').iterate()) {
    const [key, value] = [text(row['key']), bytes(row['value'])];
    insertEntry.run(key, value, number(row['create_revision']), number(row['mod_revision']), checksum(key, value));
  }
  const insertLog = database.prepare(INSERT_LOG);
  for (const row of database.prepare('SELECT revision, position, key, value, create_revision FROM log_1').iterate()) {
    const [key, value] = [text(row['key']), optionalBytes(row['value'])];
    const id = number(row['revision']) * LOG_PLACES + number(row['position']);
    insertLog.run(id, key, value ?? null, number(row['create_revision']), checksum(key, value));
  }
  database.exec(`DROP TABLE entry_1; DROP TABLE log_1; ${MARKS}`);
}

/** The index as of the last commit: the entries at the compacted revision and the log replayed on them. Throws StoreFileError. */
export function load(database: DatabaseSync, file: string): RevisionIndex {
  const state = new Map<string, number>();
  for (const row of database.prepare('SELECT name, value FROM state').iterate()) state.set(text(row['name']), number(row['value']));
  const compacted = state.get('compacted') ?? 1;
  const index = new RevisionIndex(compacted, storedEntries(database, file));
  let last = Math.max(compacted, state.get('revision') ?? 1);
  const writes = new Map<number, Write[]>();
  for (const row of database.prepare('SELECT id, key, value, crc FROM log ORDER BY id').iterate()) {
    const revision = Math.floor(number(row['id']) / LOG_PLACES);
    const ofRevision = writes.get(revision) ?? [];
    ofRevision.push({ key: text(row['key']), value: verified(row, file) });
    writes.set(revision, ofRevision);
    last = Math.max(last, revision);
  }
  const batch = new Batch(index);
  while (batch.revision < last) batch.add({ compare: [], writes: writes.get(batch.revision + 1) ?? [] });
  index.apply(batch);
  return index;
}

function* storedEntries(database: DatabaseSync, file: string): Iterable<Entry> {
  for (const row of database.prepare('SELECT key, value, create_revision, mod_revision, crc FROM entry').iterate()) {
    const value = verified(row, file);
    if (value === undefined) continue;
    yield { key: text(row['key']), value, createRevision: number(row['create_revision']), modRevision: number(row['mod_revision']) };
  }
}

type Row = Record<string, SQLOutputValue>;

/** The value of a row, undefined for a deletion; throws StoreFileError when it is not what was written. */
function verified(row: Row, file: string): Uint8Array | undefined {
  const key = text(row['key']);
  const value = optionalBytes(row['value']);
  if (checksum(key, value) !== number(row['crc'])) throw new StoreFileError(`the store file ${file} is damaged (${key} does not match its checksum)`);
  return value;
}

/** Binds the value to its key: a value that was swapped is as wrong as one that rotted. */
function checksum(key: string, value: Uint8Array | undefined): number {
  return crc32(value ?? '', crc32(key));
}

/** Writes commits down and folds old ones together. */
export class LogWriter {
  readonly #database: DatabaseSync;
  readonly #insertLog: StatementSync;
  readonly #setState: StatementSync;
  /** The log begins after this revision; the memory may have forgotten more. */
  #folded: number;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insertLog = database.prepare(INSERT_LOG);
    this.#setState = database.prepare('UPDATE state SET value = ? WHERE name = ?');
    this.#folded = number(database.prepare(`SELECT value FROM state WHERE name = 'compacted'`).get()?.['value']);
  }

  /** Appends the changes of a batch in one synced transaction. */
  append(batch: Batch): void {
    inTransaction(this.#database, () => {
      for (const { revision, events } of batch.changes) events.forEach((event, place) => this.#insert(revision, place, event));
      if (batch.changes.at(-1)?.events.length === 0) this.#setState.run(batch.revision, 'revision');
    });
  }

  #insert(revision: number, place: number, { key, value, createRevision }: StoreEvent): void {
    this.#insertLog.run(revision * LOG_PLACES + place, key, value ?? null, createRevision, checksum(key, value));
  }

  /** Moves the log up to `revision` into `entry`. */
  fold(revision: number): void {
    if (revision <= this.#folded) return;
    const end = (revision + 1) * LOG_PLACES;
    const newest = 'SELECT key, MAX(id) AS id FROM log WHERE id < ? GROUP BY key';
    inTransaction(this.#database, () => {
      this.#database.prepare('DELETE FROM entry WHERE key IN (SELECT key FROM log WHERE id < ?)').run(end);
      this.#database
        .prepare(
          `INSERT INTO entry (key, value, create_revision, mod_revision, crc)
           SELECT log.key, log.value, log.create_revision, log.id / ${String(LOG_PLACES)}, log.crc
           FROM log JOIN (${newest}) AS newest ON log.id = newest.id WHERE log.value IS NOT NULL`,
        )
        .run(end);
      this.#database.prepare('DELETE FROM log WHERE id < ?').run(end);
      this.#setState.run(revision, 'compacted');
    });
    this.#folded = revision;
  }
}

/** Prepared, because there is a transaction to each commit. */
const frameOf = oncePer((database: DatabaseSync) => ({ begin: database.prepare('BEGIN IMMEDIATE'), commit: database.prepare('COMMIT') }));

function inTransaction(database: DatabaseSync, work: () => void): void {
  const { begin, commit } = frameOf(database);
  begin.run();
  try {
    work();
    commit.run();
  } catch (thrown) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw thrown;
  }
}

function text(value: SQLOutputValue | undefined): string {
  if (typeof value !== 'string') throw new Error('malformed row: text expected');
  return value;
}

function number(value: SQLOutputValue | undefined): number {
  if (typeof value !== 'number') throw new Error('malformed row: integer expected');
  return value;
}

function bytes(value: SQLOutputValue | undefined): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Error('malformed row: bytes expected');
  return value;
}

function optionalBytes(value: SQLOutputValue | undefined): Uint8Array | undefined {
  return value === null ? undefined : bytes(value);
}
