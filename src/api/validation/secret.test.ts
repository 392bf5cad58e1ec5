/** Secrets: what they must carry, and what is warned of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject } from '#machinery';
import { secretWarnings, validateSecret } from './secret.ts';

const secret = (type: string, data: Readonly<Record<string, string>>): ApiObject => {
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, type, data };
  return object;
};
const found = (object: ApiObject): readonly string[] => validateSecret(object).map(({ path, message }) => `${path}: ${message}`);

test('the configuration of a registry is the JSON of an object, and its contents are not told', () => {
  const of = (text: string): readonly string[] => found(secret('kubernetes.io/dockerconfigjson', { '.dockerconfigjson': btoa(text) }));
  const refused = 'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>"';
  assert.deepEqual(of('{"auths":{}}'), []);
  assert.deepEqual(of(''), [`${refused}: unexpected end of JSON input`]);
  assert.deepEqual(of('secret'), [`${refused}: invalid character 's' looking for beginning of value`]);
  assert.deepEqual(of('[]'), [`${refused}: json: cannot unmarshal array into Go value of type map[string]interface {}`]);
});

test('a TLS secret is warned of without PEM data, but certificate and key are not compared', () => {
  const pem = (what: string): string => btoa(`-----BEGIN ${what}-----\nAAAA\n-----END ${what}-----\n`);
  const of = (crt: string, key: string): readonly string[] => secretWarnings(secret('kubernetes.io/tls', { 'tls.crt': crt, 'tls.key': key }));
  assert.deepEqual(of(btoa('x'), btoa('y')), ['tls: failed to find any PEM data in certificate input']);
  assert.deepEqual(of(pem('CERTIFICATE'), btoa('y')), ['tls: failed to find any PEM data in key input']);
  assert.deepEqual(of(pem('CERTIFICATE'), pem('PRIVATE KEY')), []);
  assert.deepEqual(secretWarnings(secret('Opaque', { 'tls.crt': btoa('x') })), []);
});

test('of user name and password one is enough, an SSH key may not be empty', () => {
  assert.deepEqual(found(secret('kubernetes.io/basic-auth', { password: '' })), []);
  assert.deepEqual(found(secret('kubernetes.io/basic-auth', {})), ['data[username]: Required value', 'data[password]: Required value']);
  assert.deepEqual(found(secret('kubernetes.io/ssh-auth', { 'ssh-privatekey': '' })), ['data[ssh-privatekey]: Required value']);
});
