/** Watches of slow readers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAG_BYTES_MAX, LAG_LINES_MAX, LineStream } from './line-stream.ts';

async function textOf(stream: LineStream): Promise<string> {
  return Buffer.concat(await Array.fromAsync(stream)).toString();
}

test('a reader that lags by too many events is told how many and cut off', async () => {
  const stream = new LineStream();
  for (let count = 0; count <= LAG_LINES_MAX; count++) stream.push(new Uint8Array(1));
  assert.match(await textOf(stream), /^\{"type":"ERROR","object":\{.*more than 10000 events were waiting to be read.*"code":410\}\}\n$/);
});

test('a reader that lags by too many bytes is told how many and cut off, and nothing is kept for it', async () => {
  const stream = new LineStream();
  for (let count = 0; count < 17; count++) stream.push(new Uint8Array(LAG_BYTES_MAX / 16));
  assert.match(await textOf(stream), /^\{"type":"ERROR","object":\{.*events of more than 16777216 bytes were waiting to be read.*"code":410\}\}\n$/);
});

test('what exists when a watch starts is no lag, and one event may be of any size', async () => {
  const stream = new LineStream();
  for (let count = 0; count < 3; count++) stream.pushInitial(new Uint8Array(LAG_BYTES_MAX));
  stream.push(new Uint8Array(LAG_BYTES_MAX + 1));
  stream.end();
  assert.equal((await textOf(stream)).length, 4 * LAG_BYTES_MAX + 1);
});

test('a reader that keeps up is never cut off', async () => {
  const stream = new LineStream();
  const reader = stream[Symbol.asyncIterator]();
  for (let count = 0; count < 40; count++) {
    stream.push(new Uint8Array(LAG_BYTES_MAX / 16));
    assert.equal((await reader.next()).value?.length, LAG_BYTES_MAX / 16);
  }
  await reader.return(undefined);
});
