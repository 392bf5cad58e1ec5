import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isJsonObject, type Json, parseJson } from '#machinery';
import { ADMIN, TestServer } from '../api-server.test-data.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const STREAMING_LIST = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';

test('the first event of a streaming list in tables brings the columns, the bookmark that ends it none', async () => {
  const server = new TestServer();
  await server.must('POST', CONFIG_MAPS, { metadata: { name: 'a' } });
  const gone = new AbortController();
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  const request = { method: 'GET', path: `${CONFIG_MAPS}?${STREAMING_LIST}`, headers, body: new Uint8Array(), user: ADMIN, signal: gone.signal };
  const { body } = await server.server.handle(request);
  assert(!(body instanceof Uint8Array), 'a watch goes on');
  const { value } = await body[Symbol.asyncIterator]().next();
  assert(value instanceof Uint8Array, 'there are initial events');
  const events = new TextDecoder().decode(value).trim().split('\n').map(parseJson);
  assert.deepEqual(events.map(columnsOf), [true, false]);
  gone.abort();
});

test('an event that happens before the initial ones are read does not take their columns', async () => {
  for (const names of [[], ['a']]) {
    const server = new TestServer();
    for (const name of names) await server.must('POST', CONFIG_MAPS, { metadata: { name } });
    const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
    const gone = new AbortController();
    const request = { method: 'GET', path: `${CONFIG_MAPS}?${STREAMING_LIST}`, headers, body: new Uint8Array(), user: ADMIN, signal: gone.signal };
    const { body } = await server.server.handle(request);
    assert(!(body instanceof Uint8Array), 'a watch goes on');
    await server.must('POST', CONFIG_MAPS, { metadata: { name: 'late' } });
    const columns: boolean[] = [];
    for await (const chunk of body) {
      columns.push(...new TextDecoder().decode(chunk).trim().split('\n').map(parseJson).map(columnsOf));
      if (columns.length === names.length + 2) break;
    }
    assert.deepEqual(columns, [true, ...columns.slice(1).fill(false)]);
    gone.abort();
  }
});

/** Whether the table of an event tells its columns. */
function columnsOf(event: Json): boolean {
  return isJsonObject(event) && isJsonObject(event['object']) && Array.isArray(event['object']['columnDefinitions']);
}
