/** What single kinds ask of the API server: events in two groups, gated pods, and the old shapes of resource.k8s.io. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { featureGates, servedVersions } from '#api';
import { type Clock, type Random, silentLogger } from '#base';
import type { Json } from '#machinery';
import { MemoryStore } from '#storage';
import { type ApiServer, createApiServer } from './server.ts';

const clock: Clock = { nowMs: () => Date.parse('2026-01-01T00:00:00Z'), monotonicMs: () => 0, setTimer: () => () => {} };

function countingRandom(): Random {
  let next = 0;
  return { below: (bound) => next++ % bound, uuid: () => `00000000-0000-4000-8000-${String(next++).padStart(12, '0')}` };
}

function apiServer(store = new MemoryStore()): ApiServer {
  const served = servedVersions('1.36', { 'resource.k8s.io/v1alpha3': true }, { oldShapes: true });
  const fixed = {
    random: countingRandom(),
    logger: silentLogger,
    gates: featureGates('1.36'),
    emulatedVersion: '1.36',
    celCheck: () => [],
    admission: { disabled: ['ServiceAccount'] },
  };
  return createApiServer({ store, clock, served, ...fixed });
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly metadata: Readonly<Record<string, unknown>>; readonly [member: string]: unknown };
}

async function send(server: ApiServer, method: string, path: string, body?: Json): Promise<Answer> {
  const bytes = new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body));
  const user = { name: 'admin', groups: ['system:masters'] };
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const response = await server.handle({ method, path, headers: { 'content-type': type }, body: bytes, user, signal: new AbortController().signal });
  assert.ok(response.body instanceof Uint8Array);
  return { status: response.status, headers: response.headers, body: JSON.parse(new TextDecoder().decode(response.body)) };
}

const CORE_EVENTS = '/api/v1/namespaces/default/events';
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const NEW_EVENTS = '/apis/events.k8s.io/v1/namespaces/default/events';
const newEvent = (name: string): Json => ({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name },
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingController: 'dra.example.com/x',
  reportingInstance: 'i',
  action: 'Do',
  reason: 'Prepared',
  regarding: { kind: 'ResourceClaim', namespace: 'default', name: 'c' },
  note: 'fine',
  type: 'Normal',
});

test('an event of events.k8s.io is the core event of its name, in the other words', async () => {
  const store = new MemoryStore();
  const server = apiServer(store);
  const created = await send(server, 'POST', NEW_EVENTS, newEvent('e'));
  assert.equal(created.status, 201);
  const { body } = await send(server, 'GET', `${CORE_EVENTS}/e`);
  assert.equal(body['apiVersion'], 'v1');
  assert.deepEqual(body['involvedObject'], { kind: 'ResourceClaim', namespace: 'default', name: 'c' });
  assert.deepEqual([body['message'], body['reportingComponent']], ['fine', 'dra.example.com/x']);
  assert.deepEqual([body.metadata['uid'], body.metadata['resourceVersion']], [created.body.metadata['uid'], created.body.metadata['resourceVersion']]);
  const entry = await store.get('/registry/events/default/e');
  assert.match(new TextDecoder().decode(entry?.value), /"apiVersion":"v1"/);
  assert.equal((await send(server, 'POST', CORE_EVENTS, { apiVersion: 'v1', kind: 'Event', metadata: { name: 'e' }, involvedObject: {} })).status, 409);
});

test('a core event is listed, changed and deleted through events.k8s.io', async () => {
  const server = apiServer();
  const core = { apiVersion: 'v1', kind: 'Event', metadata: { name: 'e' }, involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' }, message: 'old' };
  assert.equal((await send(server, 'POST', CORE_EVENTS, core)).status, 201);
  const { body: list } = await send(server, 'GET', NEW_EVENTS);
  assert.deepEqual(
    (list['items'] as { note: string; regarding: { name: string } }[]).map(({ note, regarding }) => [note, regarding.name]),
    [['old', 'p']],
  );
  assert.equal((await send(server, 'PATCH', `${NEW_EVENTS}/e`, { note: 'new' })).status, 422);
  const labelled = await send(server, 'PATCH', `${NEW_EVENTS}/e`, { metadata: { labels: { seen: 'yes' } } });
  assert.deepEqual([labelled.body['note'], labelled.body.metadata['labels']], ['old', { seen: 'yes' }]);
  assert.equal((await send(server, 'PATCH', `${CORE_EVENTS}/e`, { message: 'new' })).body['message'], 'new');
  assert.equal((await send(server, 'DELETE', `${NEW_EVENTS}/e`)).status, 200);
  assert.equal((await send(server, 'GET', `${CORE_EVENTS}/e`)).status, 404);
});

test('events are selected by the field labels of the group that is asked', async () => {
  const server = apiServer();
  await send(server, 'POST', NEW_EVENTS, newEvent('e'));
  const count = async (path: string): Promise<number> => ((await send(server, 'GET', path)).body['items'] as unknown[]).length;
  assert.equal(await count(`${NEW_EVENTS}?fieldSelector=regarding.name%3Dc,reportingController%3Ddra.example.com/x`), 1);
  assert.equal(await count(`${NEW_EVENTS}?fieldSelector=regarding.name%3Dd`), 0);
  assert.equal(await count(`${CORE_EVENTS}?fieldSelector=involvedObject.name%3Dc`), 1);
  assert.equal((await send(server, 'GET', `${CORE_EVENTS}?fieldSelector=regarding.name%3Dc`)).status, 400);
});

const PODS = '/api/v1/namespaces/default/pods';
const pod = (name: string, spec: { readonly [member: string]: Json }): Json => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'image' }], ...spec },
});

test('a pod with scheduling gates is created as one that scheduling waits for', async () => {
  const server = apiServer();
  const gated = await send(server, 'POST', PODS, pod('p', { schedulingGates: [{ name: 'example.com/hold' }] }));
  const message = 'Scheduling is blocked due to non-empty scheduling gates';
  assert.deepEqual((gated.body['status'] as { conditions: unknown }).conditions, [
    { type: 'PodScheduled', status: 'False', reason: 'SchedulingGated', message, lastProbeTime: null, lastTransitionTime: '2026-01-01T00:00:00Z' },
  ]);
  const free = await send(server, 'POST', PODS, pod('q', {}));
  assert.deepEqual(free.body['status'], { phase: 'Pending', qosClass: 'BestEffort' });
});

test('a pod gets priority, preemption policy and the default tolerations unless it has its own', async () => {
  const tolerations = [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }];
  const { body } = await send(apiServer(), 'POST', PODS, pod('p', { tolerations }));
  const spec = body['spec'] as { priority: number; preemptionPolicy: string; tolerations: unknown };
  assert.deepEqual([spec.priority, spec.preemptionPolicy], [0, 'PreemptLowerPriority']);
  const unreachable = { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 };
  assert.deepEqual(spec.tolerations, [...tolerations, unreachable]);
});

test('a namespace with a bad name is refused with 422', async () => {
  const answer = await send(apiServer(), 'POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a.b' } });
  assert.deepEqual([answer.status, answer.body['reason']], [422, 'Invalid']);
  assert.match(String(answer.body['message']), /^Namespace "a\.b" is invalid: metadata\.name: Invalid value: "a\.b": /);
});

test('an object without name and content is refused with all that it lacks', async () => {
  const server = apiServer();
  const refusal = async (path: string, kind: string): Promise<unknown> => (await send(server, 'POST', path, { kind })).body['message'];
  const name = 'metadata.name: Required value: name or generateName is required';
  const claims = '/apis/resource.k8s.io/v1/namespaces/default';
  assert.equal(await refusal(`${claims}/resourceclaims`, 'ResourceClaim'), `ResourceClaim.resource.k8s.io "" is invalid: ${name}`);
  assert.equal(await refusal(`${claims}/resourceclaimtemplates`, 'ResourceClaimTemplate'), `ResourceClaimTemplate.resource.k8s.io "" is invalid: ${name}`);
  assert.equal(await refusal('/apis/resource.k8s.io/v1/deviceclasses', 'DeviceClass'), `DeviceClass.resource.k8s.io "" is invalid: ${name}`);
  const slice = [
    'spec.driver: Required value',
    'spec.pool.name: Required value',
    'spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero',
    'spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required',
  ];
  assert.equal(
    await refusal('/apis/resource.k8s.io/v1/resourceslices', 'ResourceSlice'),
    `ResourceSlice.resource.k8s.io "" is invalid: [${[name, ...slice].join(', ')}]`,
  );
  assert.equal(await refusal('/api/v1/namespaces/default/pods', 'Pod'), `Pod "" is invalid: [${name}, spec.containers: Required value]`);
});

test('a value of the wrong type is refused by the name of its Go type', async () => {
  const server = apiServer();
  const slices = '/apis/resource.k8s.io/v1/resourceslices';
  const device = (members: Json): Json => ({ metadata: { name: 's' }, spec: { devices: [members] } });
  const limited = { containers: [{ name: 'c', resources: { limits: 'all' } }] };
  const cases: readonly [string, Json, string][] = [
    [slices, device({ attributes: [] }), 'array into Go struct field Device.spec.devices.attributes of type map[v1.QualifiedName]v1.DeviceAttribute'],
    [
      slices,
      device({ consumesCounters: [{ counters: 1 }] }),
      'number into Go struct field DeviceCounterConsumption.spec.devices.consumesCounters.counters of type map[string]v1.Counter',
    ],
    [
      '/api/v1/namespaces/default/pods',
      { spec: limited },
      'string into Go struct field ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList',
    ],
    [CONFIG_MAPS, { data: 'x' }, 'string into Go struct field ConfigMap.data of type map[string]string'],
  ];
  for (const [path, body, why] of cases) {
    const { message } = (await send(server, 'POST', path, body)).body;
    assert.ok(String(message).endsWith(`: json: cannot unmarshal ${why}`), String(message));
  }
  const quantity = await send(server, 'POST', slices, device({ capacity: { memory: { value: true } } }));
  assert.match(String(quantity.body['message']), /: quantities must match the regular expression /);
});

test('a YAML body is read as Kubernetes reads it', async () => {
  const server = apiServer();
  const post = async (text: string): Promise<Answer> => {
    const user = { name: 'admin', groups: ['system:masters'] };
    const headers = { 'content-type': 'application/yaml' };
    const request = { method: 'POST', path: `${CONFIG_MAPS}?fieldValidation=Strict`, headers, body: new TextEncoder().encode(text), user };
    const response = await server.handle({ ...request, signal: new AbortController().signal });
    assert.ok(response.body instanceof Uint8Array);
    return { status: response.status, headers: response.headers, body: JSON.parse(new TextDecoder().decode(response.body)) };
  };
  assert.equal((await post('metadata: {name: a}\n...\nwhatever: follows')).status, 201);
  const repeated = await post('metadata:\n  name: b\nzeta: 1\nmetadata:\n  name: c\nalpha: 1\n');
  const why = 'yaml: unmarshal errors:\n  line 5: key "metadata" already set in map, unknown field "alpha", unknown field "zeta"';
  assert.equal(repeated.body['message'], `ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: ${why}`);
  const unreadable = await post('metadata:\n  name: [\n');
  assert.match(
    String(unreadable.body['message']),
    /^the object provided is unrecognized \(must be of type ConfigMap\): yaml: line 3: .* \(6d657461646174613a0a20206e616d653a205b0a\)$/,
  );
});

test('a namespace with the mistaken label for admin access gets a Warning that names the right one', async () => {
  const server = apiServer();
  const label = { 'resource.k8s.io/admin-access': 'true' };
  const created = await send(server, 'POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a', labels: label } });
  assert.equal(created.status, 201);
  assert.match(
    created.headers['warning'] ?? '',
    /^299 - "metadata\.labels\[resource\.k8s\.io\/admin-access\]: has no effect; .* resource\.kubernetes\.io\/admin-access: /,
  );
  await send(server, 'POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'b' } });
  const labelled = await send(server, 'PATCH', '/api/v1/namespaces/b', { metadata: { labels: label } });
  assert.match(labelled.headers['warning'] ?? '', /resource\.kubernetes\.io\/admin-access/);
  const right = await send(server, 'PATCH', '/api/v1/namespaces/b', {
    metadata: { labels: { 'resource.k8s.io/admin-access': null, 'resource.kubernetes.io/admin-access': 'true' } },
  });
  assert.equal(right.headers['warning'], undefined);
});

test('a v1alpha3 slice passes strict field validation and is read as v1', async () => {
  const server = apiServer();
  const spec = {
    devices: [{ name: 'd', basic: { attributes: { model: { string: 'A770' } }, capacity: { memory: '16288Mi', millicores: '1k' } } }],
    driver: 'device.com',
    nodeName: 'node1',
    pool: { generation: 0, name: 'pool1', resourceSliceCount: 1 },
  };
  const body = { apiVersion: 'resource.k8s.io/v1alpha3', kind: 'ResourceSlice', metadata: { name: 's' }, spec };
  const path = '/apis/resource.k8s.io/v1alpha3/resourceslices';
  const created = await send(server, 'POST', `${path}?fieldValidation=Strict`, body);
  assert.deepEqual([created.status, created.body['spec']], [201, spec]);
  assert.match(created.headers['warning'] ?? '', /v1alpha3 ResourceSlice is deprecated in v1\.34\+/);
  const read = (await send(server, 'GET', '/apis/resource.k8s.io/v1/resourceslices/s')).body['spec'] as { devices: { capacity: unknown }[] };
  assert.deepEqual(read.devices[0]?.capacity, { memory: { value: '16288Mi' }, millicores: { value: '1k' } });
  const unknown = await send(server, 'POST', `${path}?fieldValidation=Strict`, { ...body, metadata: { name: 't' }, spec: { ...spec, nodename: 'n' } });
  assert.equal(unknown.status, 400);
});

test('v1alpha3 claims, templates and classes are served and have an OpenAPI document', async () => {
  const server = apiServer();
  const root = '/apis/resource.k8s.io/v1alpha3';
  const apiVersion = 'resource.k8s.io/v1alpha3';
  const spec = { devices: { requests: [{ name: 'gpu', deviceClassName: 'device.com' }] } };
  const cel = { expression: 'device.driver == "device.com"' };
  const posts: readonly [string, Json][] = [
    ['deviceclasses', { apiVersion, kind: 'DeviceClass', metadata: { name: 'device.com' }, spec: { selectors: [{ cel }] } }],
    ['namespaces/default/resourceclaims', { apiVersion, kind: 'ResourceClaim', metadata: { name: 'claim1' }, spec }],
    ['namespaces/default/resourceclaimtemplates', { apiVersion, kind: 'ResourceClaimTemplate', metadata: { name: 'claim1' }, spec: { spec } }],
  ];
  for (const [path, body] of posts) assert.equal((await send(server, 'POST', `${root}/${path}?fieldValidation=Strict`, body)).status, 201, path);
  const { body } = await send(server, 'GET', '/openapi/v3/apis/resource.k8s.io/v1alpha3');
  const { schemas } = body['components'] as { schemas: Record<string, unknown> };
  assert.ok('io.k8s.api.resource.v1alpha3.BasicDevice' in schemas);
  assert.ok(!Object.keys(schemas).some((name) => name.includes('v1beta1')));
});

test('POST bindings binds the pod that the body names', async () => {
  const server = apiServer();
  const spec = { containers: [{ name: 'c', image: 'i' }] };
  await send(server, 'POST', '/api/v1/namespaces/default/pods', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec });
  const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'p' }, target: { kind: 'Node', name: 'n' } };
  assert.equal((await send(server, 'POST', '/api/v1/namespaces/default/bindings', binding)).status, 201);
  const { body } = await send(server, 'GET', '/api/v1/namespaces/default/pods/p');
  assert.equal((body['spec'] as { nodeName?: string }).nodeName, 'n');
  assert.equal((await send(server, 'POST', '/api/v1/namespaces/default/bindings', { ...binding, metadata: {} })).status, 400);
});

test('a Secret whose data is no base64 is refused with the place', async () => {
  const server = apiServer();
  const secret = (data: Json): Json => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data });
  const refusal = async (data: Json): Promise<unknown> => (await send(server, 'POST', '/api/v1/namespaces/default/secrets', secret(data))).body['message'];
  const head = 'Secret in version "v1" cannot be handled as a Secret: ';
  assert.equal(await refusal({ key: 'YWJj$' }), `${head}illegal base64 data at input byte 4`);
  assert.equal(await refusal({ key: 'YWJjZA' }), `${head}illegal base64 data at input byte 4`);
  assert.equal(await refusal({ key: 5 }), `${head}json: cannot unmarshal number into Go struct field Secret.data of type []uint8`);
  assert.equal((await send(server, 'POST', '/api/v1/namespaces/default/secrets', secret({ key: 'YWJjZA==', none: null }))).status, 201);
});
