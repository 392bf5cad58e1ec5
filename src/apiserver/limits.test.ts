/** What the API server does not take, and how it says so: with the limit and its value. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, type JsonObject } from '#machinery';
import { MemoryStore, type Transaction } from '#storage';
import { ADMIN, type Answer, TestServer } from './api-server.test-data.ts';
import type { ServerResponse, UserInfo } from './http/message.ts';
import { MAX_REQUEST_BODY_BYTES } from './registry/decode.ts';
import { checkListLength, LIST_ITEMS_MAX } from './registry/list-options.ts';
import { OBJECT_BYTES_MAX } from './registry/object-store.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const PODS = '/api/v1/namespaces/default/pods';
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

/** Checks that compare all with all would take minutes over so many. */
const MANY = 25_000;
const many = <T>(make: (at: number) => T): T[] => Array.from({ length: MANY }, (_, at) => make(at));

test('an object with very many parts of a sort is judged at once', async () => {
  const startMs = performance.now();
  const server = new TestServer();
  const owner = (at: number): JsonObject => ({ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: String(at) });
  const owned = await server.send('POST', CONFIG_MAPS, { metadata: { name: '', ownerReferences: many(owner) } });
  assert.equal(owned.status, 422);
  const pod = (spec: JsonObject, container: JsonObject = {}): Promise<Answer> =>
    server.send('POST', PODS, { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i', ...container }], ...spec } });
  const gated = await pod({ schedulingGates: many((at) => ({ name: `gate-of-somebody-else-${String(at)}` })) });
  assert.equal(gated.status, 413);
  const spread = many((at) => ({ maxSkew: 1, topologyKey: at.toString(36), whenUnsatisfiable: 'x' }));
  assert.equal((await pod({ topologySpreadConstraints: spread })).status, 422);
  const expressions = many((at) => ({ key: `expression-of-somebody-else-${at.toString(36)}`, operator: 'Exists' }));
  const term = {
    topologyKey: 'k',
    labelSelector: { matchExpressions: expressions },
    matchLabelKeys: many((at) => `label-key-of-somebody-else-${at.toString(36)}`),
  };
  assert.equal((await pod({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } })).status, 413);
  const resize = many((at) => ({ resourceName: at.toString(36), restartPolicy: '' }));
  assert.equal((await pod({}, { resizePolicy: resize })).status, 422);
  assert.ok(performance.now() - startMs < 20_000);
});

test('owners that are named twice alike count once', async () => {
  const server = new TestServer();
  const [first, second] = ['a', 'b'].map((uid) => ({ apiVersion: 'v1', kind: 'Pod', name: 'p', uid }));
  const ownerReferences = [first ?? null, second ?? null, first ?? null, { ...second, controller: true }];
  const { body, headers } = await server.send('POST', CONFIG_MAPS, { metadata: { name: 'owned', ownerReferences } });
  assert.deepEqual((body['metadata'] as JsonObject)['ownerReferences'], [first, second, { ...second, controller: true }]);
  assert.match(headers['warning'] ?? '', /duplicate UID\(s\) observed: a"$/);
});

test('a refusal that would name all of many names at each of many names ends somewhere', async () => {
  const server = new TestServer();
  const claims = many((at) => ({ name: `wanted-${String(at)}` })).slice(0, MANY / 2);
  const resourceClaims = many((at) => ({ name: `known-${String(at)}`, resourceClaimName: 'c' })).slice(0, MANY / 2);
  const spec = { containers: [{ name: 'c', image: 'i', resources: { claims } }], resourceClaims };
  const { status, body } = await server.send('POST', PODS, { metadata: { name: 'p' }, spec });
  assert.equal(status, 422);
  assert.ok(String(body['message']).length < 3 * 1024 * 1024);
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

/** Holds back reads of a config map until told. */
class SlowReads extends MemoryStore {
  readonly #gate = Promise.withResolvers<void>();
  waiting = 0;

  override async get(key: string): ReturnType<MemoryStore['get']> {
    if (key.includes('/configmaps/')) {
      this.waiting++;
      await this.#gate.promise;
    }
    return super.get(key);
  }

  release(): void {
    this.#gate.resolve();
  }
}

test('what lasts, and who asks whether the server lives, is answered however much it has to do, and does not count itself', async () => {
  const store = new SlowReads();
  const server = new TestServer({ store, authorizationModes: ['AlwaysAllow'], requestLimits: { reading: 1, mutating: 0 } });
  const request = async (path: string): Promise<number> => {
    const response = await server.server.handle({ method: 'GET', path, headers: {}, body: new Uint8Array(), user: JANE, signal: AbortSignal.timeout(60_000) });
    return response.status;
  };
  assert.equal(await request(`${CONFIG_MAPS}?watch=true`), 200, 'a watch that goes on');
  const slow = request(`${CONFIG_MAPS}/settings`);
  while (store.waiting < 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await request(PODS), 429);
  assert.equal(await request('/version'), 429);
  for (const path of [`${PODS}?watch=true`, '/healthz', '/livez', '/readyz?verbose']) assert.equal(await request(path), 200, path);
  assert.equal((await server.send('POST', PODS, {}, { user: JANE })).status, 422, 'no limit for what changes');
  store.release();
  assert.equal(await slow, 404);
  assert.equal(await request(PODS), 200);
});

test('a long answer counts until it is out', async () => {
  const server = new TestServer({ authorizationModes: ['AlwaysAllow'], requestLimits: { reading: 1, mutating: 0 } });
  for (const name of ['a', 'b', 'c']) await server.must('POST', CONFIG_MAPS, { ...settings(100_000), metadata: { name } });
  const list = (): Promise<ServerResponse> =>
    server.server.handle({ method: 'GET', path: CONFIG_MAPS, headers: {}, body: new Uint8Array(), user: JANE, signal: AbortSignal.timeout(60_000) });
  const first = await list();
  assert.equal(first.status, 200);
  assert.equal((await list()).status, 429);
  first.sent?.();
  assert.equal((await list()).status, 200);
});
