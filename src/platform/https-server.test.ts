/** The listener, seen by clients of both versions of HTTP. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { type ApiServer, PiecedBody, type ServerRequest } from '#apiserver';
import type { Json } from '#machinery';
import { listen, type Listener } from './https-server.ts';
import type { KeyPair } from './certificates.ts';
import { CertificateAuthority } from './tls.ts';

const LONG = new TextEncoder().encode('x'.repeat(200_000));
const WARNING = '299 - "unknown field \\"größe日本\\""';
const folder = mkdtempSync(join(tmpdir(), 'dray-https-'));
const seen: ServerRequest[] = [];
let listener: Listener;
let ca: string;

/** More than one part of what a connection is sent at a time, and different everywhere. */
const PIECES = Array.from({ length: 1000 }, (_, i) => new TextEncoder().encode(`${String(i)}:${'y'.repeat(1000)};`));

function pieced(): PiecedBody {
  const length = PIECES.reduce((sum, { length: bytes }) => sum + bytes, 0);
  return new PiecedBody({ texts: new Uint8Array(), textLengths: PIECES.map(() => 0), bytes: PIECES, length });
}

/** Answers a long body, /pieced with one in pieces, or /live with a stream that ends with the request. */
const apiServer: ApiServer = {
  async handle(request) {
    seen.push(request);
    const headers = { 'content-type': 'application/json', warning: WARNING };
    if (request.path === '/pieced') return { status: 200, headers, body: pieced() };
    return request.path === '/live' ? { status: 200, headers, body: ticking(request.signal), live: true } : { status: 200, headers, body: LONG };
  },
  close() {},
};

async function* ticking(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode('tick\n');
  if (!signal.aborted) await once(signal, 'abort');
}

before(async () => {
  const authority = await CertificateAuthority.open(folder);
  const serving = await authority.issue('apiserver', { commonName: 'kube-apiserver', hosts: ['127.0.0.1'] });
  ca = authority.caPem;
  listener = await listen({ apiServer, address: '127.0.0.1', port: 0, tls: { ...serving, clientCaPem: ca } });
});

after(() => rmSync(folder, { recursive: true, force: true }));

test('a header holds whatever a user sent, in UTF-8', async () => {
  const shown = (value: unknown): string => Buffer.from(String(value), 'latin1').toString();
  const [response] = await once(httpsRequest({ host: '127.0.0.1', port: listener.port, path: '/long', ca }).end(), 'response');
  assert.equal(shown(response.headers.warning), WARNING);
  response.resume();
  const session = connect(`https://127.0.0.1:${String(listener.port)}`, { ca });
  const stream = session.request({ ':path': '/long' });
  const [headers] = await once(stream, 'response');
  assert.equal(shown(headers.warning), WARNING);
  stream.close();
  session.close();
});

test('a long answer is compressed for HTTP/1.1 clients that take it', async () => {
  const headers = { 'accept-encoding': 'gzip' };
  const [response] = await once(httpsRequest({ host: '127.0.0.1', port: listener.port, path: '/long', ca, headers }).end(), 'response');
  assert.equal(response.headers['content-encoding'], 'gzip');
  assert.equal(gunzipSync(await buffer(response)).length, LONG.length);
});

test('a body in pieces arrives whole, with its length, and compressed for those who take that', async () => {
  const whole = Buffer.concat(PIECES);
  const options = { host: '127.0.0.1', port: listener.port, path: '/pieced', ca };
  const [plain] = await once(httpsRequest(options).end(), 'response');
  assert.equal(plain.headers['content-length'], String(whole.length));
  assert.ok(whole.equals(await buffer(plain)));
  const [coded] = await once(httpsRequest({ ...options, headers: { 'accept-encoding': 'gzip' } }).end(), 'response');
  assert.equal(coded.headers['content-length'], undefined);
  assert.ok(whole.equals(gunzipSync(await buffer(coded))));
  const session = connect(`https://127.0.0.1:${String(listener.port)}`, { ca });
  assert.ok(whole.equals(await buffer(session.request({ ':path': '/pieced' }))));
  session.close();
});

test('bodies in pieces that are sent at the same time, some of them to nobody any more, do not mix', async () => {
  const whole = Buffer.concat(PIECES);
  const session = connect(`https://127.0.0.1:${String(listener.port)}`, { ca });
  const agent = new Agent({ keepAlive: true });
  const read = async (i: number): Promise<void> => {
    if (i % 3 === 0) return assert.ok(whole.equals(await buffer(session.request({ ':path': '/pieced' }))));
    const [response] = await once(httpsRequest({ host: '127.0.0.1', port: listener.port, path: '/pieced', ca, agent }).end(), 'response');
    if (i % 3 === 1) assert.ok(whole.equals(await buffer(response)));
    else response.destroy();
  };
  for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 9 }, (_, i) => read(i)));
  session.close();
  agent.destroy();
});

test('AES-128 is chosen where the client leaves the choice', async () => {
  const socket = connectTls({ host: '127.0.0.1', port: listener.port, ca });
  await once(socket, 'secureConnect');
  assert.equal(socket.getCipher().name, 'TLS_AES_128_GCM_SHA256');
  socket.destroy();
});

test('HTTP/2 clients are served the same, with headers as names only', async () => {
  const session = connect(`https://127.0.0.1:${String(listener.port)}`, { ca });
  const stream = session.request({ ':path': '/long', 'user-agent': 'test' });
  const [headers] = await once(stream, 'response');
  assert.equal(headers[':status'], 200);
  assert.equal((await buffer(stream)).length, LONG.length);
  session.close();
  const request = seen.at(-1);
  assert.equal(request?.path, '/long');
  assert.deepEqual(
    Object.keys(request.headers).filter((name) => name.startsWith(':')),
    [],
  );
});

test('an impersonation header is seen behind however many others, once for each of its values, in UTF-8', async () => {
  const others = Array.from({ length: 1500 }, () => 'a:');
  const socket = connectTls({ host: '127.0.0.1', port: listener.port, ca });
  await once(socket, 'secureConnect');
  const wanted = ['Impersonate-User: jürgen, the other', 'Impersonate-Group: a', 'impersonate-group: b,c'];
  socket.write(['GET /long HTTP/1.1', 'host: x', ...others, ...wanted, 'connection: close', '', ''].join('\r\n'));
  await buffer(socket);
  const { headers } = seen.at(-1) ?? {};
  assert.equal(headers?.['impersonate-user'], 'jürgen, the other');
  assert.equal(headers?.['impersonate-group'], 'a\nb,c');
});

test('a certificate makes a user while it is valid; one that is not, or that nobody vouches for, makes nobody', async (context) => {
  const authority = await CertificateAuthority.open(folder);
  const jane = await authority.issue('jane', { commonName: 'jane', organizations: ['devs'] });
  const stranger = await (
    await CertificateAuthority.open(join(folder, 'elsewhere'))
  ).issue('admin', { commonName: 'admin', organizations: ['system:masters'] });
  const callerOver = async (agent: Agent): Promise<Json> => {
    const [response] = await once(httpsRequest({ host: '127.0.0.1', port: listener.port, path: '/long', agent }).end(), 'response');
    await buffer(response);
    const { user, distrusted } = seen.at(-1) ?? {};
    return { name: user?.name ?? '', distrusted: distrusted === true };
  };
  const agentOf = ({ certPem: cert, keyPem: key }: KeyPair): Agent => new Agent({ keepAlive: true, maxSockets: 1, ca, cert, key });
  const [agent, other] = [agentOf(jane), agentOf(stranger)];
  assert.deepEqual(await callerOver(agent), { name: 'jane', distrusted: false });
  assert.deepEqual(await callerOver(other), { name: '', distrusted: true });
  assert.deepEqual(await callerOver(new Agent({ ca })), { name: '', distrusted: false });
  const century = Date.now() + 100 * 365 * 24 * 3600 * 1000;
  context.mock.method(Date, 'now', () => century);
  assert.deepEqual(await callerOver(agent), { name: '', distrusted: true }, 'on the same connection');
  agent.destroy();
  other.destroy();
});

test('no connection becomes that of somebody else by negotiating anew', async () => {
  const socket = connectTls({ host: '127.0.0.1', port: listener.port, ca, maxVersion: 'TLSv1.2' });
  await once(socket, 'secureConnect');
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.once('error', () => resolve('refused'));
  socket.renegotiate({}, (error) => resolve(error === null ? 'done' : 'refused'));
  assert.equal(await promise, 'refused');
  socket.destroy();
});

test('a method that the HTTP/1.1 parser does not know is refused with a Status', async () => {
  const socket = connectTls({ host: '127.0.0.1', port: listener.port, ca });
  socket.write('FROB /api HTTP/1.1\r\nhost: a\r\n\r\n');
  const answer = await text(socket);
  assert.match(answer, /^HTTP\/1\.1 405 /);
  assert.match(answer, /"reason":"MethodNotAllowed"/);
});

test('one connection carries large requests and large answers in turn', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const body = Buffer.alloc(100_000, 'y');
  for (let turn = 0; turn < 100; turn++) {
    const outgoing = httpsRequest({ host: '127.0.0.1', port: listener.port, path: '/long', method: 'POST', ca, agent });
    outgoing.end(body);
    const [response] = await once(outgoing, 'response');
    assert.equal((await buffer(response)).length, LONG.length);
    assert.equal(seen.pop()?.body.length, body.length);
  }
  agent.destroy();
});

/** Far more than all buffers between a server and a client that does not read. */
const ENDLESS = Array.from({ length: 100_000 }, () => new Uint8Array(1000));

test('a request that takes too long is ended, whether it is sent or read too slowly; a stream goes on', { timeout: 120_000 }, async () => {
  const served: string[] = [];
  const slowServer: ApiServer = {
    async handle(request) {
      if (request.path === '/live') return apiServer.handle(request);
      const body = new PiecedBody({ texts: new Uint8Array(), textLengths: ENDLESS.map(() => 0), bytes: ENDLESS, length: ENDLESS.length * 1000 });
      return { status: 200, headers: {}, body, sent: () => served.push(request.path) };
    },
    close() {},
  };
  const keys = await (await CertificateAuthority.open(folder)).issue('apiserver', { commonName: 'kube-apiserver', hosts: ['127.0.0.1'] });
  const slow = await listen({ apiServer: slowServer, address: '127.0.0.1', port: 0, tls: { ...keys, clientCaPem: ca }, requestTimeoutMs: 100 });
  const at = { host: '127.0.0.1', port: slow.port, ca };
  // A machine that is busy may be late with anything: what was ended before it was answered is asked for again.
  const answered = async (path: string): Promise<IncomingMessage> => {
    for (;;) {
      const [response] = (await once(httpsRequest({ ...at, path, agent: false }).end(), 'response')) as [IncomingMessage];
      if (response.statusCode === 200) return response;
      response.resume();
    }
  };
  const live = await answered('/live');
  const session = connect(`https://127.0.0.1:${String(slow.port)}`, { ca });

  const unfinished = httpsRequest({ ...at, method: 'POST', headers: { 'content-length': 10 } });
  unfinished.write('half');
  const [refused] = await once(unfinished, 'response');
  assert.deepEqual([refused.statusCode, refused.headers.connection], [504, 'close']);
  assert.equal(JSON.parse(await text(refused)).message, 'Timeout: request did not complete within the allotted timeout');
  const stream = session.request({ ':path': '/', ':method': 'POST' });
  stream.write('half');
  const [headers] = await once(stream, 'response');
  assert.equal(headers[':status'], 504);

  const unread = await answered('/endless');
  unread.on('error', () => undefined);
  for (let status = 0; status !== 200;) {
    const again = session.request({ ':path': '/unread' });
    again.on('error', () => undefined);
    const [answer] = await once(again, 'response');
    status = Number(answer[':status']);
  }
  while (!served.includes('/endless') || !served.includes('/unread')) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(live.closed, false);
  for (const connection of [session, unread, live]) connection.destroy();
  await slow.close();
});

test('closing ends the streams of both versions', { timeout: 5_000 }, async () => {
  const session = connect(`https://127.0.0.1:${String(listener.port)}`, { ca });
  const stream = session.request({ ':path': '/live' });
  const [response] = await once(httpsRequest({ host: '127.0.0.1', port: listener.port, path: '/live', ca }).end(), 'response');
  await once(stream, 'response');
  await Promise.all([listener.close(), text(stream), text(response), once(session, 'close')]);
});

test('requests that are being answered when the server closes get their answers', { timeout: 5_000 }, async () => {
  const bodies = [new TextEncoder().encode('done'), LONG, pieced()];
  const lengths = bodies.map(({ length }) => length);
  const [asked, answers] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  const slow: ApiServer = {
    async handle() {
      const body = bodies.pop() ?? new Uint8Array();
      if (bodies.length === 0) asked.resolve(undefined);
      await answers.promise;
      return { status: 201, headers: {}, body };
    },
    close() {},
  };
  const authority = await CertificateAuthority.open(folder);
  const serving = await authority.issue('slow', { commonName: 'kube-apiserver', hosts: ['127.0.0.1'] });
  const closing = await listen({ apiServer: slow, address: '127.0.0.1', port: 0, tls: { ...serving, clientCaPem: ca } });
  const requests = lengths.map(() => httpsRequest({ host: '127.0.0.1', port: closing.port, method: 'POST', path: '/', ca }).end());
  await asked.promise;
  const closed = closing.close();
  answers.resolve(undefined);
  const read = async (request: (typeof requests)[number]): Promise<number> => (await buffer((await once(request, 'response'))[0])).length;
  const sizes = await Promise.all(requests.map(read));
  const ascending = (a: number, b: number): number => a - b;
  assert.deepEqual(sizes.sort(ascending), lengths.sort(ascending));
  await closed;
});
