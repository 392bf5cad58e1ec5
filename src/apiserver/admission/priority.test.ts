/** Priority classes and what they make of pods. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isJsonObject, type Json } from '#machinery';
import { TestServer } from '../api-server.test-data.ts';

const CLASSES = '/apis/scheduling.k8s.io/v1/priorityclasses';
const PODS = '/api/v1/namespaces/default/pods';
const pod = (name: string, spec: object = {}): Json => ({ metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } });
const priorityClass = (name: string, value: number, more: object = {}): Json => ({ metadata: { name }, value, ...more });

async function priorityOf(server: TestServer, body: Json): Promise<Json> {
  const { spec } = await server.must('POST', PODS, body);
  assert.ok(isJsonObject(spec));
  return [spec['priorityClassName'] ?? null, spec['priority'] ?? null, spec['preemptionPolicy'] ?? null];
}

test('a pod has the priority of its class, of the default class, or none', async () => {
  const server = new TestServer();
  assert.deepEqual(await priorityOf(server, pod('plain')), [null, 0, 'PreemptLowerPriority']);
  assert.deepEqual(await priorityOf(server, pod('critical', { priorityClassName: 'system-node-critical' })), [
    'system-node-critical',
    2_000_001_000,
    'PreemptLowerPriority',
  ]);
  await server.must('POST', CLASSES, priorityClass('usual', 7, { globalDefault: true, preemptionPolicy: 'Never' }));
  assert.deepEqual(await priorityOf(server, pod('later')), ['usual', 7, 'Never']);
  await server.must('PUT', `${PODS}/plain`, pod('plain'));
  assert.deepEqual(
    (await server.send('POST', PODS, pod('lost', { priorityClassName: 'none' }))).body['message'],
    'pods "lost" is forbidden: no PriorityClass with name none was found',
  );
  assert.equal((await server.send('POST', PODS, pod('own', { priority: 8 }))).status, 403);
});

test('there is one default class, and the names of system classes are reserved', async () => {
  const server = new TestServer();
  await server.must('POST', CLASSES, priorityClass('first', 1, { globalDefault: true }));
  const second = await server.send('POST', CLASSES, priorityClass('second', 2, { globalDefault: true }));
  assert.match(String(second.body['message']), /PriorityClass first is already marked as default/);
  await server.must('PUT', `${CLASSES}/first`, priorityClass('first', 1, { globalDefault: true, description: 'mine' }));
  assert.equal((await server.send('PUT', `${CLASSES}/first`, priorityClass('first', 3))).status, 422);
  assert.equal((await server.send('POST', CLASSES, priorityClass('system-mine', 1))).status, 422);
  assert.equal((await server.send('POST', CLASSES, priorityClass('high', 1_000_000_001))).status, 422);
  const { items } = await server.must('GET', CLASSES);
  assert.ok(Array.isArray(items));
  assert.equal(items.length, 3);
});
