/** The API server over the memory store, with a clock and dice of the test. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { featureGates, servedVersions } from '#api';
import { type Clock, type Random, silentLogger } from '#base';
import type { Json } from '#machinery';
import { MemoryStore } from '#storage';
import type { UserInfo } from './http/message.ts';
import { type ApiServer, createApiServer } from './server.ts';

const ADMIN: UserInfo = { name: 'admin', groups: ['system:masters'] };
const START_MS = Date.parse('2026-01-01T00:00:00Z');

class FakeClock implements Clock {
  #nowMs = START_MS;
  #timers: { at: number; callback: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const timer of this.#timers.filter(({ at }) => at <= this.#nowMs)) {
      this.#timers = this.#timers.filter((other) => other !== timer);
      timer.callback();
    }
  }
}

function countingRandom(): Random {
  let next = 0;
  return { below: (bound) => next++ % bound, uuid: () => `00000000-0000-4000-8000-${String(next++).padStart(12, '0')}` };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

class Cluster {
  readonly clock = new FakeClock();
  readonly server: ApiServer;

  constructor() {
    this.server = createApiServer({
      store: new MemoryStore(),
      clock: this.clock,
      random: countingRandom(),
      logger: silentLogger,
      gates: featureGates('1.36'),
      served: servedVersions('1.36'),
      emulatedVersion: '1.36',
      celCheck: () => [],
      admission: { disabled: ['ServiceAccount'] },
      authenticateToken: (token) => (token === 'good' ? { name: 'jane', groups: ['devs'] } : undefined),
    });
  }

  async send(method: string, path: string, body?: Json, headers: Record<string, string> = {}, user: UserInfo | undefined = ADMIN): Promise<Answer> {
    const bytes = new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body));
    const request = { method, path, headers: { 'content-type': 'application/json', ...headers }, body: bytes, signal: new AbortController().signal };
    const response = await this.server.handle({ ...request, ...(user === undefined ? {} : { user }) });
    const text = response.body instanceof Uint8Array ? new TextDecoder().decode(response.body) : '';
    return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : { text } };
  }

  /** Opens a watch; `next` gives the events of its next chunk. */
  async watch(
    path: string,
  ): Promise<{ next(): Promise<{ type: string; object: { metadata: Record<string, unknown> } & Record<string, unknown> }[] | undefined>; stop(): void }> {
    const gone = new AbortController();
    const response = await this.server.handle({ method: 'GET', path, headers: {}, body: new Uint8Array(), user: ADMIN, signal: gone.signal });
    assert.equal(response.status, 200);
    assert.ok(!(response.body instanceof Uint8Array));
    const chunks = response.body[Symbol.asyncIterator]();
    return {
      next: async () => {
        const { value, done } = await chunks.next();
        if (done === true) return undefined;
        return new TextDecoder()
          .decode(value)
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
      },
      stop: () => gone.abort(),
    };
  }
}

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const PODS = '/api/v1/namespaces/default/pods';
const configMap = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}): Json => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
  data,
});
const pod = (name: string): Json => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'main', image: 'image' }] } });
const metadata = (answer: Answer): Record<string, unknown> => answer.body['metadata'] as Record<string, unknown>;

describe('the API server', () => {
  test('the default namespaces exist from the start', async () => {
    const { body } = await new Cluster().send('GET', '/api/v1/namespaces');
    const names = (body['items'] as { metadata: { name: string } }[]).map((item) => item.metadata.name);
    assert.deepEqual(names, ['default', 'kube-node-lease', 'kube-public', 'kube-system']);
  });

  test('a created object carries uid, time and revision and can be read again', async () => {
    const cluster = new Cluster();
    const created = await cluster.send('POST', CONFIG_MAPS, configMap('a', { k: 'v' }));
    assert.equal(created.status, 201);
    assert.equal(metadata(created)['creationTimestamp'], '2026-01-01T00:00:00Z');
    assert.match(String(metadata(created)['uid']), /^0{8}-/);
    const read = await cluster.send('GET', `${CONFIG_MAPS}/a`);
    assert.deepEqual(read.body, created.body);
  });

  test('a name that exists is refused with 409 AlreadyExists', async () => {
    const cluster = new Cluster();
    await cluster.send('POST', CONFIG_MAPS, configMap('a'));
    const again = await cluster.send('POST', CONFIG_MAPS, configMap('a'));
    assert.deepEqual([again.status, again.body['reason'], again.body['message']], [409, 'AlreadyExists', 'configmaps "a" already exists']);
  });

  test('generateName appends five letters', async () => {
    const created = await new Cluster().send('POST', CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'made-' } });
    assert.match(String(metadata(created)['name']), /^made-[a-z0-9]{5}$/);
  });

  test('a create in a namespace that does not exist is refused with 404', async () => {
    const answer = await new Cluster().send('POST', '/api/v1/namespaces/none/configmaps', configMap('a'));
    assert.deepEqual([answer.status, answer.body['message']], [404, 'namespaces "none" not found']);
  });

  test('an unknown field is refused when validation is strict, warned of by default and dropped either way', async () => {
    const cluster = new Cluster();
    const body = { ...(pod('p') as Record<string, Json>), spec: { containers: [{ name: 'main', image: 'i', foo: 1 }] } };
    const strict = await cluster.send('POST', `${PODS}?fieldValidation=Strict`, body);
    assert.equal(strict.status, 400);
    assert.match(String(strict.body['message']), /strict decoding error: unknown field "spec.containers\[0\].foo"/);
    const warned = await cluster.send('POST', PODS, body);
    assert.equal(warned.status, 201);
    assert.equal(warned.headers['warning'], '299 - "unknown field \\"spec.containers[0].foo\\""');
    assert.ok(!JSON.stringify(warned.body['spec']).includes('foo'));
  });

  test('a value of the wrong type is refused with its path', async () => {
    const answer = await new Cluster().send('POST', PODS, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: 'x' } });
    assert.equal(answer.status, 400);
    assert.match(String(answer.body['message']), /spec\.containers/);
  });

  test('a write with an old resourceVersion is refused with 409 Conflict', async () => {
    const cluster = new Cluster();
    const created = await cluster.send('POST', CONFIG_MAPS, configMap('a'));
    const resourceVersion = String(metadata(created)['resourceVersion']);
    const put = (value: string) =>
      cluster.send('PUT', `${CONFIG_MAPS}/a`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', resourceVersion }, data: { k: value } });
    assert.equal((await put('1')).status, 200);
    assert.deepEqual([(await put('2')).status, (await put('2')).body['reason']], [409, 'Conflict']);
  });

  test('a PUT that changes nothing keeps the revision', async () => {
    const cluster = new Cluster();
    const created = await cluster.send('POST', CONFIG_MAPS, configMap('a', { k: 'v' }, { l: 'x' }));
    const put = await cluster.send('PUT', `${CONFIG_MAPS}/a`, configMap('a', { k: 'v' }, { l: 'x' }));
    assert.equal(metadata(put)['resourceVersion'], metadata(created)['resourceVersion']);
  });

  test('a PUT that moves nothing but the times of its managers, and so their order, keeps the revision', async () => {
    const cluster = new Cluster();
    const claims = '/apis/resource.k8s.io/v1/namespaces/default/resourceclaims';
    const exactly = { deviceClassName: 'class', capacity: { requests: { memory: '1024Mi' } } };
    const claim = {
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceClaim',
      metadata: { name: 'a' },
      spec: { devices: { requests: [{ name: 'r', exactly }] } },
    };
    await cluster.send('POST', claims, claim);
    const reserved = await cluster.send('PUT', `${claims}/a/status`, { ...claim, status: { allocation: {} } });
    cluster.clock.advance(2000);
    const replaced = await cluster.send('PUT', `${claims}/a`, claim);
    assert.equal(reserved.status, 200);
    assert.equal(metadata(replaced)['resourceVersion'], metadata(reserved)['resourceVersion']);
  });

  test('a merge patch changes what it names', async () => {
    const cluster = new Cluster();
    await cluster.send('POST', CONFIG_MAPS, configMap('a', { k: 'v', gone: 'x' }));
    const patched = await cluster.send('PATCH', `${CONFIG_MAPS}/a`, { data: { gone: null, more: 'y' } }, { 'content-type': 'application/merge-patch+json' });
    assert.equal(patched.status, 200);
    assert.deepEqual(patched.body['data'], { k: 'v', more: 'y' });
  });

  test('a dry run answers as if, and stores nothing', async () => {
    const cluster = new Cluster();
    assert.equal((await cluster.send('POST', `${CONFIG_MAPS}?dryRun=All`, configMap('a'))).status, 201);
    assert.equal((await cluster.send('GET', `${CONFIG_MAPS}/a`)).status, 404);
  });

  test('a finalizer holds a deleted object until it is removed', async () => {
    const cluster = new Cluster();
    await cluster.send('POST', CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', finalizers: ['example.com/hold'] } });
    assert.equal(metadata(await cluster.send('DELETE', `${CONFIG_MAPS}/a`))['deletionTimestamp'], '2026-01-01T00:00:00Z');
    assert.equal((await cluster.send('GET', `${CONFIG_MAPS}/a`)).status, 200);
    await cluster.send('PATCH', `${CONFIG_MAPS}/a`, { metadata: { finalizers: null } }, { 'content-type': 'application/merge-patch+json' });
    assert.equal((await cluster.send('GET', `${CONFIG_MAPS}/a`)).status, 404);
  });

  test('a deleted object takes no new finalizer', async () => {
    const cluster = new Cluster();
    const finalizers = (...names: string[]): Json => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', finalizers: names } });
    await cluster.send('POST', CONFIG_MAPS, finalizers('example.com/hold'));
    await cluster.send('DELETE', `${CONFIG_MAPS}/a`);
    const answer = await cluster.send('PUT', `${CONFIG_MAPS}/a`, finalizers('example.com/hold', 'example.com/more'));
    assert.equal(answer.status, 422);
    assert.match(String(answer.body['message']), /no new finalizers can be added if the object is being deleted/);
  });

  test('server-side apply creates, owns its fields and conflicts with other managers', async () => {
    const cluster = new Cluster();
    const apply = (manager: string, value: string) =>
      cluster.send(
        'PATCH',
        `${CONFIG_MAPS}/a?fieldManager=${manager}`,
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { k: value } },
        { 'content-type': 'application/apply-patch+yaml' },
      );
    assert.equal((await apply('one', '1')).status, 201);
    assert.equal((await apply('one', '2')).status, 200);
    const conflict = await apply('two', '3');
    assert.deepEqual([conflict.status, conflict.body['reason']], [409, 'Conflict']);
  });

  test('propagation policies become finalizers for the garbage collector', async () => {
    const cluster = new Cluster();
    for (const [policy, finalizer] of [
      ['Foreground', 'foregroundDeletion'],
      ['Orphan', 'orphan'],
    ]) {
      await cluster.send('POST', CONFIG_MAPS, configMap(`a-${String(finalizer).toLowerCase()}`));
      const deleted = await cluster.send('DELETE', `${CONFIG_MAPS}/a-${String(finalizer).toLowerCase()}?propagationPolicy=${String(policy)}`);
      assert.deepEqual(metadata(deleted)['finalizers'], [finalizer]);
    }
  });

  test('a delete with the uid of another object is refused', async () => {
    const cluster = new Cluster();
    await cluster.send('POST', CONFIG_MAPS, configMap('a'));
    const answer = await cluster.send('DELETE', `${CONFIG_MAPS}/a`, { preconditions: { uid: 'other' } });
    assert.deepEqual([answer.status, answer.body['reason']], [409, 'Conflict']);
  });

  test('a namespace that is being deleted takes nothing new and goes when it is finalized', async () => {
    const cluster = new Cluster();
    await cluster.send('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } });
    const deleted = await cluster.send('DELETE', '/api/v1/namespaces/n');
    assert.deepEqual(deleted.body['status'], { phase: 'Terminating' });
    assert.equal((await cluster.send('POST', '/api/v1/namespaces/n/configmaps', configMap('a'))).status, 403);
    await cluster.send('PUT', '/api/v1/namespaces/n/finalize', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' }, spec: { finalizers: [] } });
    assert.equal((await cluster.send('GET', '/api/v1/namespaces/n')).status, 404);
  });

  test('the namespace default cannot be deleted', async () => {
    assert.equal((await new Cluster().send('DELETE', '/api/v1/namespaces/default')).status, 403);
  });
});

describe('requests of kubectl', () => {
  test('a namespace in protobuf is created', async () => {
    // What `kubectl create namespace foo` sends: the envelope of v1 Namespace, metadata.name "foo", empty spec and status.
    const hex = '6b387300 0a0f0a02763112094e616d657370616365 1219 0a130a03666f6f12001a0022002a00320038004200 1200 1a00 1a00 2200'.replaceAll(' ', '');
    const body = Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
    const headers = { 'content-type': 'application/vnd.kubernetes.protobuf', accept: 'application/vnd.kubernetes.protobuf,application/json' };
    const cluster = new Cluster();
    const response = await cluster.server.handle({
      method: 'POST',
      path: '/api/v1/namespaces',
      headers,
      body,
      user: ADMIN,
      signal: new AbortController().signal,
    });
    assert.equal(response.status, 201);
    assert.equal(metadata(await cluster.send('GET', '/api/v1/namespaces/foo'))['name'], 'foo');
  });

  test('OpenAPI names each kind with the content types of its patches', async () => {
    const cluster = new Cluster();
    const { body } = await cluster.send('GET', '/openapi/v3');
    const paths = body['paths'] as Record<string, { serverRelativeURL: string }>;
    const url = paths['apis/resource.k8s.io/v1']?.serverRelativeURL ?? '';
    const document = (await cluster.send('GET', url)).body['paths'] as Record<string, { patch?: Record<string, unknown> }>;
    const patch = document['/apis/resource.k8s.io/v1/namespaces/{namespace}/resourceclaims/{name}']?.patch;
    assert.deepEqual(patch?.['x-kubernetes-group-version-kind'], { group: 'resource.k8s.io', version: 'v1', kind: 'ResourceClaim' });
    assert.match(JSON.stringify(patch), /apply-patch\+yaml/);
  });

  test('aggregated discovery is served to those who ask for it', async () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    const { body, headers } = await new Cluster().send('GET', '/apis', undefined, { accept });
    assert.equal(body['kind'], 'APIGroupDiscoveryList');
    assert.match(headers['content-type'] ?? '', /as=APIGroupDiscoveryList/);
  });
});

describe('pods', () => {
  const bind = (cluster: Cluster, node: string) =>
    cluster.send('POST', `${PODS}/p/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'p' }, target: { kind: 'Node', name: node } });

  test('a pod is bound once', async () => {
    const cluster = new Cluster();
    await cluster.send('POST', PODS, pod('p'));
    assert.equal((await bind(cluster, 'n1')).status, 201);
    const { body } = await cluster.send('GET', `${PODS}/p`);
    assert.equal((body['spec'] as { nodeName: string }).nodeName, 'n1');
    const conditions = (body['status'] as { conditions: { type: string; status: string }[] }).conditions;
    assert.deepEqual(
      conditions.map(({ type, status }) => `${type}=${status}`),
      ['PodScheduled=True'],
    );
    const again = await bind(cluster, 'n2');
    assert.equal(again.body['message'], 'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"');
  });

  test('a bound pod gets 30 seconds to end, an unbound one none', async () => {
    const cluster = new Cluster();
    await cluster.send('POST', PODS, pod('p'));
    await bind(cluster, 'n1');
    const deleted = await cluster.send('DELETE', `${PODS}/p`);
    assert.deepEqual([metadata(deleted)['deletionGracePeriodSeconds'], metadata(deleted)['deletionTimestamp']], [30, '2026-01-01T00:00:30Z']);
    assert.equal((await cluster.send('DELETE', `${PODS}/p`, { gracePeriodSeconds: 0 })).status, 200);
    assert.equal((await cluster.send('GET', `${PODS}/p`)).status, 404);
    await cluster.send('POST', PODS, pod('q'));
    await cluster.send('DELETE', `${PODS}/q`);
    assert.equal((await cluster.send('GET', `${PODS}/q`)).status, 404);
  });
});

describe('lists', () => {
  async function filled(): Promise<Cluster> {
    const cluster = new Cluster();
    for (const name of ['a', 'b', 'c']) await cluster.send('POST', CONFIG_MAPS, configMap(name, {}, { odd: name === 'b' ? 'no' : 'yes' }));
    return cluster;
  }
  const names = (answer: Answer): string[] => (answer.body['items'] as { metadata: { name: string } }[]).map((item) => item.metadata.name);

  test('pages follow each other at one revision', async () => {
    const cluster = await filled();
    const first = await cluster.send('GET', `${CONFIG_MAPS}?limit=2`);
    assert.deepEqual([names(first), metadata(first)['remainingItemCount']], [['a', 'b'], 1]);
    await cluster.send('POST', CONFIG_MAPS, configMap('d'));
    const second = await cluster.send('GET', `${CONFIG_MAPS}?limit=2&continue=${String(metadata(first)['continue'])}`);
    assert.deepEqual([names(second), metadata(second)['continue']], [['c'], undefined]);
  });

  test('a list over all namespaces that a field selector narrows to one starts anew with its second page, and leaves none out', async () => {
    const cluster = new Cluster();
    const all = '/api/v1/configmaps?limit=2&fieldSelector=metadata.namespace%3Ddefault';
    for (const name of ['a', 'b', 'c']) await cluster.send('POST', CONFIG_MAPS, configMap(name));
    await cluster.send('POST', '/api/v1/namespaces/kube-public/configmaps', configMap('elsewhere'));
    const first = await cluster.send('GET', all);
    const second = await cluster.send('GET', `${all}&continue=${String(metadata(first)['continue'])}`);
    const third = await cluster.send('GET', `${all}&continue=${String(metadata(second)['continue'])}`);
    assert.deepEqual([names(first), names(second), names(third)], [['a', 'b'], ['a', 'b'], ['c']]);
    assert.equal(metadata(third)['continue'], undefined);
  });

  test('label and field selectors choose', async () => {
    const cluster = await filled();
    assert.deepEqual(names(await cluster.send('GET', `${CONFIG_MAPS}?labelSelector=odd%3Dyes`)), ['a', 'c']);
    assert.deepEqual(names(await cluster.send('GET', `${CONFIG_MAPS}?fieldSelector=metadata.name%3Db`)), ['b']);
    assert.equal((await cluster.send('GET', `${CONFIG_MAPS}?fieldSelector=spec.x%3Db`)).status, 400);
  });

  test('a table has rows with metadata', async () => {
    const answer = await (await filled()).send('GET', CONFIG_MAPS, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
    assert.equal(answer.body['kind'], 'Table');
    const rows = answer.body['rows'] as { cells: Json[]; object: { kind: string } }[];
    assert.deepEqual(
      rows.map(({ cells, object }) => [cells[0], object.kind]),
      [
        ['a', 'PartialObjectMetadata'],
        ['b', 'PartialObjectMetadata'],
        ['c', 'PartialObjectMetadata'],
      ],
    );
  });

  test('deletecollection deletes what its selector chooses', async () => {
    const cluster = await filled();
    assert.deepEqual(names(await cluster.send('DELETE', `${CONFIG_MAPS}?labelSelector=odd%3Dyes`)), ['a', 'c']);
    assert.deepEqual(names(await cluster.send('GET', CONFIG_MAPS)), ['b']);
  });
});

describe('watches', () => {
  test('a watch from a list reports what happened since', async () => {
    const cluster = new Cluster();
    const revision = String(metadata(await cluster.send('GET', CONFIG_MAPS))['resourceVersion']);
    await cluster.send('POST', CONFIG_MAPS, configMap('a'));
    const watch = await cluster.watch(`${CONFIG_MAPS}?watch=true&resourceVersion=${revision}`);
    await cluster.send('DELETE', `${CONFIG_MAPS}/a`);
    const events = await watch.next();
    assert.deepEqual(
      events?.map(({ type, object }) => `${type} ${String(object.metadata['name'])}`),
      ['ADDED a', 'DELETED a'],
    );
    assert.ok(Number(events?.[1]?.object.metadata['resourceVersion']) > Number(events?.[0]?.object.metadata['resourceVersion']));
    watch.stop();
    assert.equal(await watch.next(), undefined);
  });

  test('an object that starts and stops to match is added and deleted', async () => {
    const cluster = new Cluster();
    await cluster.send('POST', CONFIG_MAPS, configMap('a'));
    const watch = await cluster.watch(`${CONFIG_MAPS}?watch=true&labelSelector=x%3Dy`);
    const label = (value: string | null) =>
      cluster.send('PATCH', `${CONFIG_MAPS}/a`, { metadata: { labels: { x: value } } }, { 'content-type': 'application/merge-patch+json' });
    await label('y');
    await label(null);
    assert.deepEqual(
      (await watch.next())?.map((event) => event.type),
      ['ADDED', 'DELETED'],
    );
    watch.stop();
  });

  test('a streaming list ends its initial events with a marked bookmark', async () => {
    const cluster = new Cluster();
    await cluster.send('POST', CONFIG_MAPS, configMap('a'));
    const watch = await cluster.watch(`${CONFIG_MAPS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`);
    const events = await watch.next();
    assert.deepEqual(
      events?.map((event) => event.type),
      ['ADDED', 'BOOKMARK'],
    );
    assert.deepEqual(events?.[1]?.object.metadata['annotations'], { 'k8s.io/initial-events-end': 'true' });
    watch.stop();
  });

  test('a watch ends after timeoutSeconds', async () => {
    const cluster = new Cluster();
    const watch = await cluster.watch(`${CONFIG_MAPS}?watch=true&timeoutSeconds=5&resourceVersion=5`);
    cluster.clock.advance(5000);
    assert.equal(await watch.next(), undefined);
  });

  test('a watch from compacted history is told 410', async () => {
    const cluster = new Cluster();
    for (const name of ['a', 'b']) await cluster.send('POST', CONFIG_MAPS, configMap(name));
    for (let i = 0; i < 2; i++) {
      cluster.clock.advance(5 * 60_000);
      // Compaction is asynchronous; the next request comes after it.
      await cluster.send('GET', '/healthz');
    }
    await cluster.send('POST', CONFIG_MAPS, configMap('c'));
    const watch = await cluster.watch(`${CONFIG_MAPS}?watch=true&resourceVersion=3`);
    const events = await watch.next();
    assert.deepEqual([events?.[0]?.type, events?.[0]?.object['code']], ['ERROR', 410]);
  });

  test('a reader that lags too far is cut off with 410', async () => {
    const cluster = new Cluster();
    await cluster.send('POST', CONFIG_MAPS, configMap('a'));
    const watch = await cluster.watch(`${CONFIG_MAPS}?watch=true`);
    for (let i = 0; i <= 10_000; i++) await cluster.send('PUT', `${CONFIG_MAPS}/a`, configMap('a', { i: String(i) }));
    const events = await watch.next();
    assert.deepEqual(
      events?.map(({ type, object }) => [type, object['code']]),
      [['ERROR', 410]],
    );
    assert.equal(await watch.next(), undefined);
  });
});

describe('access', () => {
  const as = (cluster: Cluster, path: string, headers: Record<string, string> = {}) =>
    cluster.server.handle({ method: 'GET', path, headers, body: new Uint8Array(), signal: new AbortController().signal });

  test('a token that nobody has is 401', async () => {
    assert.equal((await as(new Cluster(), '/api/v1/pods', { authorization: 'Bearer bad' })).status, 401);
  });

  test('anonymous sees health and version and nothing else', async () => {
    const cluster = new Cluster();
    const statuses = await Promise.all(['/healthz', '/version', '/api/v1/pods', '/apis'].map(async (path) => (await as(cluster, path)).status));
    assert.deepEqual(statuses, [200, 200, 403, 403]);
  });

  test('a user without rights sees discovery but no objects', async () => {
    const cluster = new Cluster();
    const headers = { authorization: 'Bearer good' };
    assert.deepEqual([(await as(cluster, '/apis', headers)).status, (await as(cluster, '/api/v1/pods', headers)).status], [200, 403]);
  });
});
