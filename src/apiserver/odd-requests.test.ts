/** Requests that nobody sends by accident: none may crash the server, answer 500 or do what it does not say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isJsonObject, type Json, parseJson } from '#machinery';
import { ADMIN, TestServer } from './api-server.test-data.ts';
import type { ServerRequest } from './http/message.ts';

const PODS = '/api/v1/namespaces/default/pods';
const pod = (name: string, spec: object = {}): Json => ({ metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }], nodeName: 'n', ...spec } });

/** A request with a body as it is written. */
function written(method: string, path: string, body: string): ServerRequest {
  const headers = { 'content-type': 'application/json' };
  return { method, path, headers, body: new TextEncoder().encode(body), user: ADMIN, signal: new AbortController().signal };
}

test('periods of grace that are no number are refused, endless ones end with the calendar', async () => {
  const server = new TestServer();
  await server.must('POST', PODS, pod('usual'));
  assert.equal((await server.send('DELETE', `${PODS}/usual?gracePeriodSeconds=abc`)).status, 400);
  await server.must('POST', PODS, pod('patient', { terminationGracePeriodSeconds: 9e15 }));
  const { metadata } = await server.must('DELETE', `${PODS}/patient`);
  assert.equal(isJsonObject(metadata) && metadata['deletionTimestamp'], '9999-12-31T23:59:59Z');
  await server.must('DELETE', `${PODS}/patient?gracePeriodSeconds=0`);
  assert.equal((await server.send('GET', `${PODS}/patient`)).status, 404);
});

test('an eviction heeds the dry run and the preconditions of its options', async () => {
  const server = new TestServer();
  await server.must('POST', PODS, pod('p'));
  const evict = async (deleteOptions: Json): Promise<number> =>
    (await server.send('POST', `${PODS}/p/eviction`, { metadata: { name: 'p' }, deleteOptions })).status;
  assert.equal(await evict({ preconditions: { uid: 'of another' } }), 409);
  assert.equal(await evict({ dryRun: ['All'] }), 201);
  const { metadata } = await server.must('GET', `${PODS}/p`);
  assert.equal(isJsonObject(metadata) && metadata['deletionTimestamp'], undefined);
});

test('members have one spelling, the last of two counts, and a number is its value', async () => {
  const server = new TestServer();
  const path = '/api/v1/namespaces/default/configmaps?dryRun=All';
  const body = '{"Kind":"Secret","metadata":{"name":"a","generation":1e3},"data":{"a":"1"},"data":{"b":"2"}}';
  const response = await server.server.handle(written('POST', path, body));
  assert.equal(response.status, 201);
  assert(response.body instanceof Uint8Array, 'the answer is whole');
  const created = parseJson(new TextDecoder().decode(response.body));
  assert.deepEqual(isJsonObject(created) && created['data'], { b: '2' });
});

test('a path that is badly encoded, and one that adds to a text, are refused and nothing else', async () => {
  const server = new TestServer();
  assert.equal((await server.server.handle(written('GET', '/api/v1/namespaces/default/configmaps/%zz', ''))).status, 400);
  await server.must('POST', '/api/v1/namespaces/default/configmaps', { metadata: { name: 'a' }, data: { k: 'v' } });
  const patch = [{ op: 'add', path: '/data/k/x', value: 'y' }];
  const headers = { 'content-type': 'application/json-patch+json' };
  assert.equal((await server.send('PATCH', '/api/v1/namespaces/default/configmaps/a', patch, { headers })).status, 422);
});

test('all namespaces at once cannot be deleted', async () => {
  const server = new TestServer();
  assert.equal((await server.send('DELETE', '/api/v1/namespaces')).status, 405);
});

test('a continue token that somebody made up is refused', async () => {
  const server = new TestServer();
  const page = async (rv: number): Promise<number> => {
    const token = btoa(JSON.stringify({ v: 'meta.k8s.io/v1', rv, start: '/registry/pods/default/a' })).replaceAll('=', '');
    return (await server.send('GET', `${PODS}?limit=1&continue=${encodeURIComponent(token)}`)).status;
  };
  assert.equal(await page(1_000_000_000), 504);
  assert.equal(await page(1.5), 400);
});

test('names that every JavaScript object has are nothing special in paths and methods', async () => {
  const { server } = new TestServer();
  const code = async (method: string, path: string): Promise<number> => {
    const user = { name: 'admin', groups: ['system:masters'] };
    return (await server.handle({ method, path, headers: {}, body: new Uint8Array(), user, signal: new AbortController().signal })).status;
  };
  assert.equal(await code('GET', '/constructor'), 404);
  assert.equal(await code('GET', '/toString/x'), 404);
  assert.equal(await code('constructor', PODS), 405);
});

test('the metrics count by names that exist, whatever is asked for', async () => {
  const { server } = new TestServer();
  const get = async (path: string): Promise<string> => {
    const user = { name: 'admin', groups: ['system:masters'] };
    const { body } = await server.handle({ method: 'GET', path, headers: {}, body: new Uint8Array(), user, signal: new AbortController().signal });
    return body instanceof Uint8Array ? new TextDecoder().decode(body) : '';
  };
  await get('/api/v1/made-up');
  await get(PODS);
  const metrics = await get('/metrics');
  assert.match(metrics, /apiserver_request_total\{code="404",resource="",verb="LIST"\} 1/);
  assert.match(metrics, /apiserver_request_total\{code="200",resource="pods",verb="LIST"\} 1/);
});

test('a body of many mistakes costs little and is answered in few words', async () => {
  const server = new TestServer();
  const repeated = '"b":1,'.repeat(100_000);
  const { server: raw } = server;
  const post = async (text: string): Promise<string> => {
    const body = new TextEncoder().encode(text);
    const headers = { 'content-type': 'application/json' };
    const user = { name: 'admin', groups: ['system:masters'] };
    const path = '/api/v1/namespaces/default/configmaps';
    return (await raw.handle({ method: 'POST', path, headers, body, user, signal: new AbortController().signal })).headers['warning'] ?? '';
  };
  const deep = await post(`${'{"a":'.repeat(2_000)}{${repeated}"b":1}${'}'.repeat(2_000)}`);
  assert.ok(deep.startsWith('299 - "') && deep.length < 10_000, String(deep.length));
  const wide = await post(`{${Array.from({ length: 100_000 }, (_, i) => `"unknown${String(i)}":1`).join(',')}}`);
  assert.ok(wide.startsWith('299 - "unknown field') && wide.length < 10_000, String(wide.length));
});

test('a member called __proto__ is a member like others', async () => {
  const server = new TestServer();
  const { server: raw } = server;
  const body = new TextEncoder().encode('{"metadata":{"name":"c"},"data":{"__proto__":"kept"}}');
  const user = { name: 'admin', groups: ['system:masters'] };
  const path = '/api/v1/namespaces/default/configmaps';
  const headers = { 'content-type': 'application/json' };
  assert.equal((await raw.handle({ method: 'POST', path, headers, body, user, signal: new AbortController().signal })).status, 201);
  const { data } = await server.must('GET', `${path}/c`);
  assert.deepEqual(Object.entries(isJsonObject(data) ? data : {}), [['__proto__', 'kept']]);
});

test('YAML of more than a server can read in passing is refused with the limit, JSON under its name is not', async () => {
  const server = new TestServer();
  const post = async (method: string, path: string, type: string, text: string): Promise<{ status: number; message: string }> => {
    const request = {
      method,
      path,
      headers: { 'content-type': type },
      body: new TextEncoder().encode(text),
      user: ADMIN,
      signal: new AbortController().signal,
    };
    const { status, body } = await server.server.handle(request);
    return { status, message: body instanceof Uint8Array ? String((JSON.parse(new TextDecoder().decode(body)) as { message?: string }).message) : '' };
  };
  const data = Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`k${String(index)}`, 'v']));
  const head = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'big' } };
  const lines = Object.keys(data).map((name) => `  ${name}: v`);
  const yaml = ['apiVersion: v1', 'kind: ConfigMap', 'metadata: {name: big}', 'data:', ...lines].join('\n');
  const json = JSON.stringify({ ...head, data });
  const tooLarge = { status: 413, message: 'Request entity too large: limit of YAML is 250000 tokens; JSON may be longer' };
  const collection = '/api/v1/namespaces/default/configmaps';
  assert.deepEqual(await post('POST', collection, 'application/yaml', yaml), tooLarge);
  assert.deepEqual(await post('PATCH', `${collection}/big?fieldManager=m`, 'application/apply-patch+yaml', yaml), tooLarge);
  // Who owns which field would make the object too large to be kept.
  assert.equal((await post('POST', `${collection}?dryRun=All`, 'application/yaml', json)).status, 201);
});
