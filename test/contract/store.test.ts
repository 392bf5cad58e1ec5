/** The contract of the Store port, run on every engine. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import { CompactedError, HISTORY_BYTES_MAX, MemoryStore, type Store, type StoreEvent } from '#storage';
import { SqliteStore } from '../../src/platform/sqlite-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'dray-store-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;
const newFile = (): string => join(directory, `store-${String(files++)}.db`);

/** What dray 0.1 wrote first: "dray" as application_id, no checksums. */
const FORMAT_1 = `
  CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE entry (key TEXT PRIMARY KEY, value BLOB NOT NULL, create_revision INTEGER NOT NULL, mod_revision INTEGER NOT NULL);
  CREATE TABLE log (revision INTEGER NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL, value BLOB, create_revision INTEGER NOT NULL, PRIMARY KEY (revision, position)) WITHOUT ROWID;
  INSERT INTO state (name, value) VALUES ('revision', 6), ('compacted', 4);
  PRAGMA application_id = ${String(0x64726179)};
  PRAGMA user_version = 1;`;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined => (value === undefined ? undefined : new TextDecoder().decode(value));

async function put(store: Store, key: string, value: string, modRevision?: number): Promise<number> {
  const compare = modRevision === undefined ? [] : [{ key, modRevision }];
  const result = await store.commit({ compare, writes: [{ key, value: bytes(value) }] });
  assert.ok(result.committed, `commit of ${key} was refused`);
  return result.revision;
}

async function remove(store: Store, key: string): Promise<number> {
  const result = await store.commit({ compare: [], writes: [{ key }] });
  assert.ok(result.committed);
  return result.revision;
}

async function contents(store: Store, prefix: string, revision?: number): Promise<string[]> {
  const { entries } = await store.range({ prefix, revision });
  return entries.map((entry) => `${entry.key}=${text(entry.value) ?? ''}`);
}

function describeContract(engine: string, open: () => Store): void {
  describe(`the store contract, ${engine}`, () => {
    const withStore = (name: string, body: (store: Store) => Promise<void>): void =>
      void test(name, async () => {
        const store = open();
        try {
          await body(store);
        } finally {
          await store.close();
        }
      });

    withStore('an empty store is at revision 1 and every commit raises it by one', async (store) => {
      assert.equal(store.revision(), 1);
      assert.equal(await put(store, '/a', '1'), 2);
      assert.equal(await put(store, '/a', '2'), 3);
      assert.equal(store.revision(), 3);
    });

    withStore('an entry remembers when it was created and last changed', async (store) => {
      await put(store, '/a', '1');
      await put(store, '/a', '2');
      const entry = await store.get('/a');
      assert.deepEqual([entry?.createRevision, entry?.modRevision, text(entry?.value)], [2, 3, '2']);
      assert.equal(await store.get('/b'), undefined);
    });

    withStore('a comparison that fails writes nothing and shows the current entry', async (store) => {
      await put(store, '/a', '1', 0);
      const result = await store.commit({
        compare: [
          { key: '/a', modRevision: 0 },
          { key: '/b', modRevision: 0 },
        ],
        writes: [{ key: '/b', value: bytes('x') }],
      });
      assert.ok(!result.committed);
      assert.deepEqual(
        result.conflicts.map(({ key, current }) => [key, current?.modRevision]),
        [['/a', 2]],
      );
      assert.equal(await store.get('/b'), undefined);
      assert.equal(store.revision(), 2);
    });

    withStore('of two concurrent commits with the same comparison one wins', async (store) => {
      const commit = (value: string) => store.commit({ compare: [{ key: '/a', modRevision: 0 }], writes: [{ key: '/a', value: bytes(value) }] });
      const [first, second] = await Promise.all([commit('1'), commit('2')]);
      assert.equal(first?.committed, true);
      assert.equal(second?.committed, false);
      assert.deepEqual(await contents(store, '/'), ['/a=1']);
    });

    withStore('all writes of a transaction share its revision', async (store) => {
      await store.commit({
        compare: [],
        writes: [
          { key: '/a', value: bytes('1') },
          { key: '/b', value: bytes('2') },
        ],
      });
      const { entries, revision } = await store.range({ prefix: '/' });
      assert.deepEqual(
        entries.map((entry) => entry.modRevision),
        [2, 2],
      );
      assert.equal(revision, 2);
    });

    withStore('a range is in byte order, limited, and counts what remains', async (store) => {
      for (const key of ['/p/b', '/p/a', '/q/a', '/p/ab', '/p/\u{1F600}', '/p/\uFFFD']) await put(store, key, 'x');
      const first = await store.range({ prefix: '/p/', limit: 2 });
      assert.deepEqual(
        first.entries.map((entry) => entry.key),
        ['/p/a', '/p/ab'],
      );
      assert.equal(first.remaining, 3);
      const rest = await store.range({ prefix: '/p/', startKey: '/p/ab\0' });
      assert.deepEqual(
        rest.entries.map((entry) => entry.key),
        ['/p/b', '/p/\uFFFD', '/p/\u{1F600}'],
      );
      assert.equal(rest.remaining, 0);
    });

    withStore('what is asked for by keys comes in their order, without what is absent', async (store) => {
      for (const key of ['/c', '/a', '/b']) await put(store, key, key.slice(1));
      const { entries, revision } = await store.getMany(['/b', '/x', '/a']);
      assert.deepEqual(
        entries.map(({ key, modRevision }) => [key, modRevision]),
        [
          ['/b', 4],
          ['/a', 3],
        ],
      );
      assert.equal(revision, store.revision());
    });

    withStore('a range at an old revision shows what was there then', async (store) => {
      await put(store, '/a', '1');
      const then = await put(store, '/b', '1');
      await put(store, '/a', '2');
      await remove(store, '/b');
      await put(store, '/c', '1');
      assert.deepEqual(await contents(store, '/', then), ['/a=1', '/b=1']);
      assert.deepEqual(await contents(store, '/'), ['/a=2', '/c=1']);
    });

    withStore('a range in the future is refused', async (store) => {
      await assert.rejects(() => store.range({ prefix: '/', revision: 99 }), RangeError);
    });

    withStore('a key that was deleted starts anew', async (store) => {
      await put(store, '/a', '1');
      await remove(store, '/a');
      await put(store, '/a', '2', 0);
      assert.equal((await store.get('/a'))?.createRevision, 4);
    });

    withStore('a watch reports later changes below its prefix in order, with what was before', async (store) => {
      const seen: string[] = [];
      const stop = store.watch('/p/', store.revision(), (events, revision) =>
        seen.push(...events.map((event) => `${String(revision)} ${describeEvent(event)}`)),
      );
      await put(store, '/p/a', '1');
      await put(store, '/q/a', '1');
      await put(store, '/p/a', '2');
      await remove(store, '/p/a');
      stop();
      await put(store, '/p/a', '3');
      assert.deepEqual(seen, ['2 /p/a -=>1', '4 /p/a 1=>2', '5 /p/a 2=>-']);
    });

    withStore('a watch from an old revision first reports what happened since', async (store) => {
      const from = await put(store, '/a', '1');
      await put(store, '/a', '2');
      const seen: string[] = [];
      store.watch('/', from, (events) => seen.push(...events.map(describeEvent)));
      await put(store, '/a', '3');
      assert.deepEqual(seen, ['/a 1=>2', '/a 2=>3']);
    });

    withStore('changes of one commit arrive together', async (store) => {
      const sizes: number[] = [];
      store.watch('/', store.revision(), (events) => sizes.push(events.length));
      await store.commit({
        compare: [],
        writes: [
          { key: '/a', value: bytes('1') },
          { key: '/b', value: bytes('2') },
        ],
      });
      assert.deepEqual(sizes, [2]);
    });

    withStore('what was compacted can be neither read nor watched', async (store) => {
      await put(store, '/a', '1');
      const kept = await put(store, '/a', '2');
      await put(store, '/a', '3');
      await store.compact(kept);
      await assert.rejects(() => store.range({ prefix: '/', revision: kept - 1 }), CompactedError);
      assert.throws(() => store.watch('/', kept - 1, () => {}), CompactedError);
      assert.deepEqual(await contents(store, '/', kept), ['/a=2']);
      const seen: string[] = [];
      store.watch('/', kept, (events) => seen.push(...events.map(describeEvent)));
      assert.deepEqual(seen, ['/a 2=>3']);
    });

    withStore('history that takes too much is forgotten, the oldest first; who follows misses nothing', async (store) => {
      const value = 'x'.repeat(1024 * 1024);
      const writes = Math.ceil(HISTORY_BYTES_MAX / value.length) + 2;
      const first = await put(store, '/a', value);
      const seen: number[] = [];
      store.watch('/', first, (_events, revision) => seen.push(revision));
      for (let i = 0; i < writes; i++) await put(store, '/a', value);
      const last = store.revision();
      assert.deepEqual(
        seen,
        Array.from({ length: writes }, (_, i) => first + 1 + i),
      );
      const oldest = store.compactedRevision();
      assert.ok(oldest > first && oldest < last, `${String(oldest)} of ${String(first)} to ${String(last)}`);
      assert.throws(() => store.watch('/', oldest - 1, () => {}), CompactedError);
      await assert.rejects(() => store.range({ prefix: '/', revision: oldest - 1 }), CompactedError);
      assert.equal((await store.range({ prefix: '/', revision: oldest })).entries[0]?.modRevision, oldest);
    });
  });
}

function describeEvent(event: StoreEvent): string {
  return `${event.key} ${text(event.previous?.value) ?? '-'}=>${text(event.value) ?? '-'}`;
}

describeContract('memory', () => new MemoryStore());
describeContract('SQLite', () => SqliteStore.open(newFile()));

describe('the SQLite engine', () => {
  test('a reopened file has the same entries, revision and history', async () => {
    const file = newFile();
    const first = SqliteStore.open(file);
    await put(first, '/a', '1');
    const then = await put(first, '/b', '1');
    await put(first, '/a', '2');
    await remove(first, '/b');
    await first.close();
    const second = SqliteStore.open(file);
    assert.equal(second.revision(), 5);
    assert.deepEqual(await contents(second, '/'), ['/a=2']);
    assert.deepEqual(await contents(second, '/', then), ['/a=1', '/b=1']);
    const seen: string[] = [];
    second.watch('/', then, (events) => seen.push(...events.map(describeEvent)));
    assert.deepEqual(seen, ['/a 1=>2', '/b 1=>-']);
    assert.equal(await put(second, '/c', '1'), 6);
    await second.close();
  });

  test('only its owner reads what it writes, wherever it lies', async () => {
    const file = newFile();
    const store = SqliteStore.open(file);
    await put(store, '/a', '1');
    assert.deepEqual(
      [file, `${file}-wal`].map((each) => statSync(each).mode & 0o777),
      [0o600, 0o600],
    );
    await store.close();
  });

  test('a file is compacted to where it was asked, though the memory has forgotten more', async () => {
    const file = newFile();
    const store = SqliteStore.open(file);
    const value = 'x'.repeat(1024 * 1024);
    const writes = Math.ceil(HISTORY_BYTES_MAX / value.length) + 2;
    for (let i = 0; i < writes; i++) await put(store, '/a', value);
    const asked = store.compactedRevision() - 1;
    await store.compact(asked);
    await store.close();
    const database = new DatabaseSync(file);
    assert.equal(database.prepare('SELECT count(*) AS rows FROM log').get()?.['rows'], store.revision() - asked);
    database.close();
  });

  test('compaction survives a reopen', async () => {
    const file = newFile();
    const first = SqliteStore.open(file);
    await put(first, '/a', '1');
    await put(first, '/b', '1');
    await remove(first, '/a');
    const kept = await put(first, '/b', '2');
    await put(first, '/c', '1');
    await first.compact(kept);
    await first.close();
    const second = SqliteStore.open(file);
    assert.deepEqual(await contents(second, '/'), ['/b=2', '/c=1']);
    assert.deepEqual(await contents(second, '/', kept), ['/b=2']);
    assert.equal((await second.get('/b'))?.createRevision, 3);
    await assert.rejects(() => second.range({ prefix: '/', revision: kept - 1 }), CompactedError);
    await second.close();
  });

  test('commits that were queued before close are kept', async () => {
    const file = newFile();
    const first = SqliteStore.open(file);
    const pending = Promise.all([put(first, '/a', '1'), put(first, '/b', '1')]);
    await first.close();
    await pending;
    const second = SqliteStore.open(file);
    assert.deepEqual(await contents(second, '/'), ['/a=1', '/b=1']);
    await second.close();
    await assert.rejects(() => put(second, '/c', '1'), /is closed/);
  });

  test('a damaged file is refused in one sentence that names it', () => {
    const file = newFile();
    writeFileSync(file, 'this is no database, only a sentence that is long enough to look like one'.repeat(20));
    assert.throws(
      () => SqliteStore.open(file),
      (error: Error) => error.message.includes(file) && /damaged or not a dray store/.test(error.message) && !error.message.includes('\n'),
    );
  });

  test('a value that is no longer what was written is refused by its key', async () => {
    for (const compacted of [false, true]) {
      const file = newFile();
      const store = SqliteStore.open(file);
      await put(store, '/a', 'the truth');
      if (compacted) await store.compact(store.revision());
      await store.close();
      const database = new DatabaseSync(file);
      database.prepare(`UPDATE ${compacted ? 'entry' : 'log'} SET value = ? WHERE key = '/a'`).run(bytes('the trutH'));
      database.close();
      assert.throws(
        () => SqliteStore.open(file),
        (error: Error) => error.message === `the store file ${file} is damaged (/a does not match its checksum)`,
      );
    }
  });

  test('a file of format 1 is brought up to date with all it holds', async () => {
    const file = newFile();
    const old = new DatabaseSync(file);
    old.exec(FORMAT_1);
    old.prepare('INSERT INTO entry VALUES (?, ?, ?, ?)').run('/a', bytes('1'), 2, 3);
    old.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?)').run(5, 0, '/b', bytes('2'), 5);
    old.prepare('INSERT INTO log VALUES (?, ?, ?, ?, ?)').run(6, 0, '/a', null, 2);
    old.close();
    for (const opening of ['the first', 'the second']) {
      const store = SqliteStore.open(file);
      assert.equal(store.revision(), 6, opening);
      assert.deepEqual(await contents(store, '/'), ['/b=2']);
      assert.deepEqual(await contents(store, '/', 5), ['/a=1', '/b=2']);
      await store.close();
    }
  });

  test('a file of format 2, which has its revision written down, is brought up to date', async () => {
    const file = newFile();
    const store = SqliteStore.open(file);
    await put(store, '/a', '1');
    const revision = store.revision();
    await store.close();
    const old = new DatabaseSync(file);
    old.exec(`UPDATE state SET value = ${String(revision)} WHERE name = 'revision'; PRAGMA user_version = 2;`);
    old.close();
    const again = SqliteStore.open(file);
    assert.equal(again.revision(), revision);
    assert.equal(await put(again, '/a', '2'), revision + 1);
    await again.close();
    const reopened = SqliteStore.open(file);
    assert.equal(reopened.revision(), revision + 1);
    await reopened.close();
  });

  test('a revision at which nothing changed is not given out again after a restart', async () => {
    const file = newFile();
    const store = SqliteStore.open(file);
    await put(store, '/a', '1');
    await store.commit({ compare: [], writes: [{ key: '/absent' }] });
    const revision = store.revision();
    await store.close();
    const again = SqliteStore.open(file);
    assert.equal(again.revision(), revision);
    await again.compact(revision);
    await again.close();
    const compacted = SqliteStore.open(file);
    assert.equal(compacted.revision(), revision);
    await compacted.close();
  });

  test('a file of a later format is refused', async () => {
    const file = newFile();
    await SqliteStore.open(file).close();
    const database = new DatabaseSync(file);
    database.exec('PRAGMA user_version = 99');
    database.close();
    assert.throws(() => SqliteStore.open(file), /has format 99, this dray reads formats 1 to 3/);
  });

  test('a file whose entries are rewritten again and again stops growing once old revisions are compacted', async () => {
    const file = newFile();
    const store = SqliteStore.open(file);
    const value = 'x'.repeat(2_000);
    const churn = async (): Promise<number> => {
      for (let i = 0; i < 500; i++) await put(store, `/${String(i % 20)}`, `${value}${String(i)}`);
      await store.compact(store.revision());
      return statSync(file).size + statSync(`${file}-wal`).size;
    };
    const sizes: number[] = [];
    for (let round = 0; round < 6; round++) sizes.push(await churn());
    await store.close();
    const [, second = 0, , , , last = Infinity] = sizes;
    assert.ok(last <= second * 1.5, `grew: ${sizes.join(', ')}`);
  });

  test('a file in use by another store is refused', async () => {
    const file = newFile();
    const first = SqliteStore.open(file);
    assert.throws(() => SqliteStore.open(file), /in use by another process/);
    await first.close();
  });
});
