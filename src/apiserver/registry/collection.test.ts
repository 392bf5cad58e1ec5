/** Lists out of collections and images show what is stored, however it came to be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStore } from '#storage';
import { TestServer } from '../api-server.test-data.ts';
import { Pieces, utf8 } from '../http/pieces.ts';
import { Collection, Collections } from './collection.ts';
import { type ItemRendering, ListImages } from './list-images.ts';
import { ObjectStore, StoredObject } from './object-store.ts';

/** Numbers in no order, the same in each run. */
function scattered(count: number): number[] {
  return Array.from({ length: count }, (_, i) => (i * 7919) % count);
}

function stored(revision: number): StoredObject {
  return new StoredObject(undefined, revision, utf8(`{"n":${String(revision)}}`));
}

function keysOf(collection: Collection, prefix: string, startKey = '', limit = Infinity): string[] {
  return collection.slice(prefix, startKey, limit).spans.flatMap(({ run, from, to }) => run.keys.slice(from, to));
}

test('a collection is in order after any changes, and slices of it are what a sorted list would give', () => {
  const collection = new Collection(0, [], []);
  const expected = new Map<string, number>();
  let revision = 0;
  const change = (key: string, gone: boolean): void => {
    revision++;
    if (gone) expected.delete(key);
    else expected.set(key, revision);
    collection.change({ key, revision }, gone ? undefined : stored(revision));
  };
  const check = (): void => {
    const keys = [...expected.keys()].sort();
    assert.equal(collection.changedAt, revision);
    for (const prefix of ['/', '/a/', '/b/', '/c/']) {
      const below = keys.filter((key) => key.startsWith(prefix));
      assert.deepEqual(keysOf(collection, prefix), below);
      for (const startKey of ['', '/a/0500', '/a/0500\0', '/b/', '/z']) {
        const behind = below.filter((key) => key >= startKey);
        for (const limit of [1, 100, 300]) {
          const { remaining, lastKey } = collection.slice(prefix, startKey, limit);
          assert.deepEqual(keysOf(collection, prefix, startKey, limit), behind.slice(0, limit));
          assert.equal(remaining, Math.max(0, behind.length - limit));
          assert.equal(lastKey, behind.slice(0, limit).at(-1));
        }
      }
    }
    const revisions = collection.slice('/', '', Infinity).spans.flatMap(({ run }) => run.items.map((item) => item.revision));
    assert.deepEqual(
      revisions,
      keys.map((key) => expected.get(key)),
    );
  };
  const keyOf = (n: number): string => `/${n % 3 === 0 ? 'a' : 'b'}/${String(n).padStart(4, '0')}`;
  for (const n of scattered(1000)) change(keyOf(n), false);
  check();
  for (const n of scattered(500)) change(keyOf(n), n % 5 !== 0);
  check();
  for (const n of scattered(1000)) change(keyOf(n), true);
  check();
});

test('runs know how many bytes their objects take', () => {
  const items = scattered(300).map(stored);
  const keys = items.map((_, i) => String(i).padStart(4, '0'));
  const collection = new Collection(1, keys, items);
  for (let i = 0; i < 300; i += 2) collection.change({ key: String(i).padStart(4, '0'), revision: 2 }, i % 4 === 0 ? undefined : stored(i * 1000));
  for (const { run } of collection.slice('', '', Infinity).spans) {
    assert.equal(
      run.bytes,
      run.items.reduce((sum, { bytes }) => sum + bytes, 0),
    );
  }
});

const RENDERING: ItemRendering = { key: 'revision', add: (pieces, item) => pieces.text(`"é${String(item.revision)}"`) };

function listed(images: ListImages, collection: Collection, startKey = '', limit = Infinity): string {
  const pieces = new Pieces().text('[');
  images.add(pieces, collection.slice('', startKey, limit).spans, RENDERING, 0);
  return Buffer.from(pieces.text(']').joined()).toString();
}

test('images follow changes, do without what they have no room for, and never take more than they may', () => {
  const keys = Array.from({ length: 1000 }, (_, i) => String(i).padStart(4, '0'));
  const collection = new Collection(
    1,
    keys,
    keys.map((_, i) => stored(i + 1)),
  );
  const revisions = (from: number, to: number): string =>
    `[${keys
      .slice(from, to)
      .map((_, i) => `"é${String(from + i + 1)}"`)
      .join(',')}]`;
  for (const room of [0, 5_000, 100_000]) {
    const images = new ListImages(room);
    for (let round = 0; round < 2; round++) {
      assert.equal(listed(images, collection), revisions(0, 1000));
      assert.equal(listed(images, collection, '0127', 2), revisions(127, 129));
      assert.equal(listed(images, collection, '0128', 300), revisions(128, 428));
      assert.ok(images.bytes <= room, `${String(images.bytes)} of ${String(room)}`);
    }
    assert.equal(images.bytes > 0, room > 0);
  }
  const images = new ListImages();
  listed(images, collection);
  const whole = images.bytes;
  collection.change({ key: '0200', revision: 5000 }, stored(5000));
  assert.ok(images.bytes < whole, 'the image that showed the object is gone');
  assert.equal(listed(images, collection), revisions(0, 1000).replace('"é201"', '"é5000"'));
});

test('a list and its pages, as objects, tables and metadata, show what a list with a selector that all meet shows', async () => {
  const server = new TestServer({ authorizationModes: ['AlwaysAllow'] });
  const path = '/api/v1/namespaces/default/configmaps';
  const accepts = ['application/json', 'application/json;as=Table;v=v1;g=meta.k8s.io', 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'];
  const same = async (): Promise<void> => {
    for (const accept of accepts) {
      const list = async (query: string): Promise<Record<string, unknown>> => server.must('GET', `${path}?${query}`, undefined, { headers: { accept } });
      const expected = await list('labelSelector=!absent');
      assert.deepEqual(await list(''), expected);
      const member = accept.includes('Table') ? 'rows' : 'items';
      const [all, paged] = [expected[member] as unknown[], [] as unknown[]];
      for (let token: string | undefined = ''; token !== undefined;) {
        const page = await list(`limit=7&continue=${token}`);
        paged.push(...(page[member] as unknown[]));
        const { continue: next, remainingItemCount = 0 } = page['metadata'] as { continue?: string; remainingItemCount?: number };
        assert.equal(remainingItemCount, all.length - paged.length);
        token = next;
      }
      assert.deepEqual(paged, all);
    }
  };
  await same();
  for (const n of scattered(40)) await server.must('POST', path, { metadata: { name: `m${String(n)}` }, data: { text: 'größer' } });
  await same();
  for (const n of scattered(40)) {
    const name = `m${String(n)}`;
    if (n % 2 === 0) await server.must('DELETE', `${path}/${name}`);
    else await server.must('PATCH', `${path}/${name}`, { metadata: { labels: { n: String(n) } } });
    if (n % 10 === 0) await same();
  }
  await same();
});

test('pages go on at their revision while others write, and are refused once it is forgotten', async () => {
  const store = new MemoryStore();
  const server = new TestServer({ store, authorizationModes: ['AlwaysAllow'] });
  const path = '/api/v1/namespaces/default/configmaps';
  for (const name of ['a', 'b', 'c']) await server.must('POST', path, { metadata: { name } });
  const names = (body: Record<string, unknown>): string[] => (body['items'] as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
  const first = await server.must('GET', `${path}?limit=1`);
  const token = (first['metadata'] as { continue: string }).continue;
  await server.must('POST', '/api/v1/namespaces/default/secrets', { metadata: { name: 'other' } });
  assert.deepEqual(names(await server.must('GET', `${path}?limit=1&continue=${token}`)), ['b'], 'no object of the kind has changed');
  await server.must('DELETE', `${path}/b`);
  assert.deepEqual(names(await server.must('GET', `${path}?continue=${token}`)), ['b', 'c'], 'as it was then');
  await server.must('POST', '/api/v1/namespaces/default/secrets', { metadata: { name: 'another' } });
  await store.compact(store.revision());
  assert.equal((await server.send('GET', `${path}?continue=${token}`)).status, 410);
});

test('a collection that nobody follows any more is not kept', async () => {
  const store = new MemoryStore();
  const collections = new Collections(new ObjectStore(store));
  const put = (key: string): Promise<unknown> => store.commit({ compare: [], writes: [{ key, value: utf8('{}') }] });
  await put('/x/a');
  assert.deepEqual(keysOf(await collections.of('/x/'), '/x/'), ['/x/a']);
  await put('/x/b');
  assert.deepEqual(keysOf(await collections.of('/x/'), '/x/'), ['/x/a', '/x/b']);
  collections.stop();
  await put('/x/c');
  assert.deepEqual(keysOf(await collections.of('/x/'), '/x/'), ['/x/a', '/x/b', '/x/c']);
});
