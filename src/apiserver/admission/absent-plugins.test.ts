/** What upstream's default plugins would do, and nobody does here: the rows of docs/compatibility.md. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isJsonObject, type Json } from '#machinery';
import { TestServer } from '../api-server.test-data.ts';

const PODS = '/api/v1/namespaces/default/pods';
const pod = (name: string, spec: { readonly [member: string]: Json }): Json => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});

test('a pod may name a RuntimeClass, and an overhead, although no RuntimeClass is there', async () => {
  const server = new TestServer();
  const { spec } = await server.must('POST', PODS, pod('p', { runtimeClassName: 'nvidia', overhead: { cpu: '100m' } }));
  assert.ok(isJsonObject(spec));
  assert.equal(spec['runtimeClassName'], 'nvidia');
});

test('a namespace that wants restricted pods gets others too', async () => {
  const server = new TestServer();
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await server.must('PATCH', '/api/v1/namespaces/default', { metadata: { labels } });
  await server.must('POST', PODS, pod('p', { hostNetwork: true }));
});

test('a new node has the taints that it was made with', async () => {
  const server = new TestServer();
  const { spec } = await server.must('POST', '/api/v1/nodes', { metadata: { name: 'n1' } });
  assert.deepEqual(spec, {});
});
