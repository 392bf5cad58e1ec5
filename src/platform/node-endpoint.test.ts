/** Tests of the endpoint that serves the logs of a node. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import type { Node } from '#api';
import { badRequest } from '#machinery';
import { nodeLogReader, serveNodeEndpoint } from './node-endpoint.ts';
import type { KeyPair } from './certificates.ts';
import { CertificateAuthority } from './tls.ts';

type Tls = KeyPair & { readonly caPem: string };

/** An endpoint where every container but "waiting" has said hello, and "talker" a lot. */
async function withEndpoint(run: (port: number, tls: Tls) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'dray-endpoint-'));
  const authority = await CertificateAuthority.open(directory);
  const { caPem } = authority;
  const serving = await authority.issue('node', { commonName: 'system:node:n1', hosts: ['127.0.0.1'] });
  const client = await authority.issue('client', { commonName: 'api server' });
  const endpoint = await serveNodeEndpoint({
    address: '127.0.0.1',
    tls: { ...serving, caPem },
    clientName: 'api server',
    logs: async ({ container, tailLines }) => {
      if (container === 'waiting') throw badRequest('container "waiting" in pod "p" is waiting to start: ContainerCreating');
      return container === 'talker' ? manyPieces() : pieces(`hello ${String(tailLines)}`);
    },
  });
  try {
    await run(endpoint.port, { ...client, caPem });
  } finally {
    await endpoint.close();
    await rm(directory, { recursive: true });
  }
}

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

const PIECE_BYTES = 256 * 1024;
const PIECES = 64;

async function* manyPieces(): AsyncGenerator<Uint8Array> {
  for (let piece = 0; piece < PIECES; piece++) yield new Uint8Array(PIECE_BYTES);
}

/** The request line's path as it is: no client library may mend it. */
function get(port: number, { caPem, certPem, keyPem }: Tls, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, ca: caPem, cert: certPem, key: keyPem, agent: false }, (incoming) => {
      incoming.resume();
      resolve(incoming.statusCode);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

test('paths that cannot be read are refused, and the endpoint lives on', () =>
  withEndpoint(async (port, tls) => {
    assert.equal(await get(port, tls, '/containerLogs/ns/%ZZ/main'), 400);
    assert.equal(await get(port, tls, '/containerLogs/ns/p/main?tailLines=many'), 400);
    for (const path of ['//', '///x', '/%', '/containerLogs', '/containerLogs/ns/p/main/more', '/?%']) assert.equal(await get(port, tls, path), 404, path);
    assert.equal(await get(port, tls, '/containerLogs/ns/p/main?tailLines=3'), 200);
  }));

/** Through the API server's side. */
function read(port: number, tls: Tls, container: string): Promise<AsyncIterable<Uint8Array>> {
  const node: Node = {
    metadata: { name: 'n1' },
    status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: port } } },
  };
  return nodeLogReader(tls)(node, new URLSearchParams({ namespace: 'ns', pod: 'p', container }), AbortSignal.timeout(20_000));
}

test('a long log leaves nothing behind for each of its pieces', () =>
  withEndpoint(async (port, tls) => {
    const warnings: string[] = [];
    const warned = ({ name }: Error): void => void warnings.push(name);
    process.on('warning', warned);
    let bytes = 0;
    for await (const piece of await read(port, tls, 'talker')) bytes += piece.length;
    process.off('warning', warned);
    assert.equal(bytes, PIECES * PIECE_BYTES);
    assert.deepEqual(warnings, []);
  }));

test('the API server passes on what a node says of a container', () =>
  withEndpoint(async (port, tls) => {
    assert.equal(Buffer.concat(await Array.fromAsync(await read(port, tls, 'main'))).toString(), 'hello undefined');
    await assert.rejects(read(port, tls, 'waiting'), { code: 400, message: 'container "waiting" in pod "p" is waiting to start: ContainerCreating' });
  }));

test('no connection becomes that of somebody else by negotiating anew', () =>
  withEndpoint(async (port, { caPem: ca, certPem: cert, keyPem: key }) => {
    const socket = connect({ host: '127.0.0.1', port, ca, cert, key, maxVersion: 'TLSv1.2' });
    await once(socket, 'secureConnect');
    const { promise, resolve } = Promise.withResolvers<string>();
    socket.once('error', () => resolve('refused'));
    socket.renegotiate({}, (error) => resolve(error === null ? 'done' : 'refused'));
    assert.equal(await promise, 'refused');
    socket.destroy();
  }));
