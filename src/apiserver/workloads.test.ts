/** What workloads may say and what may change in them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { servedVersions } from '#api';
import { isJsonObject, type Json } from '#machinery';
import { type Answer, TestServer } from './api-server.test-data.ts';

const APPS = '/apis/apps/v1/namespaces/default';
const JOBS = '/apis/batch/v1/namespaces/default/jobs';
const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const spec = { selector: { matchLabels: { app: 'a' } }, template };

/** The fields that a refusal names. */
function fieldsOf({ status, body }: Answer): readonly Json[] {
  assert.equal(status, 422, JSON.stringify(body));
  const causes = isJsonObject(body['details']) && Array.isArray(body['details']['causes']) ? body['details']['causes'] : [];
  return causes.map((cause: Json) => (isJsonObject(cause) ? (cause['field'] ?? null) : null));
}

test('a selector chooses the pods of its own template and never changes', async () => {
  const server = new TestServer();
  const other = { ...spec, selector: { matchLabels: { app: 'b' } } };
  for (const plural of ['deployments', 'replicasets', 'daemonsets', 'statefulsets']) {
    const unselected = fieldsOf(await server.send('POST', `${APPS}/${plural}`, { metadata: { name: 'a' }, spec: { template } }));
    // A daemon set is not asked for its selector, but no selector matches nothing.
    assert.deepEqual(unselected, [...(plural === 'daemonsets' ? [] : ['spec.selector']), 'spec.template.metadata.labels']);
    assert.deepEqual(fieldsOf(await server.send('POST', `${APPS}/${plural}`, { metadata: { name: 'a' }, spec: other })), ['spec.template.metadata.labels']);
    await server.must('POST', `${APPS}/${plural}`, { metadata: { name: 'a' }, spec });
    const changed = fieldsOf(await server.send('PATCH', `${APPS}/${plural}/a`, { spec: { selector: { matchLabels: { more: 'b' } } } }));
    assert.ok(changed.includes(plural === 'statefulsets' ? 'spec' : 'spec.selector'), plural);
  }
});

test('status has its own endpoint, and only changes of the spec are counted', async () => {
  const server = new TestServer();
  await server.must('POST', `${APPS}/deployments`, { metadata: { name: 'a' }, spec, status: { replicas: 9 } });
  const reported = await server.must('PATCH', `${APPS}/deployments/a/status`, { spec: { replicas: 7 }, status: { replicas: 2 } });
  assert.deepEqual(reported['status'], { replicas: 2 });
  const scaled = await server.must('PATCH', `${APPS}/deployments/a`, { spec: { replicas: 7 }, status: { replicas: 3 } });
  assert.deepEqual(scaled['status'], { replicas: 2 });
  assert.ok(isJsonObject(scaled['metadata']));
  assert.equal(scaled['metadata']['generation'], 2);
});

test('a job ends, keeps its template, and leaves its pods when it is deleted without a word about them', async () => {
  const server = new TestServer();
  assert.deepEqual(fieldsOf(await server.send('POST', JOBS, { metadata: { name: 'j' }, spec: { template } })), ['spec.template.spec.restartPolicy']);
  const once = { ...template, spec: { ...template.spec, restartPolicy: 'Never' } };
  await server.must('POST', JOBS, { metadata: { name: 'j' }, spec: { template: once } });
  const changed = { spec: { template: { metadata: { annotations: { a: 'b' } } } } };
  assert.deepEqual(fieldsOf(await server.send('PATCH', `${JOBS}/j`, changed)), ['spec.template']);
  const { headers, body } = await server.send('DELETE', `${JOBS}/j`);
  assert.match(headers['warning'] ?? '', /child pods are preserved by default when jobs are deleted/);
  assert.ok(isJsonObject(body['metadata']));
  assert.deepEqual(body['metadata']['finalizers'], ['orphan']);
});

test('an indexed job without completions is refused for that, whatever its success policy counts', async () => {
  const server = new TestServer();
  const once = { ...template, spec: { ...template.spec, restartPolicy: 'Never' } };
  const policed = { template: once, parallelism: 1, completionMode: 'Indexed', successPolicy: { rules: [{ succeededCount: 1 }] } };
  assert.deepEqual(fieldsOf(await server.send('POST', JOBS, { metadata: { name: 'j' }, spec: policed })), ['spec.completions']);
});

test('with its group switched off a resource is not known, neither to requests nor to discovery', async () => {
  const server = new TestServer({ served: servedVersions('1.36', { 'resource.k8s.io/v1': false }) });
  const sent = await server.server.handle({
    method: 'GET',
    path: '/apis/resource.k8s.io/v1/deviceclasses',
    headers: {},
    body: new Uint8Array(),
    user: { name: 'admin', groups: ['system:masters'] },
    signal: new AbortController().signal,
  });
  assert.equal(sent.status, 404);
  const { groups } = await server.must('GET', '/apis');
  assert.ok(Array.isArray(groups) && groups.every((group: Json) => isJsonObject(group) && group['name'] !== 'resource.k8s.io'));
});

test('privileged containers are taken where the server allows them, in templates too', async () => {
  const securityContext = { privileged: true, runAsUser: -1 };
  const privileged = { ...spec, template: { ...template, spec: { containers: [{ name: 'c', image: 'i', securityContext }] } } };
  const body = { metadata: { name: 'driver' }, spec: privileged };
  const paths = async (server: TestServer): Promise<readonly Json[]> => {
    const { details } = (await server.send('POST', `${APPS}/daemonsets`, body)).body;
    assert.ok(isJsonObject(details) && Array.isArray(details['causes']));
    return details['causes'].map(
      ({ field, message }) => `${String(field).replace('spec.template.spec.containers[0].securityContext.', '')}: ${String(message)}`,
    );
  };
  const negative = 'runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive';
  assert.deepEqual(await paths(new TestServer()), ['privileged: Forbidden: disallowed by cluster policy', negative]);
  assert.deepEqual(await paths(new TestServer({ allowPrivileged: true })), [negative]);
});
