/** Tests of the beginning and the end of an API server's background work. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStore, type RangeQuery, type RangeResult, type Store } from '#storage';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { TestServer } from './api-server.test-data.ts';

/** Counts who watches; the second and later reads of roles fail as often as told. */
class WatchedStore extends MemoryStore {
  watchers = 0;
  failures = 0;

  override async range(query: RangeQuery): Promise<RangeResult> {
    const result = await super.range(query);
    if (query.prefix.includes('clusterrolebindings') && this.watchers > 0 && this.failures-- > 0) throw new Error('the disk is tired');
    return result;
  }

  override watch(...args: Parameters<Store['watch']>): () => void {
    const stop = super.watch(...args);
    this.watchers++;
    return () => {
      this.watchers--;
      stop();
    };
  }
}

test('a server that is closed while it prepares its first answer leaves nobody watching its store', async () => {
  const store = new WatchedStore();
  const { server, send } = withSend(store);
  const answer = send();
  server.server.close();
  await answer;
  assert.equal(store.watchers, 0);
});

test('a beginning that failed is repeated without watching anything twice', async () => {
  const calm = new WatchedStore();
  await withSend(calm).send();
  const store = new WatchedStore();
  store.failures = 2;
  const { send } = withSend(store);
  assert.deepEqual([await send(), await send(), await send()], [500, 500, 200]);
  assert.equal(store.watchers, calm.watchers);
});

test('history is forgotten by itself, not before five minutes and not after ten', async () => {
  const clock = new ManualClock();
  const store = new MemoryStore();
  const server = new TestServer({ clock, store });
  await server.must('GET', '/api/v1/namespaces');
  const early = store.revision();
  await server.must('POST', '/api/v1/namespaces', { metadata: { name: 'later' } });
  const listedAt = (revision: number): Promise<number> =>
    server.send('GET', `/api/v1/namespaces?resourceVersion=${String(revision)}&resourceVersionMatch=Exact`).then(({ status }) => status);
  clock.advance(5 * 60_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await listedAt(early), 200);
  clock.advance(5 * 60_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await listedAt(early), 410);
  server.server.close();
});

/** A server that lives for `livedMs`, writes something early in its life, and is gone without a word. */
async function brieflyServed(store: Store, clock: ManualClock, { name, livedMs }: { name: string; livedMs: number }): Promise<void> {
  const server = new TestServer({ clock, store });
  await server.must('POST', '/api/v1/namespaces', { metadata: { name } });
  clock.advance(livedMs);
  await new Promise((resolve) => setImmediate(resolve));
  server.server.close();
}

/** The oldest revision that the store still knows. */
async function oldestReadable(store: MemoryStore): Promise<number> {
  const isReadable = (revision: number): Promise<boolean> =>
    store.range({ prefix: '/', revision, limit: 1 }).then(
      () => true,
      () => false,
    );
  let revision = store.revision();
  while (revision > 1 && (await isReadable(revision - 1))) revision--;
  return revision;
}

test('a server that never lives for five minutes forgets history all the same', async () => {
  const clock = new ManualClock();
  const store = new MemoryStore();
  const revisions: number[] = [];
  for (let start = 0; start < 30; start++) {
    await brieflyServed(store, clock, { name: `n${String(start)}`, livedMs: 60_000 });
    revisions.push(store.revision());
    const oldest = await oldestReadable(store);
    assert.ok(oldest <= (revisions.at(-6) ?? Infinity), `start ${String(start)}: what is younger than five minutes is kept`);
    assert.ok(oldest >= (revisions.at(-12) ?? 0), `start ${String(start)}: what is older than eleven minutes is gone`);
  }
});

test('a store that nobody writes to is left alone, and a mark of a clock that was wrong is set anew', async () => {
  const clock = new ManualClock();
  const store = new MemoryStore();
  await brieflyServed(store, clock, { name: 'a', livedMs: 20 * 60_000 });
  const server = new TestServer({ clock, store });
  await server.must('GET', '/api/v1/namespaces');
  for (let interval = 0; interval < 3; interval++) {
    clock.advance(5 * 60_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const idle = store.revision();
  clock.advance(20 * 60_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(store.revision(), idle);
  server.server.close();
  const early = new ManualClock();
  await brieflyServed(store, early, { name: 'b', livedMs: 5 * 60_000 });
  await brieflyServed(store, early, { name: 'c', livedMs: 5 * 60_000 });
  assert.ok((await oldestReadable(store)) > idle);
});

function withSend(store: Store): { server: TestServer; send: () => Promise<number> } {
  const server = new TestServer({ store });
  return { server, send: async () => (await server.send('GET', '/api/v1/namespaces')).status };
}
