/** Certificates made here are accepted by Node's own TLS on both sides, and only with the right authority. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { httpsTransport } from './https-transport.ts';
import type { KeyPair } from './certificates.ts';
import { CertificateAuthority } from './tls.ts';

async function scratch(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'dray-tls-'));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(body)).toString();
}

test('a client certificate carries user and groups through a mutual TLS handshake', () =>
  scratch(async (directory) => {
    const authority = await CertificateAuthority.open(directory);
    const serving = await authority.issue('apiserver', { commonName: 'kube-apiserver', hosts: ['127.0.0.1', 'localhost'] });
    const admin = await authority.issue('admin', { commonName: 'kubernetes-admin', organizations: ['system:masters'] });
    const server = createServer(
      { cert: serving.certPem, key: serving.keyPem, ca: authority.caPem, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        const socket = request.socket as TLSSocket;
        const subject = socket.getPeerCertificate().subject;
        response.end(`${String(socket.authorized)} ${String(subject?.CN)} ${String(subject?.O)}`);
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    try {
      const request = { method: 'GET', path: '/', headers: {} } as const;
      const signal = new AbortController().signal;
      const known = await httpsTransport({ server: url, caPem: authority.caPem, ...admin })(request, signal);
      assert.equal(await text(known.body), 'true kubernetes-admin system:masters');
      await assert.rejects(async () => httpsTransport({ server: url })(request, signal), /certificate/);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }));

test('what was issued is read back, and a server certificate is renewed for a new host', () =>
  scratch(async (directory) => {
    const first = await CertificateAuthority.open(directory);
    const pair = await first.issue('apiserver', { commonName: 'kube-apiserver', hosts: ['127.0.0.1'] });
    const again = await CertificateAuthority.open(directory);
    assert.equal(again.caPem, first.caPem);
    assert.deepEqual(await again.issue('apiserver', { commonName: 'kube-apiserver', hosts: ['127.0.0.1'] }), pair);
    const wider = await again.issue('apiserver', { commonName: 'kube-apiserver', hosts: ['127.0.0.1', '192.0.2.7'] });
    assert.match(new X509Certificate(wider.certPem).subjectAltName ?? '', /192\.0\.2\.7/);
    assert.equal(await readFile(join(directory, 'apiserver.crt'), 'utf8'), wider.certPem);
  }));

test('what was made elsewhere for a new directory is kept, and asked for no more once there is an authority', () =>
  scratch(async (directory) => {
    const made = await CertificateAuthority.open(join(directory, 'elsewhere'));
    const admin = await made.issue('admin', { commonName: 'admin' });
    const ca = { certPem: made.caPem, keyPem: await readFile(join(directory, 'elsewhere', 'ca.key'), 'utf8') };
    const asked: string[] = [];
    const pairs = (name: string): Promise<KeyPair> | undefined => {
      asked.push(name);
      return { ca: Promise.resolve(ca), admin: Promise.resolve(admin) }[name];
    };
    const folder = join(directory, 'new');
    const authority = await CertificateAuthority.open(folder, pairs);
    assert.equal(authority.caPem, made.caPem);
    assert.deepEqual(await authority.issue('admin', { commonName: 'admin' }), admin);
    const other = await authority.issue('other', { commonName: 'other' });
    assert.equal(new X509Certificate(other.certPem).verify(new X509Certificate(made.caPem).publicKey), true, 'signed by the same authority');
    assert.deepEqual(asked, ['ca', 'admin', 'other']);
    const again = await CertificateAuthority.open(folder, pairs);
    assert.deepEqual(await again.issue('admin', { commonName: 'admin' }), admin);
    await again.issue('later', { commonName: 'later' });
    assert.deepEqual(asked, ['ca', 'admin', 'other']);
  }));
