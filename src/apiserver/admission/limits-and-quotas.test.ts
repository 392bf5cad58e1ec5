/** Limit ranges and quotas at the door. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isJsonObject, type Json } from '#machinery';
import { TestServer } from '../api-server.test-data.ts';

const NAMESPACE = '/api/v1/namespaces/default';
const pod = (name: string, resources: object = {}): Json => ({
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i', resources: { ...resources } }] },
});

async function refusal(server: TestServer, path: string, body: Json): Promise<string> {
  const { status, body: answer } = await server.send('POST', path, body);
  assert.equal(status, 403, JSON.stringify(answer));
  return String(answer['message']).replace(/^.* is forbidden: /, '');
}

test('a container without amounts gets those of the namespace, and those out of bounds are refused', async () => {
  const server = new TestServer();
  const limits = [{ type: 'Container', max: { cpu: '2' }, min: { cpu: '100m' }, default: { cpu: '1' }, defaultRequest: { cpu: '500m' } }];
  await server.must('POST', `${NAMESPACE}/limitranges`, { metadata: { name: 'l' }, spec: { limits } });
  const { spec, metadata } = await server.must('POST', `${NAMESPACE}/pods`, pod('usual'));
  assert.ok(isJsonObject(spec) && isJsonObject(metadata) && isJsonObject(metadata['annotations']) && Array.isArray(spec['containers']));
  assert.deepEqual((spec['containers'][0] as { resources: unknown }).resources, { limits: { cpu: '1' }, requests: { cpu: '500m' } });
  assert.equal(metadata['annotations']['kubernetes.io/limit-ranger'], 'LimitRanger plugin set: cpu request for container c; cpu limit for container c');
  assert.equal(await refusal(server, `${NAMESPACE}/pods`, pod('big', { limits: { cpu: '3' } })), 'maximum cpu usage per Container is 2, but limit is 3');
  assert.equal(
    await refusal(server, `${NAMESPACE}/pods`, pod('small', { requests: { cpu: '1m' } })),
    'minimum cpu usage per Container is 100m, but request is 1m',
  );
});

test('a limit range without limits, which is stored with null for them, limits nothing', async () => {
  const server = new TestServer();
  const { spec } = await server.must('POST', `${NAMESPACE}/limitranges`, { metadata: { name: 'none' }, spec: {} });
  assert.deepEqual(spec, { limits: null });
  await server.must('POST', `${NAMESPACE}/pods`, pod('free'));
});

test('a quota whose use is known is charged, and refuses what exceeds it', async () => {
  const server = new TestServer();
  const hard = { pods: '1', 'requests.cpu': '1' };
  await server.must('POST', `${NAMESPACE}/resourcequotas`, { metadata: { name: 'q' }, spec: { hard } });
  await server.must('POST', `${NAMESPACE}/pods`, pod('before it is known'.replaceAll(' ', '-')));
  await server.must('PATCH', `${NAMESPACE}/resourcequotas/q/status`, { status: { hard, used: { pods: '0', 'requests.cpu': '0' } } });
  assert.equal(await refusal(server, `${NAMESPACE}/pods`, pod('silent')), 'failed quota: q: must specify requests.cpu for: c');
  await server.must('POST', `${NAMESPACE}/pods?dryRun=All`, pod('dry', { requests: { cpu: '1' } }));
  await server.must('POST', `${NAMESPACE}/pods`, pod('one', { requests: { cpu: '800m' } }));
  const { status } = await server.must('GET', `${NAMESPACE}/resourcequotas/q`);
  assert.deepEqual(isJsonObject(status) && status['used'], { pods: '1', 'requests.cpu': '800m' });
  const exceeded = 'exceeded quota: q, requested: pods=1,requests.cpu=300m, used: pods=1,requests.cpu=800m, limited: pods=1,requests.cpu=1';
  assert.equal(await refusal(server, `${NAMESPACE}/pods`, pod('two', { requests: { cpu: '300m' } })), exceeded);
});

test('many who create at once are charged one after the other, to all quotas or none', async () => {
  const server = new TestServer();
  const quotas: readonly (readonly [string, string])[] = [
    ['wide', '20'],
    ['narrow', '12'],
  ];
  for (const [name, most] of quotas) {
    const hard = { 'count/configmaps': most };
    await server.must('POST', `${NAMESPACE}/resourcequotas`, { metadata: { name }, spec: { hard } });
    await server.must('PATCH', `${NAMESPACE}/resourcequotas/${name}/status`, { status: { hard, used: { 'count/configmaps': '0' } } });
  }
  const answers = await Promise.all(
    Array.from({ length: 15 }, (_, i) => server.send('POST', `${NAMESPACE}/configmaps`, { metadata: { name: `c${String(i)}` } })),
  );
  const codes = answers.map(({ status }) => status);
  assert.deepEqual([codes.filter((code) => code === 201).length, codes.filter((code) => code === 403).length], [12, 3]);
  for (const [name] of quotas) {
    const { status } = await server.must('GET', `${NAMESPACE}/resourcequotas/${name}`);
    assert.deepEqual(isJsonObject(status) && status['used'], { 'count/configmaps': '12' });
  }
});

test('a plugin that is disabled does nothing', async () => {
  const server = new TestServer({ admission: { disabled: ['LimitRanger', 'Priority', 'ServiceAccount'], enabled: ['Priority'] } });
  await server.must('POST', `${NAMESPACE}/limitranges`, { metadata: { name: 'l' }, spec: { limits: [{ type: 'Container', max: { cpu: '1' } }] } });
  const { spec } = await server.must('POST', `${NAMESPACE}/pods`, pod('big', { limits: { cpu: '3' } }));
  assert.equal(isJsonObject(spec) && spec['priority'], 0);
});
