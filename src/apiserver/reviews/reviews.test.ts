/** What reviews refuse. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isJsonObject, type Json } from '#machinery';
import { TestServer } from '../api-server.test-data.ts';

const REVIEWS = '/apis/authorization.k8s.io/v1';
const LOCAL = `${REVIEWS}/namespaces/default/localsubjectaccessreviews`;
const resourceAttributes = { namespace: 'default', verb: 'get', resource: 'pods' };
const nonResourceAttributes = { path: '/healthz', verb: 'get' };
const COMBINED = 'Invalid value: {"Path":"/healthz","Verb":"get"}: cannot be specified in combination with resourceAttributes';
const DISALLOWED = 'Invalid value: {"Path":"/healthz","Verb":"get"}: disallowed on this kind of request';

/** `field: message` of each cause. */
async function causesOf(path: string, spec: Json): Promise<readonly string[]> {
  const { status, body } = await new TestServer().send('POST', path, { spec });
  assert.equal(status, 422, JSON.stringify(body));
  const causes = isJsonObject(body['details']) && Array.isArray(body['details']['causes']) ? body['details']['causes'] : [];
  return causes.map((cause: Json) => (isJsonObject(cause) ? `${String(cause['field'])}: ${String(cause['message'])}` : ''));
}

test('a review asks about a resource or about a path, and about somebody', async () => {
  assert.deepEqual(await causesOf(`${REVIEWS}/selfsubjectaccessreviews`, { resourceAttributes, nonResourceAttributes }), [
    `spec.nonResourceAttributes: ${COMBINED}`,
  ]);
  assert.deepEqual(await causesOf(`${REVIEWS}/subjectaccessreviews`, {}), [
    'spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    'spec.user: Invalid value: "": at least one of user or group must be specified',
  ]);
});

test('a review of a namespace is about resources of it', async () => {
  assert.deepEqual(await causesOf(LOCAL, { user: 'jane', nonResourceAttributes }), [`spec.nonResourceAttributes: ${DISALLOWED}`]);
  assert.deepEqual(await causesOf(LOCAL, { user: 'jane', resourceAttributes: { ...resourceAttributes, namespace: 'other' }, nonResourceAttributes }), [
    `spec.nonResourceAttributes: ${COMBINED}`,
    'spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace',
    `spec.nonResourceAttributes: ${DISALLOWED}`,
  ]);
});
