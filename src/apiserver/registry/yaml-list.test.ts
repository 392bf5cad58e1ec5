/** Lists in YAML. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringifyYaml } from '#machinery';
import { ADMIN, TestServer } from '../api-server.test-data.ts';

const PATH = '/api/v1/namespaces/default/configmaps';
const AS = ['', ';as=Table;v=v1;g=meta.k8s.io', ';as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'];

/** The chunks in which the server answers. */
async function chunksOf({ server }: TestServer, path: string, accept: string): Promise<readonly string[]> {
  const { body, headers } = await server.handle({
    method: 'GET',
    path,
    headers: { accept },
    body: new Uint8Array(),
    user: ADMIN,
    signal: new AbortController().signal,
  });
  assert.equal(headers['content-type'], accept.split(';')[0]);
  const chunks = body instanceof Uint8Array ? [body] : await Array.fromAsync(body);
  return chunks.map((chunk) => Buffer.from(chunk).toString());
}

test('a list of any length is in YAML what it is in JSON, in chunks where it is long', async () => {
  const server = new TestServer();
  let names = 0;
  for (const count of [0, 1, 3, 60]) {
    for (; names < count; names++) {
      const data = { 'key.txt': `line 1: ü\nline 2\n\n  "${'x'.repeat(1000)}" #`, yes: 'no', empty: '' };
      await server.must('POST', PATH, { metadata: { name: `m${String(names)}`, annotations: { note: `- ${String(names)}` } }, data });
    }
    for (const as of AS) {
      for (const query of ['', '?labelSelector=!absent', '?limit=2', '?labelSelector=absent']) {
        const json = (await chunksOf(server, `${PATH}${query}`, `application/json${as}`)).join('');
        const yaml = await chunksOf(server, `${PATH}${query}`, `application/yaml${as}`);
        assert.equal(yaml.join(''), await stringifyYaml(JSON.parse(json)), `${String(count)} ${as} ${query}`);
        if (as === '' && query === '') assert.equal(yaml.length > 1, count === 60);
      }
    }
  }
});
