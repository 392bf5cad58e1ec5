/** Listens on HTTPS (HTTP/2 and 1.1) and hands requests to an API server: certificates become users, bodies stream with backpressure. */
import { constants } from 'node:crypto';
import { type EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createSecureServer, Http2ServerResponse, type Http2SecureServer, type Http2ServerRequest, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { DEFAULT_CIPHERS, type PeerCertificate, type TLSSocket } from 'node:tls';
import { compose, type Duplex, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGzip, gzip } from 'node:zlib';
import type { ApiServer, LineStream, PiecedBody, ServerRequest, ServerResponse, UserInfo } from '#apiserver';
import { methodNotAllowed, timeout } from '#machinery';

/** One byte more than the API server takes (MAX_REQUEST_BODY_BYTES): it then refuses with 413, and memory stays bounded. */
const REQUEST_BODY_BYTES_MAX = 3 * 1024 * 1024 + 1;
/** Upstream: http2Options.MaxConcurrentStreams of the generic API server. */
const MAX_CONCURRENT_STREAMS = 100;
/** Upstream: IdleTimeout of the generic API server. Node's five seconds would cut connections that a client is about to use. */
const IDLE_TIMEOUT_MS = 90_000;
/** Node's ciphers, but AES-128 first, as Go's crypto/tls prefers: a long list is nearly all encryption. */
const CIPHERS = `TLS_AES_128_GCM_SHA256:${DEFAULT_CIPHERS.replace(':TLS_AES_128_GCM_SHA256', '')}`;
/** Upstream: --request-timeout of the API server. What lasts is not meant. */
const REQUEST_TIMEOUT_MS = 60_000;
const TIMEOUT_SWEEP_MS = 5_000;
/** Requests that run take so long at most to end when the server closes. */
const CLOSE_GRACE_MS = 2_000;
const SWEEP_MS = 20;

/** Keys of the server, and the authority whose client certificates are believed. All PEM. */
export interface ServerTls {
  readonly certPem: string;
  readonly keyPem: string;
  readonly clientCaPem: string;
}

/** What to serve and where; port 0 takes a free one. */
export interface ListenOptions {
  readonly apiServer: ApiServer;
  readonly address: string;
  readonly port: number;
  readonly tls: ServerTls;
  /** How long a request may take, its body and that of its answer included; default: upstream's minute. */
  readonly requestTimeoutMs?: number | undefined;
}

/** A listening server. */
export interface Listener {
  readonly port: number;
  /** Stops listening, ends open requests and resolves when all connections are closed. */
  close(): Promise<void>;
}

/** Starts to listen; rejects with one sentence when the address is taken or not ours. */
export async function listen({ apiServer, address, port, tls, requestTimeoutMs = REQUEST_TIMEOUT_MS }: ListenOptions): Promise<Listener> {
  const open: OpenRequests = new Set();
  const server = createSecureServer(
    {
      cert: tls.certPem,
      key: tls.keyPem,
      ca: tls.clientCaPem,
      requestCert: true,
      rejectUnauthorized: false,
      allowHTTP1: true,
      ciphers: CIPHERS,
      // Over TLS 1.2 a client could else show another certificate after the one that was verified. Go's servers do the same.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      settings: { maxConcurrentStreams: MAX_CONCURRENT_STREAMS },
    },
    (incoming, outgoing) => {
      // What both versions of HTTP offer at run time; the types of HTTP/2 leave flushHeaders out.
      void serve(apiServer, incoming, outgoing as unknown as Outgoing, open);
    },
  );
  server.on('clientError', refuseUnparsable);
  const sockets = new Set<TLSSocket>();
  const sessions = new Set<ServerHttp2Session>();
  server.on('secureConnection', (socket) => keepWhileOpen(sockets, socket));
  server.on('session', (session) => keepWhileOpen(sessions, session));
  // Watches are silent for long; the API server itself ends them. Of more than a thousand headers Node would drop the last in silence, those of a proxy
  // that says for whom it asks among them. The types know these settings only of HTTP/1.1's own server.
  Object.assign(server, { requestTimeout: 0, keepAliveTimeout: IDLE_TIMEOUT_MS, maxHeadersCount: 0 });
  server.setTimeout(0);
  await start(server, address, port);
  const sweep = setInterval(() => endOverdue(open, performance.now() - requestTimeoutMs), Math.min(TIMEOUT_SWEEP_MS, requestTimeoutMs));
  sweep.unref();
  server.once('close', () => clearInterval(sweep));
  // An IP server's address is never a string (that is a pipe's).
  const { port: bound } = server.address() as AddressInfo;
  return { port: bound, close: () => stop(server, { sockets, sessions }, open) };
}

/** A request and its answer in either version of HTTP: what is used of them is the same. */
type Incoming = IncomingMessage | Http2ServerRequest;
interface Outgoing extends EventEmitter {
  readonly headersSent: boolean;
  readonly writableFinished: boolean;
  readonly destroyed?: boolean;
  readonly socket: Duplex | null;
  writeHead(status: number, headers: Readonly<Record<string, string | number>>): void;
  flushHeaders(): void;
  write(piece: Uint8Array, written?: (error?: Error | null) => void): boolean;
  end(body?: Uint8Array): void;
  destroy(): void;
}

/** Ended one by one when the server closes: a signal composed for each request would cost more than the rest of it. */
type OpenRequests = Set<OpenRequest>;

/** A request that is being answered. Its signal is made for those who ask, which most requests never do: it costs as much as a short answer. */
class OpenRequest implements ServerRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly user: UserInfo | undefined;
  readonly distrusted: boolean;
  body: Uint8Array = NOTHING;
  readonly outgoing: Outgoing;
  /** Monotonic. */
  readonly startedMs = performance.now();
  /** Whether its answer goes on for as long as its client wants. */
  lasts = false;
  #controller: AbortController | undefined;
  #ended: Error | undefined;
  #closed = false;
  #afterwards: (() => void) | undefined;

  constructor(incoming: Incoming, outgoing: Outgoing) {
    this.outgoing = outgoing;
    this.method = incoming.method ?? 'GET';
    this.path = incoming.url ?? '/';
    this.headers = headersOf(incoming);
    const peer = peerOf(incoming);
    this.distrusted = peer !== undefined && Date.now() > peer.untilMs;
    this.user = this.distrusted ? undefined : peer?.user;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ended !== undefined) this.#controller.abort(this.#ended);
    }
    return this.#controller.signal;
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Its answer is out, or nobody is there any more. */
  close(): void {
    this.#closed = true;
    this.#afterwards?.();
  }

  /** Calls `then` once it is closed. */
  afterwards(then: (() => void) | undefined): void {
    if (this.#closed) then?.();
    else this.#afterwards = then;
  }

  end(why: string): void {
    this.#ended ??= new Error(why);
    this.#controller?.abort(this.#ended);
  }
}

/** Ends what began before `sinceMs` and is not over: a client that sends or reads too slowly would be kept for ever. */
function endOverdue(open: OpenRequests, sinceMs: number): void {
  for (const request of open) {
    // In the order of their beginning.
    if (request.startedMs > sinceMs) return;
    if (request.lasts || request.ended) continue;
    request.end(TIMEOUT_TEXT);
    const { outgoing } = request;
    if (outgoing.headersSent) outgoing.destroy();
    else {
      // What is left of its body would be taken for the next request.
      const last = outgoing instanceof Http2ServerResponse ? {} : { connection: 'close' };
      outgoing.writeHead(504, { ...last, 'content-type': 'application/json' });
      outgoing.end(Buffer.from(JSON.stringify(timeout(TIMEOUT_TEXT, 0).status)));
    }
  }
}

/** Upstream: endpoints/filters, WithTimeoutForNonLongRunningRequests. */
const TIMEOUT_TEXT = 'request did not complete within the allotted timeout';

/** Answers what the HTTP parser refuses: a method that it does not know is the API server's 405, all else a bare 400. */
function refuseUnparsable(error: Error & { readonly code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const unknownMethod = error.code === 'HPE_INVALID_METHOD';
  const body = unknownMethod ? JSON.stringify(methodNotAllowed().status) : '';
  const head = [unknownMethod ? 'HTTP/1.1 405 Method Not Allowed' : 'HTTP/1.1 400 Bad Request', 'connection: close'];
  if (unknownMethod) head.push('content-type: application/json', `content-length: ${String(Buffer.byteLength(body))}`);
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

async function start(server: Http2SecureServer, address: string, port: number): Promise<void> {
  try {
    server.listen(port, address);
    await once(server, 'listening');
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);
    const why = code === 'EADDRINUSE' ? 'another process listens there' : code;
    throw new Error(`cannot listen on ${address}:${String(port)} (${why})`, { cause: thrown });
  }
}

function keepWhileOpen<T extends TLSSocket | ServerHttp2Session>(all: Set<T>, one: T): void {
  all.add(one);
  one.once('close', () => all.delete(one));
}

interface Connections {
  readonly sockets: ReadonlySet<TLSSocket>;
  readonly sessions: ReadonlySet<ServerHttp2Session>;
}

async function stop(server: Http2SecureServer, { sockets, sessions }: Connections, open: OpenRequests): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  for (const request of open) request.end('the server is closing');
  for (const session of sessions) session.close();
  // Connections of HTTP/2 end with their streams, those of HTTP/1.1 stay alive. Absent from the types.
  const mixed = server as Http2SecureServer & { closeIdleConnections(): void };
  const sweep = setInterval(() => mixed.closeIdleConnections(), SWEEP_MS);
  const force = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, CLOSE_GRACE_MS);
  await closed;
  clearTimeout(force);
  clearInterval(sweep);
}

async function serve(apiServer: ApiServer, incoming: Incoming, outgoing: Outgoing, open: OpenRequests): Promise<void> {
  const request = new OpenRequest(incoming, outgoing);
  open.add(request);
  outgoing.once('close', () => {
    open.delete(request);
    request.close();
    if (!outgoing.writableFinished) request.end('the client is gone');
  });
  try {
    if (hasBody(incoming)) request.body = await readBody(incoming);
    const response = await apiServer.handle(request);
    request.lasts = response.live === true;
    request.afterwards(response.sent);
    // Also while the server closes: what was done is told.
    if (!outgoing.headersSent) await send(await compressed(response, incoming), outgoing, request);
  } catch {
    // The client is gone, or the body broke off: nobody is left to tell.
    outgoing.destroy();
  }
}

const NOTHING = new Uint8Array();

/** HTTP/1.1 says in the head whether a body follows; in HTTP/2 only its end tells. */
function hasBody({ httpVersionMajor, headers }: Incoming): boolean {
  return httpVersionMajor !== 1 || headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

/** Reads the body; past the limit it stops keeping, so that the API server sees it is too large. */
function readBody(incoming: Incoming): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const pieces: Uint8Array[] = [];
    let length = 0;
    let ended = false;
    incoming.on('data', (piece: Uint8Array) => {
      if (length >= REQUEST_BODY_BYTES_MAX) return;
      pieces.push(piece.subarray(0, REQUEST_BODY_BYTES_MAX - length));
      length += Math.min(piece.length, REQUEST_BODY_BYTES_MAX - length);
    });
    incoming.once('end', () => {
      ended = true;
      resolve(pieces.length === 1 ? (pieces[0] ?? NOTHING) : Buffer.concat(pieces));
    });
    incoming.once('error', reject);
    incoming.once('close', () => {
      if (!ended) reject(new Error('the body broke off'));
    });
  });
}

function headersOf(incoming: Incoming): Record<string, string> {
  const headers: Record<string, string> = {};
  let impersonates = false;
  for (const name of Object.keys(incoming.headers)) {
    const value = incoming.headers[name];
    // HTTP/2 has the request line among its headers.
    if (value === undefined || name.startsWith(':')) continue;
    headers[name] = Array.isArray(value) ? value.join(', ') : value;
    impersonates ||= name.startsWith(IMPERSONATION);
  }
  return impersonates ? { ...headers, ...impersonationHeaders(incoming.rawHeaders) } : headers;
}

const IMPERSONATION = 'impersonate-';

/** The values of impersonation headers one a line, since they may hold commas; in UTF-8, as Go reads them. */
function impersonationHeaders(raw: readonly string[]): Readonly<Record<string, string>> {
  const values = new Map<string, string>();
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at]?.toLowerCase() ?? '';
    if (!name.startsWith(IMPERSONATION)) continue;
    const value = Buffer.from(raw[at + 1] ?? '', 'latin1').toString();
    const earlier = values.get(name);
    values.set(name, earlier === undefined ? value : `${earlier}\n${value}`);
  }
  return Object.fromEntries(values);
}

/** Whom a client's certificate names, if anybody, and until when. */
interface Peer {
  readonly user: UserInfo | undefined;
  /** In ms since 1970; over from the beginning where our authority did not sign it. */
  readonly untilMs: number;
}

/** Reading a certificate costs more than answering a request, and a connection keeps its own. By session of HTTP/2, else by socket. */
const peers = new WeakMap<object, { readonly peer: Peer | undefined }>();

function peerOf(incoming: Incoming): Peer | undefined {
  const socket = incoming.socket as TLSSocket;
  const connection = ('stream' in incoming ? incoming.stream.session : undefined) ?? socket;
  const known = peers.get(connection) ?? { peer: readPeer(socket) };
  peers.set(connection, known);
  return known.peer;
}

/** Of a certificate that our authority signed CN is the name of the user, O the groups; undefined where the client showed none. */
function readPeer(socket: TLSSocket): Peer | undefined {
  // Neither is set where there is no connection any more. Node gives null for the certificate once the socket is destroyed.
  const known = socket.authorized || (socket.authorizationError as Error | null | undefined);
  const certificate = known ? (socket.getPeerCertificate() as Partial<PeerCertificate> | null) : null;
  if (certificate?.raw === undefined) return undefined;
  return socket.authorized ? { user: userOf(certificate), untilMs: Date.parse(certificate.valid_to ?? '') } : { user: undefined, untilMs: -Infinity };
}

function userOf({ subject, fingerprint256 = '' }: Partial<PeerCertificate>): UserInfo | undefined {
  // Node types the subject's members as strings, but gives an array where one occurs several times. Go takes the last name.
  const { CN, O } = (subject ?? {}) as { CN?: string | string[]; O?: string | string[] };
  const name = Array.isArray(CN) ? CN.at(-1) : CN;
  if (name === undefined || name === '') return undefined;
  const groups = O === undefined ? [] : Array.isArray(O) ? O : [O];
  const credential = `X509SHA256=${fingerprint256.replaceAll(':', '').toLowerCase()}`;
  return { name, groups, extra: { 'authentication.kubernetes.io/credential-id': [credential] } };
}

const gzipped = promisify(gzip);
/** Upstream: defaultGzipThresholdBytes and defaultGzipContentEncodingLevel of the API server's response writers. */
const GZIP_THRESHOLD_BYTES = 128 * 1024;
const GZIP_LEVEL = 1;

/** A long answer to a read in gzip, for clients that take it. */
async function compressed(response: ServerResponse, { method, headers }: Incoming): Promise<ServerResponse> {
  const { body, live } = response;
  if (method !== 'GET' || live === true || ('length' in body && body.length <= GZIP_THRESHOLD_BYTES)) return response;
  const taken = String(headers['accept-encoding'] ?? '')
    .split(',')
    .some((coding) => coding.trim() === 'gzip');
  if (!taken) return response;
  const coded = { ...response, headers: { ...response.headers, 'content-encoding': 'gzip', vary: 'accept-encoding' } };
  if (body instanceof Uint8Array) return { ...coded, body: await gzipped(body, { level: GZIP_LEVEL }) };
  return { ...coded, body: compose(Readable.from(body), createGzip({ level: GZIP_LEVEL })) };
}

/** A text in UTF-8, one character for each byte as Node wants headers, without the characters that no header may hold: warnings quote what users sent. */
function inHeader(text: string): string {
  return /^[ -~]*$/.test(text) ? text : Buffer.from(text.replaceAll(/\p{Cc}/gu, '')).toString('latin1');
}

/** Writes the answer; waits for the client where it reads slowly, and stops when it is gone. */
async function send(response: ServerResponse, outgoing: Outgoing, request: OpenRequest): Promise<void> {
  const { body } = response;
  const headers: Record<string, string | number> = {};
  for (const name of Object.keys(response.headers)) headers[name] = inHeader(response.headers[name] ?? '');
  if (body instanceof Uint8Array) {
    headers['content-length'] = body.length;
    outgoing.writeHead(response.status, headers);
    return endWith(body, outgoing);
  }
  if (isPieced(body)) {
    outgoing.writeHead(response.status, { ...headers, 'content-length': body.length });
    return sendPieced(body, outgoing);
  }
  outgoing.writeHead(response.status, headers);
  outgoing.flushHeaders();
  if (isLines(body)) return pour(body, outgoing, request);
  for await (const piece of body) {
    if (request.ended) break;
    if (!outgoing.write(piece)) await once(outgoing, 'drain', { signal: request.signal });
  }
  outgoing.end();
}

/** What a stream surely takes without asking to wait (the least highWaterMark). */
const BUFFERED_BYTES = 16 * 1024;

/**
 * Ends the answer with these bytes. The client sends its next request once it has them all; should Node still be writing then, it pauses its parser while
 * decrypted bytes are on their way, and breaks the connection over them (HPE_PAUSED). So the last byte waits until the others are out.
 */
function endWith(bytes: Uint8Array, outgoing: Outgoing): void {
  if (bytes.length <= BUFFERED_BYTES) return outgoing.end(bytes);
  outgoing.write(bytes.subarray(0, -1), () => outgoing.end(bytes.slice(-1)));
}

/** By its method: to ask for its class would load the API server into every client. */
function isLines(body: ServerResponse['body']): body is LineStream {
  return 'pourInto' in body;
}

function isPieced(body: ServerResponse['body']): body is PiecedBody {
  return 'fill' in body && 'whole' in body;
}

/** Sends lines as they come: the parts of a chunk of HTTP/1.1 in one record of TLS, and at once, so that the rounds see what it takes. */
function pour(lines: LineStream, outgoing: Outgoing, request: OpenRequest): void {
  const socket = outgoing instanceof Http2ServerResponse ? undefined : outgoing.socket;
  outgoing.on('drain', () => lines.resume());
  lines.pourInto({
    write: (chunk) => {
      if (request.ended || outgoing.destroyed === true) return false;
      socket?.cork();
      const more = outgoing.write(chunk);
      socket?.uncork();
      return more;
    },
    end: () => outgoing.end(),
  });
}

/**
 * Far more than a stream buffers (its highWaterMark), and enough that what a write costs besides its bytes no longer shows; little enough
 * for the processor's cache, where it stays between being filled and being encrypted.
 */
const PART_BYTES = 1024 * 1024;
/** The buffer of an answer that was sent, for the next one: to make one anew takes as long as to fill it. */
let sparePart: Buffer | undefined;

/** Node copies what goes out together with the head. */
const FIRST_PART_BYTES = 16 * 1024;

/** Sends all parts from one buffer, each when the one before is written; the last byte by itself, see `endWith`. */
function sendPieced(body: PiecedBody, outgoing: Outgoing): void {
  const part = sparePart ?? Buffer.allocUnsafeSlow(PART_BYTES);
  sparePart = undefined;
  let left = body.length;
  const next = (error?: Error | null): void => {
    if (error) {
      outgoing.end();
      return;
    }
    const room = left === body.length ? FIRST_PART_BYTES : PART_BYTES;
    const length = body.fill(part.subarray(0, Math.min(room, left - 1)));
    left -= length;
    if (length > 0) {
      outgoing.write(part.subarray(0, length), next);
      return;
    }
    const last = new Uint8Array(1);
    body.fill(last);
    outgoing.end(last);
    sparePart = part;
  };
  next();
}
