/** Workloads as their scales. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isJsonObject, type Json, type JsonObject } from '#machinery';
import { TestServer } from '../api-server.test-data.ts';

const APPS = '/apis/apps/v1/namespaces/default';
const SCALE = `${APPS}/deployments/web/scale`;
const spec = {
  selector: { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'In', values: ['b', 'a'] }] },
  template: { metadata: { labels: { app: 'web', tier: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
};
const scale = (replicas: number, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'autoscaling/v1',
  kind: 'Scale',
  metadata: { name: 'web', ...metadata },
  spec: { replicas },
});

async function serverWithWeb(): Promise<TestServer> {
  const server = new TestServer();
  await server.must('POST', `${APPS}/deployments?fieldManager=maker`, { metadata: { name: 'web' }, spec });
  return server;
}

function member(object: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((value, name) => (isJsonObject(value) ? value[name] : undefined), object);
}

test('a scale shows the replicas and the selector of a workload, and nothing else of it', async () => {
  const server = await serverWithWeb();
  const { metadata, ...shown } = await server.must('GET', SCALE);
  assert.deepEqual(shown, { kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 1 }, status: { replicas: 0, selector: 'app=web,tier in (a,b)' } });
  assert.ok(isJsonObject(metadata));
  assert.deepEqual(Object.keys(metadata).sort(), ['creationTimestamp', 'name', 'namespace', 'resourceVersion', 'uid']);
});

test('each way of writing a scale sets the replicas and counts as a change of the spec', async () => {
  const server = await serverWithWeb();
  await server.must('PUT', SCALE, scale(2));
  const merged = await server.must('PATCH', SCALE, { spec: { replicas: 3 }, status: { replicas: 9 } });
  assert.deepEqual([member(merged, 'spec', 'replicas'), member(merged, 'status', 'replicas')], [3, 0]);
  const headers = { 'content-type': 'application/json-patch+json' };
  await server.must('PATCH', SCALE, [{ op: 'replace', path: '/spec/replicas', value: 4 }], { headers });
  const dry = await server.must('PATCH', `${SCALE}?dryRun=All`, { spec: { replicas: 9 } });
  assert.equal(member(dry, 'spec', 'replicas'), 9);
  const web = await server.must('GET', `${APPS}/deployments/web`);
  assert.deepEqual([member(web, 'spec', 'replicas'), member(web, 'metadata', 'generation')], [4, 4]);
  assert.deepEqual(member(web, 'spec', 'template', 'spec', 'containers', '0'), undefined);
  assert.deepEqual((await server.must('PUT', SCALE, scale(0)))['spec'], {});
});

test('replica sets and stateful sets have scales, daemon sets have none', async () => {
  const server = new TestServer();
  for (const plural of ['replicasets', 'statefulsets']) {
    await server.must('POST', `${APPS}/${plural}`, { metadata: { name: 'web' }, spec });
    assert.equal(member(await server.must('PUT', `${APPS}/${plural}/web/scale`, scale(5)), 'spec', 'replicas'), 5);
  }
  await server.must('POST', `${APPS}/daemonsets`, { metadata: { name: 'web' }, spec });
  assert.equal((await server.send('GET', `${APPS}/daemonsets/web/scale`)).status, 404);
});

test('refusals name the scale where it is wrong and the workload where that is', async () => {
  const server = await serverWithWeb();
  const refusals: readonly [string, Json, number, RegExp][] = [
    ['PUT', scale(-1), 422, /^Scale\.autoscaling "web" is invalid: spec\.replicas: Invalid value: -1: must be greater than or equal to 0$/],
    ['PATCH', { spec: { replicas: -6 } }, 422, /^Scale\.autoscaling "web" is invalid/],
    ['PUT', scale(1, { name: 'other' }), 400, /^the name of the object \(other\) does not match the name on the URL \(web\)$/],
    ['PUT', scale(1, { resourceVersion: '1' }), 409, /^Operation cannot be fulfilled on deployments\.apps "web"/],
    ['PUT', scale(1, { uid: '11111111-1111-1111-1111-111111111111' }), 409, /Precondition failed: UID in precondition/],
    ['POST', scale(1), 405, /does not allow this method/],
    ['DELETE', null, 405, /does not allow this method/],
  ];
  for (const [method, body, status, text] of refusals) {
    const answer = await server.send(method, SCALE, body);
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    assert.match(String(answer.body['message']), text);
  }
  assert.equal((await server.send('GET', `${APPS}/deployments/none/scale`)).body['message'], 'deployments.apps "none" not found');
});

test('who applies a scale owns the replicas of the workload', async () => {
  const server = await serverWithWeb();
  const headers = { 'content-type': 'application/apply-patch+yaml' };
  await server.must('PATCH', `${SCALE}?fieldManager=kubectl`, { spec: { replicas: 3 } });
  const refused = await server.send('PATCH', `${SCALE}?fieldManager=autoscaler`, scale(7), { headers });
  assert.equal(refused.status, 409);
  assert.match(String(refused.body['message']), /conflict with "kubectl" with subresource "scale" using autoscaling\/v1: \.spec\.replicas$/);
  await server.must('PATCH', `${SCALE}?fieldManager=autoscaler&force=true`, scale(7), { headers });
  const web = await server.must('GET', `${APPS}/deployments/web`);
  const managers = member(web, 'metadata', 'managedFields');
  assert.ok(Array.isArray(managers));
  const shown = managers.map((entry: Json) => ['manager', 'operation', 'apiVersion', 'subresource'].map((name) => member(entry, name) ?? ''));
  assert.deepEqual(shown, [
    ['autoscaler', 'Apply', 'apps/v1', 'scale'],
    ['maker', 'Update', 'apps/v1', ''],
  ]);
  assert.deepEqual(member(managers[0], 'fieldsV1'), { 'f:spec': { 'f:replicas': {} } });
});

test('discovery tells of which kind a scale is, and OpenAPI knows that kind', async () => {
  const server = new TestServer();
  const { resources } = await server.must('GET', '/apis/apps/v1');
  assert.ok(Array.isArray(resources));
  const found = resources.find((resource: Json) => member(resource, 'name') === 'deployments/scale');
  const verbs = ['get', 'patch', 'update'];
  assert.deepEqual(found, { name: 'deployments/scale', singularName: '', namespaced: true, kind: 'Scale', verbs, group: 'autoscaling', version: 'v1' });
  const { components } = await server.must('GET', '/openapi/v3/apis/apps/v1');
  assert.ok(isJsonObject(member(components, 'schemas', 'io.k8s.api.autoscaling.v1.Scale')));
});
