/** The cluster's certificates: one authority, and what it signs for the server, the administrator and the components. */
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 24 * 60 * 60 * 1000;
/** As kubeadm: authority ten years. The leaves live as long, since nothing here rotates them. */
const VALIDITY_MS = 3650 * DAY_MS;
/** A clock a little behind the one that signed must not refuse the certificate. */
const BACKDATE_MS = 60 * 60 * 1000;
const IP_ADDRESS = /^[\d.]+$|:/;

/** The certificate authority of one data directory; what it signed before is read back, never made twice. */
export class CertificateAuthority {
  readonly caPem: string;
  readonly #keyPem: string;
  readonly #directory: string;

  private constructor(directory: string, pair: KeyPair) {
    this.#directory = directory;
    this.caPem = pair.certPem;
    this.#keyPem = pair.keyPem;
  }

  /** Opens the authority kept in `directory`, making it on the first use. */
  static async open(directory: string): Promise<CertificateAuthority> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const kept = await readPair(directory, 'ca');
    if (kept !== undefined) return new CertificateAuthority(directory, kept);
    const made = await selfSigned('dray-ca');
    await writePair(directory, 'ca', made);
    return new CertificateAuthority(directory, made);
  }

  /** The pair kept as `name`, or a new one that says what `request` asks. */
  async issue(name: string, request: CertificateRequest): Promise<KeyPair> {
    const kept = await readPair(this.#directory, name);
    if (kept !== undefined && isFor(kept, request)) return kept;
    const made = await signedBy({ certPem: this.caPem, keyPem: this.#keyPem }, request);
    await writePair(this.#directory, name, made);
    return made;
  }
}

/** A kept server certificate serves only while it names every host that is asked for. */
function isFor(kept: KeyPair, request: CertificateRequest): boolean {
  if (request.hosts === undefined) return true;
  return request.hosts.every((host) => kept.certPem.includes(hostComment(host)));
}

/** Text between PEM blocks is commentary; it spares parsing the certificate to learn its hosts. */
function hostComment(host: string): string {
  return `# host ${host}\n`;
}

async function readPair(directory: string, name: string): Promise<KeyPair | undefined> {
  let pair: KeyPair;
  try {
    const [certPem, keyPem] = await Promise.all([readFile(join(directory, `${name}.crt`), 'utf8'), readFile(join(directory, `${name}.key`), 'utf8')]);
    pair = { certPem, keyPem };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  if (!isWhole(pair))
    throw new Error(`the certificate ${join(directory, name)}.crt or its key is damaged; remove the folder ${directory} to have new ones made`);
  return pair;
}

function isWhole({ certPem, keyPem }: KeyPair): boolean {
  try {
    return new X509Certificate(certPem).checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
}

/** The key goes first: a certificate without its key would be read back as absent, the other way round as well. */
async function writePair(directory: string, name: string, pair: KeyPair): Promise<void> {
  await writeWhole(join(directory, `${name}.key`), pair.keyPem);
  await writeWhole(join(directory, `${name}.crt`), pair.certPem);
}

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Loaded only when something is to be signed: most starts find everything on disk. */
async function x509(): Promise<typeof X509> {
  installReflectMetadata();
  const library = await import('@peculiar/x509');
  library.cryptoProvider.set(webcrypto);
  return library;
}

async function selfSigned(commonName: string): Promise<KeyPair> {
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

async function signedBy(authority: KeyPair, request: CertificateRequest): Promise<KeyPair> {
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
