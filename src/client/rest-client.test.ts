/** Tests of the typed client over a scripted server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isConflict, isNotFound } from '#machinery';
import { fakeServer } from './fake-server.test-data.ts';
import { PODS, RESOURCE_CLAIMS, RESOURCE_SLICES } from './resource.ts';
import { RestClient } from './rest-client.ts';

test('a list follows the pages and names the kind of its items', async () => {
  const { transport, requests } = fakeServer((request) => {
    const last = request.path.includes('continue=next');
    return { body: { metadata: { resourceVersion: '9', ...(last ? {} : { continue: 'next' }) }, items: [{ metadata: { name: last ? 'b' : 'a' } }] } };
  });
  const list = await new RestClient(transport, { userAgent: 'test' }).list(RESOURCE_CLAIMS, { namespace: 'ns', labelSelector: 'a=b', limit: 1 });
  assert.deepEqual(
    list.items.map((item) => [item.apiVersion, item.kind, item.metadata.name]),
    [
      ['resource.k8s.io/v1', 'ResourceClaim', 'a'],
      ['resource.k8s.io/v1', 'ResourceClaim', 'b'],
    ],
  );
  assert.equal(requests[0]?.path, '/apis/resource.k8s.io/v1/namespaces/ns/resourceclaims?limit=1&labelSelector=a%3Db');
  assert.equal(requests[0]?.headers['user-agent'], 'test');
});

test('a list whose continue token has expired is read again in one piece', async () => {
  const { transport, requests } = fakeServer((request) => {
    if (request.path.includes('continue=')) return { status: 410, body: { kind: 'Status', code: 410, reason: 'Expired', message: 'gone' } };
    const whole = !request.path.includes('limit=');
    return {
      body: {
        metadata: { resourceVersion: '1', ...(whole ? {} : { continue: 'next' }) },
        items: whole ? [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }] : [{ metadata: { name: 'a' } }],
      },
    };
  });
  const list = await new RestClient(transport, { userAgent: 'test' }).list(RESOURCE_SLICES);
  assert.equal(list.items.length, 2);
  assert.equal(requests.length, 3);
});

test('refusals are errors that carry the Status, also when the body is none', async () => {
  const bodies = [
    { status: 409, body: { kind: 'Status', code: 409, reason: 'Conflict', message: 'changed' } },
    { status: 404, body: { kind: 'Status', code: 404, reason: 'NotFound', message: 'not there' } },
    { status: 502, body: 'bad gateway' },
  ];
  const { transport } = fakeServer(() => bodies.shift() ?? { body: {} });
  const client = new RestClient(transport, { userAgent: 'test' });
  await assert.rejects(client.get(PODS, 'p', 'ns'), (error: unknown) => isConflict(error));
  await assert.rejects(client.get(PODS, 'p', 'ns'), (error: unknown) => isNotFound(error));
  await assert.rejects(client.get(PODS, 'p', 'ns'), /bad gateway/);
});

test('writes go to the right places in the right form', async () => {
  const { transport, requests } = fakeServer(() => ({ body: {} }));
  const client = new RestClient(transport, { userAgent: 'test' });
  const claim = { metadata: { name: 'c', namespace: 'ns' }, spec: {} };
  await client.create(RESOURCE_CLAIMS, claim);
  await client.updateStatus(RESOURCE_CLAIMS, claim);
  await client.patch(PODS, 'p', { namespace: 'ns', type: 'apply', subresource: 'status', fieldManager: 'me', force: true, body: {} });
  await client.delete(PODS, 'p', { namespace: 'ns', uid: 'u', gracePeriodSeconds: 0 });
  await client.createSubresource(PODS, 'p', 'binding', { metadata: { name: 'p', namespace: 'ns' } });
  const base = '/apis/resource.k8s.io/v1/namespaces/ns/resourceclaims';
  assert.deepEqual(
    requests.map(({ method, path }) => `${method} ${path}`),
    [
      `POST ${base}`,
      `PUT ${base}/c/status`,
      'PATCH /api/v1/namespaces/ns/pods/p/status?fieldManager=me&force=true',
      'DELETE /api/v1/namespaces/ns/pods/p',
      'POST /api/v1/namespaces/ns/pods/p/binding',
    ],
  );
  assert.equal(requests[2]?.headers['content-type'], 'application/apply-patch+yaml');
  assert.deepEqual(JSON.parse(requests[0]?.body ?? ''), { apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', ...claim });
  assert.deepEqual(JSON.parse(requests[3]?.body ?? ''), { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid: 'u' } });
});
