/** Tokens of service accounts are checked by others with nothing but what OpenID Connect discovery tells. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { isJsonObject } from '#machinery';
import { FileTokenKeys, systemClock } from '#platform';
import { ADMIN, type Sending, TestServer } from '../../src/apiserver/api-server.test-data.ts';

const ISSUER = 'https://issuer.test';
const CONFIGURATION = '/.well-known/openid-configuration';
const folder = mkdtempSync(join(tmpdir(), 'openid-'));
const keys = new FileTokenKeys(folder);
const as = (name: string, ...groups: readonly string[]): Sending => ({ user: { name, groups: [...groups, 'system:authenticated'] } });

after(() => rmSync(folder, { recursive: true }));

test('the documents name the issuer, the keys and their algorithm, and may be kept for an hour', async () => {
  const server = new TestServer({ serviceAccounts: { issuer: ISSUER, keys, jwksUri: () => 'https://here.test/openid/v1/jwks' } });
  const { headers, body } = await server.send('GET', CONFIGURATION);
  assert.deepEqual(body, {
    issuer: ISSUER,
    jwks_uri: 'https://here.test/openid/v1/jwks',
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  });
  assert.deepEqual([headers['content-type'], headers['cache-control']], ['application/json', 'public, max-age=3600']);
  assert.equal((await server.send('GET', '/openid/v1/jwks')).headers['content-type'], 'application/jwk-set+json');
  assert.equal((await server.send('POST', CONFIGURATION)).status, 405);
});

test('a stranger checks a token with the published keys', async () => {
  const server = new TestServer({ clock: systemClock, serviceAccounts: { issuer: ISSUER, keys } });
  await server.must('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'bot' } });
  const { status } = await server.must('POST', '/api/v1/namespaces/default/serviceaccounts/bot/token', { spec: { audiences: ['vault'] } });
  assert.ok(isJsonObject(status));
  // Checked by the library.
  const published = (await server.must('GET', '/openid/v1/jwks')) as unknown as JSONWebKeySet;
  const { payload } = await jwtVerify(String(status['token']), createLocalJWKSet(published), { issuer: ISSUER, audience: 'vault' });
  assert.equal(payload.sub, 'system:serviceaccount:default:bot');
  server.server.close();
});

test('service accounts may read the documents, other users may not', async () => {
  const server = new TestServer({ serviceAccounts: { issuer: ISSUER, keys } });
  assert.equal((await server.send('GET', CONFIGURATION, undefined, as('system:serviceaccount:a:b', 'system:serviceaccounts'))).status, 200);
  const refused = await server.send('GET', CONFIGURATION, undefined, as('jane'));
  assert.equal(refused.status, 403);
  assert.equal(refused.body['message'], `forbidden: User "jane" cannot get path "${CONFIGURATION}"`);
});

test('an issuer that cannot be reached by https is not announced', async () => {
  const server = new TestServer({ serviceAccounts: { issuer: 'kubernetes/serviceaccount', keys } });
  const request = { method: 'GET', path: CONFIGURATION, headers: {}, body: new Uint8Array(), user: ADMIN, signal: new AbortController().signal };
  assert.equal((await server.server.handle(request)).status, 404);
});
