/** The one call that goes from the API server to a node: container logs, over mutual TLS as to a kubelet. */
import { constants } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpsRequest } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ApiServerOptions } from '#apiserver';
import { asError } from '#base';
import { ApiError, badRequest, internalError, notFound } from '#machinery';
import type { LogRequest, NodeAgent } from '#nodeagent';
import type { KeyPair } from './certificates.ts';

/** Upstream's kubelet route: /containerLogs/NAMESPACE/POD/CONTAINER. */
const LOGS_PATH = /^\/containerLogs\/([^/]+)\/([^/]+)\/([^/]+)$/;

/** What a node serves logs with; port 0 takes a free one. */
export interface NodeEndpointOptions {
  readonly address: string;
  readonly tls: KeyPair & { readonly caPem: string };
  /** Common name of the only client that is answered. */
  readonly clientName: string;
  readonly logs: NodeAgent['logs'];
}

/** A listening endpoint; its port belongs into node.status.daemonEndpoints. */
export interface NodeEndpoint {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens for the API server. */
export async function serveNodeEndpoint(options: NodeEndpointOptions): Promise<NodeEndpoint> {
  const { tls, address } = options;
  const { certPem: cert, keyPem: key, caPem: ca } = tls;
  // A client shows one certificate: over TLS 1.2 it could else negotiate anew with another.
  const secureOptions = constants.SSL_OP_NO_RENEGOTIATION;
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true, secureOptions }, (request, response) => {
    void answer(request, response, options);
  });
  server.listen(0, address);
  await once(server, 'listening');
  // An IP server's address is never a string (that is a pipe's).
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { port, close };
}

async function answer(request: IncomingMessage, response: ServerResponse, { clientName, logs }: NodeEndpointOptions): Promise<void> {
  const socket = request.socket as TLSSocket;
  if (socket.getPeerCertificate().subject?.CN !== clientName) return refuse(response, 403, 'Forbidden');
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the reader of the log is gone')));
  try {
    const pieces = await logs({ ...parseLogRequest(request.url ?? '/'), signal: gone.signal });
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.flushHeaders();
    for await (const piece of pieces) {
      if (response.destroyed) break;
      if (!response.write(piece)) await once(response, 'drain', { signal: gone.signal });
    }
    response.end();
  } catch (error) {
    if (response.headersSent) response.destroy();
    else refuse(response, error instanceof ApiError ? error.code : 500, asError(error).message);
  }
}

/** Throws an ApiError: 404 for another path, 400 for one that cannot be read. */
function parseLogRequest(pathWithQuery: string): LogRequest {
  const mark = pathWithQuery.indexOf('?');
  const query = new URLSearchParams(mark < 0 ? '' : pathWithQuery.slice(mark + 1));
  const [, namespace, pod, container] = LOGS_PATH.exec(mark < 0 ? pathWithQuery : pathWithQuery.slice(0, mark))?.map(decoded) ?? [];
  if (namespace === undefined || pod === undefined || container === undefined) throw notFound({ group: '', resource: '' }, pathWithQuery);
  const lines = query.get('tailLines');
  if (lines !== null && !/^\d{1,15}$/.test(lines)) throw badRequest(`tailLines: ${JSON.stringify(lines)} is no number of lines`);
  return { namespace, pod, container, follow: query.get('follow') === 'true', ...(lines === null ? {} : { tailLines: Number(lines) }) };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw badRequest(`the path segment ${JSON.stringify(segment)} is not percent-encoded`);
  }
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' });
  response.end(text);
}

/** The API server's side: fetches a container's log from the node that the Node object describes. */
export function nodeLogReader(tls: KeyPair & { readonly caPem: string }): NonNullable<ApiServerOptions['podLogs']> {
  return (node, query, signal) =>
    new Promise((resolve, reject) => {
      const name = node.metadata.name ?? '';
      const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port;
      const host = node.status?.addresses?.find((address) => address.type === 'InternalIP')?.address;
      if (port === undefined || host === undefined) return reject(internalError(`node ${name} reports no endpoint for logs`));
      const part = (key: string): string => encodeURIComponent(query.get(key) ?? '');
      const path = `/containerLogs/${part('namespace')}/${part('pod')}/${part('container')}?${query.toString()}`;
      const outgoing = httpsRequest({ host, port, path, ca: tls.caPem, cert: tls.certPem, key: tls.keyPem, agent: false, signal }, (incoming) => {
        if (incoming.statusCode === 200) return resolve(incoming);
        readText(incoming).then((text) => reject(refusalOf(incoming.statusCode, name, text)), reject);
      });
      outgoing.on('error', (error) => reject(internalError(`Get "https://${host}:${String(port)}${path}": ${error.message}`)));
      outgoing.end();
    });
}

/** Upstream: GenericHttpResponseChecker. What the node says of the request is told as it said it. */
function refusalOf(code: number | undefined, node: string, text: string): Error {
  return code === 400 ? badRequest(text) : internalError(`node ${node}: ${text}`);
}

async function readText(incoming: IncomingMessage): Promise<string> {
  return Buffer.concat(await Array.fromAsync(incoming)).toString();
}
