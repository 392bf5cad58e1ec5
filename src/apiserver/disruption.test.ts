import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '#machinery';
import { TestServer } from './api-server.test-data.ts';

const PODS = '/api/v1/namespaces/default/pods';
const BUDGETS = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
const STATUS = { observedGeneration: 1, desiredHealthy: 1, currentHealthy: 1, expectedPods: 1 };

async function running(server: TestServer, name: string, ready: string): Promise<void> {
  await server.must('POST', PODS, { metadata: { name, labels: { app: 'a' } }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] } });
  await server.must('PATCH', `${PODS}/${name}/status`, { status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready }] } });
}

async function evict(server: TestServer, name: string): Promise<number> {
  return (await server.send('POST', `${PODS}/${name}/eviction`, { metadata: { name } })).status;
}

async function count(server: TestServer, disruptionsAllowed: number): Promise<void> {
  await server.must('PATCH', `${BUDGETS}/b/status`, { status: { ...STATUS, disruptionsAllowed } });
}

test('an eviction is refused while its budget allows none, and taken from it when it does', async () => {
  const server = new TestServer();
  const spec: Json = { minAvailable: 1, selector: { matchLabels: { app: 'a' } } };
  await server.must('POST', BUDGETS, { metadata: { name: 'b' }, spec });
  await running(server, 'p', 'True');
  await count(server, 0);
  const { status, body } = await server.send('POST', `${PODS}/p/eviction`, { metadata: { name: 'p' } });
  assert.equal(status, 429);
  const message = 'The disruption budget b needs 1 healthy pods and has 1 currently';
  assert.deepEqual(body['details'], { causes: [{ reason: 'DisruptionBudget', message }] });
  await count(server, 1);
  assert.equal(await evict(server, 'p'), 201);
  const after = (await server.must('GET', `${BUDGETS}/b`))['status'] as { disruptionsAllowed?: Json; disruptedPods?: object };
  assert.equal(after.disruptionsAllowed, 0);
  assert.deepEqual(Object.keys(after.disruptedPods ?? {}), ['p']);
});

test('a pod that is not ready costs nothing where the healthy ones suffice', async () => {
  const server = new TestServer();
  await server.must('POST', BUDGETS, { metadata: { name: 'b' }, spec: { minAvailable: 1, selector: {} } });
  await running(server, 'p', 'False');
  await count(server, 0);
  assert.equal(await evict(server, 'p'), 201);
});

test('a budget that nobody has counted holds up no eviction', async () => {
  const server = new TestServer();
  await server.must('POST', BUDGETS, { metadata: { name: 'b' }, spec: { minAvailable: 1, selector: {} } });
  await running(server, 'p', 'True');
  assert.equal(await evict(server, 'p'), 201);
});

test('an eviction names the pod of its path', async () => {
  const server = new TestServer();
  await running(server, 'p', 'True');
  assert.equal((await server.send('POST', `${PODS}/p/eviction`, { metadata: { name: 'q' } })).status, 400);
});
