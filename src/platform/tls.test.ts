/** Certificates made here are accepted by Node's own TLS on both sides, and only with the right authority. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { httpsTransport } from './https-transport.ts';
import { selfSigned, signedBy } from './certificates.ts';
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

test('certificates say what upstream tools look for', () =>
  scratch(async (directory) => {
    const authority = await CertificateAuthority.open(directory);
    const ca = new X509Certificate(authority.caPem);
    const hosts = ['127.0.0.1', 'localhost', '::1', '2001:db8::7:0', '::ffff:192.0.2.7', 'node-1'];
    const server = new X509Certificate((await authority.issue('apiserver', { commonName: 'kube-apiserver', hosts })).certPem);
    const client = new X509Certificate((await authority.issue('admin', { commonName: 'Jürgen', organizations: ['system:masters', 'b'] })).certPem);

    assert.equal(ca.ca, true);
    assert.equal(ca.verify(ca.publicKey), true);
    for (const certificate of [server, client]) {
      assert.equal(certificate.ca, false);
      assert.equal(certificate.checkIssued(ca), true, 'names, key identifiers and key usage fit');
      assert.equal(certificate.verify(ca.publicKey), true);
      assert.ok(certificate.validFromDate.getTime() < Date.now(), 'a clock that is behind believes it');
    }
    assert.deepEqual([server.keyUsage, client.keyUsage], [['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'], ['1.3.6.1.5.5.7.3.2']]);
    assert.equal(client.subject, 'O=system:masters\nO=b\nCN=Jürgen');
    assert.equal(client.subjectAltName, undefined);
    for (const host of hosts) assert.ok(isIP(host) === 0 ? server.checkHost(host) : server.checkIP(host), host);
    assert.equal(server.checkIP('2001:db8::7'), undefined);
    assert.notEqual(server.serialNumber, client.serialNumber);
  }));

test('a directory whose authority names itself otherwise goes on with it', () =>
  scratch(async (directory) => {
    const foreign = selfSigned('Jürgen’s authority');
    await writeFile(join(directory, 'ca.crt'), foreign.certPem);
    await writeFile(join(directory, 'ca.key'), foreign.keyPem);
    const authority = await CertificateAuthority.open(directory);
    assert.equal(authority.caPem, foreign.certPem);
    const admin = new X509Certificate((await authority.issue('admin', { commonName: 'admin' })).certPem);
    assert.equal(admin.checkIssued(new X509Certificate(foreign.certPem)), true);
  }));

test('a directory of an earlier release goes on with its authority', () =>
  scratch(async (directory) => {
    await writeFile(join(directory, 'ca.crt'), EARLIER.certPem);
    await writeFile(join(directory, 'ca.key'), EARLIER.keyPem);
    const authority = await CertificateAuthority.open(directory);
    const admin = new X509Certificate((await authority.issue('admin', { commonName: 'admin' })).certPem);
    const ca = new X509Certificate(EARLIER.certPem);
    assert.equal(admin.checkIssued(ca), true);
    assert.equal(admin.verify(ca.publicKey), true);
  }));

test('an authority whose key is for another kind of signature is refused in words', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const authority = { certPem: selfSigned('ca').certPem, keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  assert.throws(() => signedBy(authority, { commonName: 'admin' }), /^Error: the key of the certificate authority is of another kind than ECDSA$/);
});

/** As dray 0.1 made them with a library; it guards nothing. */
const EARLIER = {
  certPem: `-----BEGIN CERTIFICATE-----
MIIBZTCCAQqgAwIBAgIQcAdzYUBtrY7G8SIgj/AHMzAKBggqhkjOPQQDAjASMRAw
DgYDVQQDEwdkcmF5LWNhMB4XDTI2MTEyMTIxMjIxN1oXDTM2MTExODIyMjIxN1ow
EjEQMA4GA1UEAxMHZHJheS1jYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABF5d
hK/XfUmBSnZXyBMnPTFy19wM31/xeOCrNFugMvnSEs/sW5af7fMbEvXVfSPppyII
NsIg7tIDKl6ZQxUKOsGjQjBAMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQD
AgGGMB0GA1UdDgQWBBQ/ZczaWg/G2/H2gKsDBFQZSqxqSjAKBggqhkjOPQQDAgNJ
ADBGAiEA+fUNSdePJc6oRe1dBv2HmA7jbRT5xp4QqvByCbPIQo0CIQDHoe3fG5Pr
He+SWD5PPasbm+aA3t7xacPOulX93E4tEA==
-----END CERTIFICATE-----
`,
  keyPem: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgIHH3HF1bHE7whJoL
jy/ZtVgKKw5zEQocc8muHXwrbtyhRANCAAReXYSv131JgUp2V8gTJz0xctfcDN9f
8XjgqzRboDL50hLP7FuWn+3zGxL11X0j6aciCDbCIO7SAypemUMVCjrB
-----END PRIVATE KEY-----
`,
};
