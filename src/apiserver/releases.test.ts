/** What 1.37 serves that 1.36 does not: v1 of DeviceTaintRules, and pools as selectors of slices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { featureGates, servedVersions } from '#api';
import type { JsonObject } from '#machinery';
import { TestServer } from './api-server.test-data.ts';

const RULES = (version: string): string => `/apis/resource.k8s.io/${version}/devicetaintrules`;
const TAINT = { key: 'example.com/broken', effect: 'NoSchedule' };

function serverOf137(): TestServer {
  const served = servedVersions('1.37', { 'resource.k8s.io/v1beta2': true });
  return new TestServer({ emulatedVersion: '1.37', gates: featureGates('1.37'), served });
}

function rule(version: string, effect: string, metadata: JsonObject = {}): JsonObject {
  return { apiVersion: `resource.k8s.io/${version}`, kind: 'DeviceTaintRule', metadata: { name: 'r', ...metadata }, spec: { taint: { ...TAINT, effect } } };
}

test('1.37 serves DeviceTaintRules as v1 without being asked, and evaluates them', async () => {
  const served = servedVersions('1.37');
  const server = new TestServer({ emulatedVersion: '1.37', gates: featureGates('1.37'), served });
  const created = await server.must('POST', RULES('v1'), rule('v1', 'NoExecute'));
  assert.deepEqual([created['apiVersion'], created['status']], ['resource.k8s.io/v1', {}]);
  assert.equal((created['metadata'] as JsonObject)['generation'], 1);
  const { resources } = await server.must('GET', '/apis/resource.k8s.io/v1');
  assert.ok((resources as readonly JsonObject[]).some(({ name }) => name === 'devicetaintrules/status'));
  assert.equal(featureGates('1.37').get('DRADeviceTaintRules'), true);
  assert.equal(featureGates('1.37', { DRADeviceTaintRules: false, DRADeviceTaints: false }).get('DRADeviceTaints'), false);
});

test('a rule is one object in all of its versions', async () => {
  const server = serverOf137();
  await server.must('POST', RULES('v1beta2'), rule('v1beta2', 'NoSchedule'));
  const stable = await server.must('GET', `${RULES('v1')}/r`);
  const beta = await server.must('GET', `${RULES('v1beta2')}/r`);
  assert.deepEqual({ ...stable, apiVersion: '' }, { ...beta, apiVersion: '' });
  assert.equal(stable['apiVersion'], 'resource.k8s.io/v1');
});

test('a PUT of v1 must name the resourceVersion that it was made from, one of v1beta2 need not', async () => {
  const server = serverOf137();
  const { metadata } = await server.must('POST', RULES('v1'), rule('v1', 'NoSchedule'));
  const refused = await server.send('PUT', `${RULES('v1')}/r`, rule('v1', 'NoExecute'));
  assert.equal(refused.status, 422);
  assert.match(String(refused.body['message']), /metadata\.resourceVersion: Invalid value: 0: must be specified for an update$/);
  const { resourceVersion = null } = metadata as JsonObject;
  const named = await server.must('PUT', `${RULES('v1')}/r`, rule('v1', 'NoExecute', { resourceVersion }));
  assert.equal((named['metadata'] as JsonObject)['generation'], 2);
  assert.equal((await server.send('PUT', `${RULES('v1')}/r/status`, rule('v1', 'NoExecute'))).status, 422);
  assert.equal((await server.send('PUT', `${RULES('v1beta2')}/r`, rule('v1beta2', 'None'))).status, 200);
  assert.equal((await server.send('PATCH', `${RULES('v1')}/r`, { spec: { taint: { effect: 'NoSchedule' } } })).status, 200);
});

test('slices are selected by their pool from 1.37 on', async () => {
  const slices = '/apis/resource.k8s.io/v1/resourceslices';
  const select = `${slices}?fieldSelector=spec.pool.name%3Da`;
  const refused = await new TestServer().send('GET', select);
  assert.equal(refused.status, 400);
  assert.equal(refused.body['message'], 'field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: spec.pool.name');
  const server = serverOf137();
  for (const pool of ['a', 'b']) {
    const spec = { driver: 'd.example.com', nodeName: 'n', pool: { name: pool, generation: 1, resourceSliceCount: 1 }, devices: [] };
    await server.must('POST', slices, { metadata: { name: `slice-${pool}` }, spec });
  }
  const { items } = await server.must('GET', select);
  assert.deepEqual(
    (items as readonly { metadata: JsonObject }[]).map(({ metadata }) => metadata['name']),
    ['slice-a'],
  );
});
