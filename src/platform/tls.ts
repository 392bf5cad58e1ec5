/** The cluster's certificates: one authority, and what it signs for the server, the administrator and the components. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CertificateRequest, hostComment, type KeyPair, selfSigned, signedBy } from './certificates.ts';

/** Under which name an authority is kept, and how it calls itself. */
const [AUTHORITY, AUTHORITY_NAME] = ['ca', 'dray-ca'];

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

  /** Opens the authority kept in `directory`; on the first use it makes one. */
  static async open(directory: string): Promise<CertificateAuthority> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const kept = await readPair(directory, AUTHORITY);
    if (kept !== undefined) return new CertificateAuthority(directory, kept);
    const pair = selfSigned(AUTHORITY_NAME);
    await writePair(directory, AUTHORITY, pair);
    return new CertificateAuthority(directory, pair);
  }

  /** The pair kept as `name`, or a new one that says what `request` asks. */
  async issue(name: string, request: CertificateRequest): Promise<KeyPair> {
    const kept = await readPair(this.#directory, name);
    if (kept !== undefined && isFor(kept, request)) return kept;
    const pair = signedBy({ certPem: this.caPem, keyPem: this.#keyPem }, request);
    await writePair(this.#directory, name, pair);
    return pair;
  }
}

/** A kept server certificate serves only while it names every host that is asked for. */
function isFor(kept: KeyPair, request: CertificateRequest): boolean {
  if (request.hosts === undefined) return true;
  return request.hosts.every((host) => kept.certPem.includes(hostComment(host)));
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
