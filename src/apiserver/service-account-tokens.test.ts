/** Tokens of service accounts: whom they make a caller, and when they end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isJsonObject, type Json, type JsonObject, parseJson, stringifyJson } from '#machinery';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { type Sending, TestServer } from './api-server.test-data.ts';
import type { TokenKeys } from './service-account-tokens.ts';

/** Signs by saying so. */
const KEYS: TokenKeys = {
  sign: async (claims) => `signed:${stringifyJson(claims)}`,
  verify: async (token) => (token.startsWith('signed:') ? (parseJson(token.slice('signed:'.length)) as JsonObject) : undefined),
  publicKeys: async () => ({ keys: [] }),
};
const ISSUER = 'https://issuer.test';
const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts';

function cluster(): { readonly server: TestServer; readonly clock: ManualClock } {
  const clock = new ManualClock();
  return { server: new TestServer({ clock, serviceAccounts: { issuer: ISSUER, keys: KEYS } }), clock };
}

async function tokenOf(server: TestServer, spec: Json): Promise<string> {
  const { status } = await server.must('POST', `${ACCOUNTS}/bot/token`, { spec });
  assert.ok(isJsonObject(status));
  return String(status['token']);
}

/** The caller as the server sees it, or the code of the refusal. */
async function callerOf(server: TestServer, token: string): Promise<Json> {
  const sending: Sending = { user: undefined, headers: { authorization: `Bearer ${token.replaceAll(' ', '')}` } };
  const { status, body } = await server.send('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, sending);
  return status === 201 && isJsonObject(body['status']) ? (body['status']['userInfo'] ?? null) : status;
}

test('a token makes its bearer the service account until it expires', async () => {
  const { server, clock } = cluster();
  const { metadata } = await server.must('POST', ACCOUNTS, { metadata: { name: 'bot' } });
  const [token, hour] = [await tokenOf(server, { expirationSeconds: 600 }), await tokenOf(server, { expirationSeconds: 3607 })];
  const caller = await callerOf(server, token);
  assert.ok(isJsonObject(caller) && isJsonObject(metadata));
  assert.equal(caller['username'], 'system:serviceaccount:default:bot');
  assert.equal(caller['uid'], metadata['uid']);
  assert.deepEqual(caller['groups'], ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated']);
  clock.advance(660_000);
  assert.ok(isJsonObject(await callerOf(server, token)), 'clocks may differ by a minute');
  clock.advance(1000);
  assert.equal(await callerOf(server, token), 401);
  assert.ok(isJsonObject(await callerOf(server, hour)));
  clock.advance(3_007_000);
  assert.equal(await callerOf(server, hour), 401, 'no lifetime stands for a longer one');
});

test('a token for another audience, or of another issuer, is nobody here', async () => {
  const { server } = cluster();
  await server.must('POST', ACCOUNTS, { metadata: { name: 'bot' } });
  assert.equal(await callerOf(server, await tokenOf(server, { audiences: ['vault'] })), 401);
  const claims = parseJson((await tokenOf(server, {})).slice('signed:'.length)) as JsonObject;
  assert.equal(await callerOf(server, await KEYS.sign({ ...claims, iss: 'https://other' })), 401);
});

test('a caller whose certificate is void is nobody, unless it shows a token', async () => {
  const { server } = cluster();
  await server.must('POST', ACCOUNTS, { metadata: { name: 'bot' } });
  const token = await tokenOf(server, {});
  const codeOf = async (headers: Readonly<Record<string, string>>): Promise<number> => {
    const request = { method: 'GET', path: '/version', headers, body: new Uint8Array(), distrusted: true, signal: new AbortController().signal };
    return (await server.server.handle(request)).status;
  };
  assert.equal(await codeOf({}), 401);
  assert.equal(await codeOf({ authorization: `Bearer ${token.replaceAll(' ', '')}` }), 200);
});

test('a review believes a token for the audiences that it asks for', async () => {
  const { server } = cluster();
  await server.must('POST', ACCOUNTS, { metadata: { name: 'bot' } });
  const review = async (token: string, audiences?: readonly string[]): Promise<Json> => {
    const spec = { token, ...(audiences !== undefined && { audiences: [...audiences] }) };
    const { status } = await server.must('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec });
    return isJsonObject(status) && status['authenticated'] === true ? (status['audiences'] ?? null) : false;
  };
  const [usual, vault] = [await tokenOf(server, {}), await tokenOf(server, { audiences: ['vault', 'other'] })];
  assert.deepEqual(await review(usual), [ISSUER]);
  assert.equal(await review(usual, ['vault']), false);
  assert.deepEqual(await review(vault, ['vault', 'third']), ['vault']);
  assert.equal(await review(vault), false);
});

test('a token ends with its account, and one that is bound with what it is bound to', async () => {
  const { server } = cluster();
  await server.must('POST', ACCOUNTS, { metadata: { name: 'bot' } });
  await server.must('POST', '/api/v1/nodes', { metadata: { name: 'n1' } });
  const pod = { metadata: { name: 'p' }, spec: { serviceAccountName: 'bot', nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] } };
  await server.must('POST', '/api/v1/namespaces/default/pods', pod);
  const free = await tokenOf(server, {});
  const bound = await tokenOf(server, { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p' } });
  const onNode = await tokenOf(server, { boundObjectRef: { apiVersion: 'v1', kind: 'Node', name: 'n1' } });
  for (const token of [bound, onNode]) {
    const caller = await callerOf(server, token);
    assert.ok(isJsonObject(caller) && isJsonObject(caller['extra']));
    assert.deepEqual(caller['extra']['authentication.kubernetes.io/node-name'], ['n1']);
  }
  await server.must('DELETE', '/api/v1/namespaces/default/pods/p?gracePeriodSeconds=0');
  assert.equal(await callerOf(server, bound), 401);
  assert.ok(isJsonObject(await callerOf(server, free)));
  await server.must('DELETE', '/api/v1/nodes/n1');
  assert.equal(await callerOf(server, onNode), 401);
  await server.must('DELETE', `${ACCOUNTS}/bot`);
  await server.must('POST', ACCOUNTS, { metadata: { name: 'bot' } });
  assert.equal(await callerOf(server, free), 401, 'the account of that name is another one');
});

test('a token is not bound to the pod of another account, nor issued where no issuer is', async () => {
  const { server } = cluster();
  await server.must('POST', ACCOUNTS, { metadata: { name: 'bot' } });
  await server.must('POST', '/api/v1/namespaces/default/pods', { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } });
  const reference = { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p' } };
  assert.equal((await server.send('POST', `${ACCOUNTS}/bot/token`, { spec: reference })).status, 400);
  const without = new TestServer();
  await without.must('POST', ACCOUNTS, { metadata: { name: 'bot' } });
  assert.equal((await without.send('POST', `${ACCOUNTS}/bot/token`, { spec: {} })).status, 404);
});
