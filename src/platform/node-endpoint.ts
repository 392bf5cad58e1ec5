/** The one call that goes from the API server to a node: container logs, over mutual TLS as to a kubelet. */
import { once } from 'node:events';
import { createServer, request as httpsRequest } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ApiServerOptions } from '#apiserver';
import { asError } from '#base';
import { internalError } from '#machinery';
import type { NodeAgent } from '#nodeagent';
import type { KeyPair } from './tls.ts';

/** The name in the API server's client certificate; nobody else may read logs from a node directly. */
export const APISERVER_CLIENT_NAME = 'kube-apiserver-kubelet-client';
/** Upstream's kubelet route: /containerLogs/NAMESPACE/POD/CONTAINER. */
const LOGS_PATH = /^\/containerLogs\/([^/]+)\/([^/]+)\/([^/]+)$/;

/** What a node serves logs with; port 0 takes a free one. */
export interface NodeEndpointOptions {
  readonly address: string;
  readonly tls: KeyPair & { readonly caPem: string };
  readonly logs: NodeAgent['logs'];
}

/** A listening endpoint; its port belongs into node.status.daemonEndpoints. */
export interface NodeEndpoint {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens for the API server. */
export async function serveNodeEndpoint(options: NodeEndpointOptions): Promise<NodeEndpoint> {
  const { tls, address, logs } = options;
  const server = createServer({ cert: tls.certPem, key: tls.keyPem, ca: tls.caPem, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    void answer(request, response, logs);
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

async function answer(request: IncomingMessage, response: ServerResponse, logs: NodeEndpointOptions['logs']): Promise<void> {
  const socket = request.socket as TLSSocket;
  if (socket.getPeerCertificate().subject?.CN !== APISERVER_CLIENT_NAME) return refuse(response, 403, 'Forbidden');
  const url = new URL(request.url ?? '/', 'https://node');
  const [, namespace, pod, container] = LOGS_PATH.exec(url.pathname)?.map(decodeURIComponent) ?? [];
  if (namespace === undefined || pod === undefined || container === undefined) return refuse(response, 404, '404 page not found');
  const tailLines = url.searchParams.get('tailLines');
  const follow = url.searchParams.get('follow') === 'true';
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the reader of the log is gone')));
  try {
    const pieces = await logs({ namespace, pod, container, follow, signal: gone.signal, ...(tailLines === null ? {} : { tailLines: Number(tailLines) }) });
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.flushHeaders();
    for await (const piece of pieces) {
      if (response.destroyed) break;
      if (!response.write(piece)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
    response.end();
  } catch (error) {
    if (response.headersSent) response.destroy();
    else refuse(response, 404, asError(error).message);
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
        readText(incoming).then((text) => reject(internalError(`node ${name}: ${text}`)), reject);
      });
      outgoing.on('error', (error) => reject(internalError(`Get "https://${host}:${String(port)}${path}": ${error.message}`)));
      outgoing.end();
    });
}

async function readText(incoming: IncomingMessage): Promise<string> {
  return Buffer.concat(await Array.fromAsync(incoming)).toString();
}
