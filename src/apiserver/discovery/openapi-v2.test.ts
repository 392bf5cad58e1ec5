/** The OpenAPI v2 document, in both encodings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { isJsonObject } from '#machinery';
import { openApiV2 } from '#wire';
import { ADMIN, TestServer } from '../api-server.test-data.ts';
import { OPENAPI_V2_PROTOBUF } from './openapi-v2.ts';

const { server } = new TestServer();

test('every reference of the document leads to a definition of it', async () => {
  const document = await new TestServer().must('GET', '/openapi/v2');
  const definitions = document['definitions'];
  assert.ok(isJsonObject(definitions));
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference = '']) => reference);
  assert.ok(references.length > 500);
  const dangling = references.filter((reference) => !Object.hasOwn(definitions, reference.replace('#/definitions/', '')));
  assert.deepEqual(dangling, []);
});

test('kubectl gets the same document in the encoding that it asks for', async () => {
  const response = await server.handle({
    method: 'GET',
    path: '/openapi/v2?timeout=32s',
    headers: { accept: OPENAPI_V2_PROTOBUF.asked },
    body: new Uint8Array(),
    user: ADMIN,
    signal: new AbortController().signal,
  });
  assert.equal(response.headers['content-type'], OPENAPI_V2_PROTOBUF.answered);
  assert.ok(response.body instanceof Uint8Array);
  const { definitions, paths } = fromBinary(openApiV2.DocumentSchema, response.body);
  const claim = definitions?.additionalProperties.find(({ name }) => name === 'io.k8s.api.resource.v1.ResourceClaim')?.value;
  assert.deepEqual(claim?.properties?.additionalProperties.map(({ name }) => name).sort(), ['apiVersion', 'kind', 'metadata', 'spec', 'status']);
  assert.deepEqual(
    claim.vendorExtension.map(({ name, value }) => [name, value?.yaml]),
    [['x-kubernetes-group-version-kind', '[{"group":"resource.k8s.io","kind":"ResourceClaim","version":"v1"}]\n']],
  );
  const patch = paths?.path.find(({ name }) => name.endsWith('/resourceclaims/{name}'))?.value?.patch;
  assert.ok(
    patch?.parameters.some(({ parameter }) => parameter?.kind.case === 'nonBodyParameter' && parameter.kind.value.queryParameterSubSchema?.name === 'dryRun'),
  );
});
