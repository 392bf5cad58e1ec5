/** The client's Transport over HTTPS (or, for test servers, plain HTTP): kept-alive connections, bodies as they arrive. */
import { readFile } from 'node:fs/promises';
import type { Agent, ClientRequest, IncomingMessage, request, RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { dirname, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { asError } from '#base';
import { type KubeConnection, parseKubeconfig, readText, type Transport, type TransportRequest, type TransportResponse } from '#client';

/** Where a server is and how to prove who we are: a client certificate, a bearer token or both. PEM texts. */
export interface HttpsTransportOptions {
  readonly server: string;
  readonly caPem?: string | undefined;
  readonly certPem?: string | undefined;
  readonly keyPem?: string | undefined;
  readonly token?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean | undefined;
  readonly tlsServerName?: string | undefined;
  /** Gives up all requests that are under way when it aborts. */
  readonly end?: AbortSignal | undefined;
}

/** A kubeconfig's server, the certificates by which to know it, and the namespace that its context names. */
export interface KubeconfigConnection {
  readonly transport: Transport;
  readonly caPem: string | undefined;
  readonly namespace: string | undefined;
}

/** Reads a kubeconfig and connects as `context`, by default its current one, says; throws one sentence that names the file. */
export async function connectKubeconfig(
  path: string,
  { context, end }: { context?: string | undefined; end?: AbortSignal | undefined } = {},
): Promise<KubeconfigConnection> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Error(`cannot read the kubeconfig ${path}: ${asError(error).message}`, { cause: error });
  });
  try {
    const connection = await parseKubeconfig(text, context);
    const files = await readFiles(connection, dirname(path));
    return { transport: httpsTransport({ ...connection, ...files, end }), caPem: files.caPem, namespace: connection.namespace };
  } catch (error) {
    throw new Error(`kubeconfig ${path}: ${asError(error).message}`, { cause: error });
  }
}

/** The transport of a kubeconfig's current context, whose requests `end` gives up; throws as connectKubeconfig. */
export async function transportFromKubeconfig(path: string, end?: AbortSignal): Promise<Transport> {
  return (await connectKubeconfig(path, { end })).transport;
}

/** The texts of what the kubeconfig gives as files, relative to its own folder; embedded data win. */
async function readFiles(connection: KubeConnection, folder: string): Promise<Pick<HttpsTransportOptions, 'caPem' | 'certPem' | 'keyPem' | 'token'>> {
  const text = async (embedded: string | undefined, file: string | undefined): Promise<string | undefined> =>
    embedded ?? (file === undefined ? undefined : await readFile(resolve(folder, file), 'utf8'));
  const [caPem, certPem, keyPem, token] = await Promise.all([
    text(connection.caPem, connection.caFile),
    text(connection.certPem, connection.certFile),
    text(connection.keyPem, connection.keyFile),
    text(connection.token, connection.tokenFile),
  ]);
  return { caPem, certPem, keyPem, token: token?.trim() };
}

/** Longer than upstream's API server takes for any answer (--request-timeout); watches, too, are answered at once. */
const ANSWER_TIMEOUT_MS = 75_000;

/**
 * A Transport to one server. Idle connections do not keep the process alive. A request is given up when its answer has not begun
 * after `answerTimeoutMs`: the connection may be dead without anybody having been told.
 */
export function httpsTransport(options: HttpsTransportOptions, answerTimeoutMs = ANSWER_TIMEOUT_MS): Transport {
  const server = URL.parse(options.server);
  if (server === null) throw new Error(`the server "${options.server}" is no URL`);
  const secure = server.protocol === 'https:';
  const base = server.pathname.replace(/\/$/, '');
  const dialing = secure ? Promise.resolve(secureDialer(options)) : plainDialer();
  const { token, end } = options;
  const open = new Set<ClientRequest>();
  end?.addEventListener('abort', () => open.forEach((request) => request.destroy(asError(end.reason))), { once: true });
  return patient(end, async (request, signal) => {
    const { agent, send } = await dialing;
    end?.throwIfAborted();
    return new Promise<TransportResponse>((resolve, reject) => {
      const requestOptions: RequestOptions = {
        agent,
        method: request.method,
        host: server.hostname.replace(/^\[|\]$/g, ''),
        port: server.port === '' ? (secure ? 443 : 80) : server.port,
        path: base + request.path,
        headers: requestHeaders(request, token),
        signal,
      };
      const outgoing = send(requestOptions, (incoming) => {
        clearTimeout(timer);
        resolve(responseOf(incoming));
      });
      const timer = setTimeout(() => outgoing.destroy(new Error(`no answer within ${String(answerTimeoutMs / 1000)} s`)), answerTimeoutMs);
      open.add(outgoing);
      outgoing.on('close', () => {
        clearTimeout(timer);
        open.delete(outgoing);
      });
      outgoing.on('error', (error) => reject(signal.aborted ? asError(signal.reason) : connectionError(server, error)));
      outgoing.end(request.body);
    });
  });
}

/** Upstream: maxRetries of client-go's requests. */
const BUSY_TRIES = 10;

/** A server with too many requests says when to come back; `end` gives up waiting for that, too. */
function patient(end: AbortSignal | undefined, send: Transport): Transport {
  return async (request, signal) => {
    for (let attempt = 1; ; attempt++) {
      const response = await send(request, signal);
      const seconds = Number(response.headers['retry-after'] ?? Number.NaN);
      if (response.status !== 429 || Number.isNaN(seconds) || attempt === BUSY_TRIES) return response;
      await readText(response.body);
      const given = end === undefined ? signal : AbortSignal.any([signal, end]);
      await wait(seconds * 1000, undefined, { signal: given }).catch(() => given.throwIfAborted());
    }
  };
}

interface Dialer {
  readonly agent: Agent;
  readonly send: typeof request;
}

function secureDialer(options: HttpsTransportOptions): Dialer {
  return { agent: new HttpsAgent({ keepAlive: true, ...tlsOptions(options) }), send: httpsRequest };
}

/** Loaded when asked for: importing node:http also loads the whole of fetch, a good part of a start. */
async function plainDialer(): Promise<Dialer> {
  const http = await import('node:http');
  return { agent: new http.Agent({ keepAlive: true }), send: http.request };
}

function tlsOptions(options: HttpsTransportOptions): Record<string, unknown> {
  return {
    ...(options.caPem === undefined ? {} : { ca: options.caPem }),
    ...(options.certPem === undefined ? {} : { cert: options.certPem }),
    ...(options.keyPem === undefined ? {} : { key: options.keyPem }),
    ...(options.tlsServerName === undefined ? {} : { servername: options.tlsServerName }),
    ...(options.insecureSkipTlsVerify === true ? { rejectUnauthorized: false } : {}),
  };
}

function requestHeaders(request: TransportRequest, token: string | undefined): Record<string, string> {
  const headers: Record<string, string> = { ...request.headers };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  if (request.body !== undefined) headers['content-length'] = String(Buffer.byteLength(request.body));
  return headers;
}

function responseOf(incoming: IncomingMessage): TransportResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) headers[name] = Array.isArray(value) ? value.join(', ') : (value ?? '');
  return { status: incoming.statusCode ?? 0, headers, body: incoming };
}

/** What went wrong, with the address: Node's own text names neither when several addresses were tried. */
function connectionError(server: URL, error: Error & { code?: string }): Error {
  const what = error.message === '' ? (error.code ?? 'connection failed') : error.message;
  return Object.assign(new Error(`${server.origin}: ${what}`, { cause: error }), { code: error.code });
}
