/** Watches that begin with what exists. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN, TestServer } from '../api-server.test-data.ts';

const PATH = '/api/v1/namespaces/default/configmaps';
const STREAMING = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';

interface Event {
  readonly type: string;
  readonly object: { readonly metadata: { readonly name?: string; readonly annotations?: object } };
}

test('what exists comes in chunks, what happens meanwhile behind it', async () => {
  const server = new TestServer();
  const names = Array.from({ length: 40 }, (_, i) => `m${String(i).padStart(2, '0')}`);
  for (const name of names) await server.must('POST', PATH, { metadata: { name }, data: { text: 'ü'.repeat(10_000) } });
  for (const accept of ['application/json', 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io']) {
    const request = { method: 'GET', path: `${PATH}?${STREAMING}`, headers: { accept }, body: new Uint8Array(), user: ADMIN };
    const { body } = await server.server.handle({ ...request, signal: new AbortController().signal });
    assert.ok(!(body instanceof Uint8Array));
    await server.must('PATCH', `${PATH}/m00`, { metadata: { annotations: { accept } } });
    const events: Event[] = [];
    let chunks = 0;
    for await (const chunk of body) {
      chunks++;
      for (const line of Buffer.from(chunk).toString().trimEnd().split('\n')) events.push(JSON.parse(line) as Event);
      if (events.at(-1)?.type === 'MODIFIED') break;
    }
    assert.deepEqual(
      events.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`),
      [...names.map((name) => `ADDED ${name}`), 'BOOKMARK ', 'MODIFIED m00'],
    );
    assert.deepEqual(events.at(-2)?.object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' });
    if (accept === 'application/json') assert.ok(chunks > 3, `${String(chunks)} chunks`);
  }
});
