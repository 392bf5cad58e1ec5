/** Tests of the sync of one claim over a server that takes every write. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, ResourceClaim } from '#api';
import { IndexedStore, RestClient, type Transport } from '#client';
import { syncClaim } from './claim-sync.ts';

const FINALIZER = 'resource.kubernetes.io/delete-protection';
const encoder = new TextEncoder();

function pod(name: string, more: { uid?: string; phase?: 'Succeeded' | 'Running'; nodeName?: string } = {}): Pod {
  return {
    metadata: { name, namespace: 'ns', uid: more.uid ?? name },
    spec: { containers: [], nodeName: more.nodeName ?? 'n1' },
    status: { phase: more.phase ?? 'Running' },
  };
}

function claim(consumers: readonly string[], more: { owner?: string; deleting?: boolean; allocated?: boolean } = {}): ResourceClaim {
  return {
    metadata: {
      name: 'c',
      namespace: 'ns',
      uid: 'claim-uid',
      finalizers: [FINALIZER],
      ...(more.deleting === true ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
      ...(more.owner === undefined ? {} : { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: more.owner, uid: more.owner, controller: true }] }),
    },
    spec: {},
    status: {
      ...(more.allocated === false ? {} : { allocation: { devices: { results: [] } } }),
      reservedFor: consumers.map((name) => ({ resource: 'pods', name, uid: name })),
    },
  };
}

/** Runs the sync; returns the writes as `METHOD path-end` and what was written last. */
async function run(object: ResourceClaim, pods: readonly Pod[], live: readonly Pod[] = []): Promise<{ writes: string[]; last: ResourceClaim | undefined }> {
  const writes: string[] = [];
  let last: ResourceClaim | undefined;
  const transport: Transport = ({ method, path, body }) => {
    if (method !== 'GET') writes.push(`${method} ${path.split('/').slice(-2).join('/')}`);
    const found = live.find((candidate) => path.endsWith(`/pods/${candidate.metadata.name ?? ''}`));
    const answer = method === 'GET' ? found : JSON.parse(body ?? '{}');
    if (method === 'PUT') last = answer;
    const document = answer ?? { kind: 'Status', code: 404, reason: 'NotFound', message: 'not found' };
    return Promise.resolve({ status: answer === undefined ? 404 : 200, headers: {}, body: once(encoder.encode(JSON.stringify(document))) });
  };
  const claims = new IndexedStore<ResourceClaim>();
  claims.put(object);
  const lister = new IndexedStore<Pod>();
  for (const known of pods) lister.put(known);
  await syncClaim('ns/c', { client: new RestClient(transport, { userAgent: 'test' }), pods: lister, claims, isDeleted: (uid) => uid === 'deleted' });
  return { writes, last };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

test('the reservation of a finished pod goes, the allocation stays for the other one', async () => {
  const { writes, last } = await run(claim(['p1', 'p2']), [pod('p1', { phase: 'Succeeded' }), pod('p2')]);
  assert.deepEqual(writes, ['PUT c/status']);
  assert.deepEqual(
    last?.status?.reservedFor?.map((consumer) => consumer.name),
    ['p2'],
  );
  assert.ok(last?.status?.allocation !== undefined);
});

test('with the last reservation allocation and finalizer go', async () => {
  const { writes, last } = await run(claim(['p1']), [pod('p1', { phase: 'Succeeded' })]);
  assert.deepEqual(writes, ['PUT c/status', 'PUT resourceclaims/c']);
  assert.equal(last?.status?.allocation, undefined);
  assert.deepEqual(last?.metadata.finalizers, []);
});

test('a pod that the informer does not know is looked up before its reservation goes', async () => {
  assert.deepEqual((await run(claim(['new']), [], [pod('new')])).writes, []);
  assert.deepEqual((await run(claim(['gone']), [])).writes, ['PUT c/status', 'PUT resourceclaims/c']);
  assert.deepEqual((await run(claim(['deleted']), [pod('deleted')])).writes, ['PUT c/status', 'PUT resourceclaims/c']);
});

test('a pod of the same name but another uid does not hold the claim', async () => {
  const { writes } = await run(claim(['p1']), [pod('p1', { uid: 'reborn' })]);
  assert.deepEqual(writes, ['PUT c/status', 'PUT resourceclaims/c']);
});

test('a pod that the informer knows in its former life keeps its reservation', async () => {
  assert.deepEqual((await run(claim(['p1']), [pod('p1', { uid: 'former' })], [pod('p1')])).writes, []);
});

test('an allocation that nobody reserved is left alone unless the claim is being deleted', async () => {
  assert.deepEqual((await run(claim([]), [])).writes, []);
  assert.deepEqual((await run(claim([], { deleting: true }), [])).writes, ['PUT c/status', 'PUT resourceclaims/c']);
});

test('the claim made for a pod that is done is deleted, that of an unknown pod is left to the garbage collector', async () => {
  assert.deepEqual((await run(claim(['p1'], { owner: 'p1' }), [pod('p1', { phase: 'Succeeded' })])).writes, [
    'PUT c/status',
    'PUT resourceclaims/c',
    'DELETE resourceclaims/c',
  ]);
  assert.deepEqual((await run(claim([], { owner: 'p1', allocated: false }), [])).writes, []);
});
