/** Tests of the watch parser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isExpired } from '#machinery';
import { lines, readText, watchEvents } from './watch-stream.ts';

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const TEXT = '{"type":"ADDED","object":{"metadata":{"name":"größe-日本-🙂"}}}\n\n{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"}}}\n';

test('a watch reads the same whatever the size of the pieces, also when they cut characters', async () => {
  const bytes = new TextEncoder().encode(TEXT);
  for (let size = 1; size <= bytes.length; size++) {
    const events = await Array.fromAsync(watchEvents(pieces(bytes, size)));
    assert.deepEqual(
      events.map((event) => [event.type, event.object.metadata.name ?? event.object.metadata.resourceVersion]),
      [
        ['ADDED', 'größe-日本-🙂'],
        ['BOOKMARK', '7'],
      ],
    );
  }
});

test('a last line that was cut off is not an event', async () => {
  const bytes = new TextEncoder().encode('{"a":1}\n{"b":');
  assert.deepEqual(await Array.fromAsync(lines(pieces(bytes, 3))), ['{"a":1}']);
});

test('an ERROR event becomes the error it carries', async () => {
  const bytes = new TextEncoder().encode('{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}}\n');
  await assert.rejects(Array.fromAsync(watchEvents(pieces(bytes, 1000))), (error: unknown) => isExpired(error));
});

test('a body is read whole with characters cut between pieces', async () => {
  assert.equal(await readText(pieces(new TextEncoder().encode('ä🙂'), 1)), 'ä🙂');
});
