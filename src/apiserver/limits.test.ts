/** What the API server does not take, and how it says so: with the limit and its value. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, type JsonObject } from '#machinery';
import { MemoryStore, type Transaction } from '#storage';
import { ADMIN, TestServer } from './api-server.test-data.ts';
import type { UserInfo } from './http/message.ts';
import { MAX_REQUEST_BODY_BYTES } from './registry/decode.ts';
import { checkListLength, LIST_ITEMS_MAX } from './registry/list-options.ts';
import { OBJECT_BYTES_MAX } from './registry/object-store.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const JANE: UserInfo = { name: 'jane', groups: ['system:authenticated'] };
const settings = (size: number): JsonObject => ({ metadata: { name: 'settings' }, data: { text: 'x'.repeat(size) } });

/** Holds back commits of config maps until told. */
class SlowStore extends MemoryStore {
  readonly #gate = Promise.withResolvers<void>();
  waiting = 0;

  override async commit(transaction: Transaction): ReturnType<MemoryStore['commit']> {
    if (transaction.writes.some(({ key }) => key.includes('/configmaps/'))) {
      this.waiting++;
      await this.#gate.promise;
    }
    return super.commit(transaction);
  }

  release(): void {
    this.#gate.resolve();
  }
}

test('a body may be too large, and so may be what the store would have to take', async () => {
  const server = new TestServer();
  const body = await server.send('POST', CONFIG_MAPS, settings(MAX_REQUEST_BODY_BYTES));
  assert.deepEqual([body.status, body.body['message']], [413, 'Request entity too large: limit is 3145728']);
  const large = { metadata: { name: 'big', finalizers: Array.from({ length: 40_000 }, (_, at) => `example.com/${'f'.repeat(30)}-${String(at)}`) } };
  const { status, body: refused } = await server.send('POST', '/api/v1/namespaces', large);
  assert.equal(status, 413);
  assert.match(String(refused['message']), new RegExp(`^Request entity too large: the object takes \\d{7} bytes, limit is ${String(OBJECT_BYTES_MAX)}$`));
});

test('a list is longer than one answer may be', () => {
  checkListLength(LIST_ITEMS_MAX);
  const refused = /the list has 500001 items, limit is 500000: ask for pages with the parameter limit/;
  assert.throws(
    () => checkListLength(LIST_ITEMS_MAX + 1),
    (thrown) => thrown instanceof ApiError && thrown.code === 413 && refused.test(thrown.message),
  );
});

test('too many requests at a time are told to come back; administrators and requests of the other sort are not', async () => {
  const store = new SlowStore();
  const server = new TestServer({ store, authorizationModes: ['AlwaysAllow'], requestLimits: { reading: 1, mutating: 2 } });
  const create = (name: string, user = JANE): Promise<number> =>
    server.send('POST', CONFIG_MAPS, { metadata: { name } }, { user }).then(({ status }) => status);
  const first = [create('a'), create('b')];
  while (store.waiting < 2) await new Promise((resolve) => setImmediate(resolve));
  const { status, headers, body } = await server.send('POST', CONFIG_MAPS, { metadata: { name: 'c' } }, { user: JANE });
  assert.deepEqual([status, headers['retry-after'], body['reason']], [429, '1', 'TooManyRequests']);
  assert.match(String(body['message']), /: 2 mutating requests are under way, which is the limit \(--max-mutating-requests-inflight\)$/);
  assert.equal((await server.send('GET', CONFIG_MAPS, undefined, { user: JANE })).status, 200);
  const administrator = create('d', ADMIN);
  while (store.waiting < 3) await new Promise((resolve) => setImmediate(resolve));
  store.release();
  assert.deepEqual(await Promise.all([...first, administrator]), [201, 201, 201]);
  assert.equal(await create('c'), 201);
});
