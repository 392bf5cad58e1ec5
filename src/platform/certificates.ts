/** Makes key pairs and signs certificates. */
import { webcrypto } from 'node:crypto';
import type * as X509 from '@peculiar/x509';
import { installReflectMetadata } from './reflect-metadata.ts';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** What a certificate is asked to say. */
export interface CertificateRequest {
  /** Common name: for a client the user name. */
  readonly commonName: string;
  /** Organisations: for a client its groups. */
  readonly organizations?: readonly string[] | undefined;
  /** Names and addresses a server answers to; a client has none. */
  readonly hosts?: readonly string[] | undefined;
}

/** Under which name an authority is kept. */
export const AUTHORITY = 'ca';
/** How it calls itself. */
export const AUTHORITY_NAME = 'dray-ca';

const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 24 * 60 * 60 * 1000;
/** As kubeadm: authority ten years. The leaves live as long, since nothing here rotates them. */
const VALIDITY_MS = 3650 * DAY_MS;
/** A clock a little behind the one that signed must not refuse the certificate. */
const BACKDATE_MS = 60 * 60 * 1000;
const IP_ADDRESS = /^[\d.]+$|:/;

/** Stands above the certificate of a server for each of its hosts. Text between PEM blocks is commentary; it spares parsing the certificate to learn its hosts. */
export function hostComment(host: string): string {
  return `# host ${host}\n`;
}

/** Loaded only when something is to be signed: most starts find everything on disk. */
async function x509(): Promise<typeof X509> {
  installReflectMetadata();
  const library = await import('@peculiar/x509');
  library.cryptoProvider.set(webcrypto);
  return library;
}

/** A new authority of this name. */
export async function selfSigned(commonName: string): Promise<KeyPair> {
  const { X509CertificateGenerator, BasicConstraintsExtension, KeyUsagesExtension, KeyUsageFlags, SubjectKeyIdentifierExtension } = await x509();
  const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    ...validity(),
    signingAlgorithm: KEY_ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certPem: `${certificate.toString('pem')}\n`, keyPem: await privateKeyPem(keys.privateKey) };
}

/** A new key pair that `authority` vouches for. */
export async function signedBy(authority: KeyPair, request: CertificateRequest): Promise<KeyPair> {
  const library = await x509();
  const issuer = new library.X509Certificate(authority.certPem);
  const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
  const certificate = await library.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    issuer: issuer.subject,
    subject: [...(request.organizations ?? []).map((organization) => ({ O: [organization] })), { CN: [request.commonName] }],
    ...validity(),
    signingAlgorithm: KEY_ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: await importPrivateKey(authority.keyPem),
    extensions: await leafExtensions(request, issuer),
  });
  const comments = (request.hosts ?? []).map(hostComment).join('');
  return { certPem: `${comments}${certificate.toString('pem')}\n`, keyPem: await privateKeyPem(keys.privateKey) };
}

async function leafExtensions(request: CertificateRequest, issuer: X509.X509Certificate): Promise<X509.Extension[]> {
  const library = await x509();
  const { ExtendedKeyUsage, KeyUsageFlags } = library;
  const usages = request.hosts === undefined ? [ExtendedKeyUsage.clientAuth] : [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth];
  const extensions: X509.Extension[] = [
    new library.BasicConstraintsExtension(false, undefined, true),
    new library.KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new library.ExtendedKeyUsageExtension(usages),
    await library.AuthorityKeyIdentifierExtension.create(issuer),
  ];
  const names = (request.hosts ?? []).map((host) => ({ type: IP_ADDRESS.test(host) ? ('ip' as const) : ('dns' as const), value: host }));
  if (names.length > 0) extensions.push(new library.SubjectAlternativeNameExtension(names));
  return extensions;
}

function validity(): { notBefore: Date; notAfter: Date } {
  const nowMs = Date.now();
  return { notBefore: new Date(nowMs - BACKDATE_MS), notAfter: new Date(nowMs + VALIDITY_MS) };
}

/** Sixteen random bytes, positive as RFC 5280 4.1.2.2 wants. */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END PRIVATE KEY-----\n`;
}

function importPrivateKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return webcrypto.subtle.importKey('pkcs8', der, KEY_ALGORITHM, true, ['sign']);
}
