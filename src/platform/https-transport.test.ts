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

test('a server that has too many requests is asked again when it said', async () => {
  const answers = [429, 200];
  const busy = createHttpServer((_request, response) => {
    response.writeHead(answers.shift() ?? 500, { 'retry-after': '0' }).end('x');
  }).listen(0, '127.0.0.1');
  await once(busy, 'listening');
  const address = busy.address();
  try {
    const transport = httpsTransport({ server: `http://127.0.0.1:${String(typeof address === 'object' ? address?.port : 0)}` });
    const { status } = await transport({ method: 'GET', path: '/', headers: {} }, new AbortController().signal);
    assert.deepEqual([status, answers], [200, []]);
  } finally {
    busy.close();
    busy.closeAllConnections();
  }
});
