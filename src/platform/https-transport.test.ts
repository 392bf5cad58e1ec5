/** The client's side of a connection. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { httpsTransport } from './https-transport.ts';

test('a server that takes a request and says nothing is given up, with its address', { timeout: 20_000 }, async () => {
  const silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  const server = `http://127.0.0.1:${String(typeof address === 'object' ? address?.port : 0)}`;
  try {
    const transport = httpsTransport({ server }, 100);
    const asked = transport({ method: 'GET', path: '/', headers: {} }, new AbortController().signal);
    await assert.rejects(asked, { message: `${server}: no answer within 0.1 s` });
  } finally {
    silent.close();
  }
});

/** Answers with the statuses one after the other; what comes too early is to come back after so many seconds. */
async function busyServer(
  statuses: number[],
  retryAfterSeconds: number,
): Promise<AsyncDisposable & { readonly url: string; readonly asked: Promise<unknown> }> {
  const server = createHttpServer((_request, response) => {
    response.writeHead(statuses.shift() ?? 500, { 'retry-after': String(retryAfterSeconds) }).end('x');
  }).listen(0, '127.0.0.1');
  const asked = once(server, 'request');
  await once(server, 'listening');
  const address = server.address();
  const close = async (): Promise<void> => {
    const closed = once(server.close(), 'close');
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${String(typeof address === 'object' ? address?.port : 0)}`, asked, [Symbol.asyncDispose]: close };
}

test('a server that has too many requests is asked again when it said', async () => {
  const statuses = [429, 200];
  await using busy = await busyServer(statuses, 0);
  const { status } = await httpsTransport({ server: busy.url })({ method: 'GET', path: '/', headers: {} }, new AbortController().signal);
  assert.deepEqual([status, statuses], [200, []]);
});

test('who has been told to come back much later does not wait for that when it ends', { timeout: 20_000 }, async () => {
  await using busy = await busyServer([429], 3600);
  const end = new AbortController();
  const answer = httpsTransport({ server: busy.url, end: end.signal })({ method: 'GET', path: '/', headers: {} }, new AbortController().signal);
  await busy.asked;
  // By now the request may still be under way, or waiting to be sent again.
  setTimeout(() => end.abort(new Error('the component ends')), 50);
  await assert.rejects(answer, /the component ends/);
});
