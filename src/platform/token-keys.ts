/** The keys of service account tokens, kept in a file and read when the first token is signed or shown. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TokenKeys } from '#apiserver';
import { isJsonObject, type JsonObject, parseJson } from '#machinery';

const ALGORITHM = 'ES256';
/** Verified tokens are remembered: a client shows the same one with every request. */
const REMEMBERED_TOKENS = 1_000;

interface Keys {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JsonObject;
  readonly kid: string;
}

/** ES256 keys in `directory`/sa.key (PKCS 8). */
export class FileTokenKeys implements TokenKeys {
  readonly #directory: string;
  readonly #verified = new Map<string, JsonObject>();
  #keys: Promise<Keys> | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async sign(claims: JsonObject): Promise<string> {
    const [{ SignJWT }, { privateKey, kid }] = await Promise.all([import('jose'), this.#load()]);
    return new SignJWT({ ...claims }).setProtectedHeader({ alg: ALGORITHM, kid }).sign(privateKey);
  }

  async verify(token: string): Promise<JsonObject | undefined> {
    const known = this.#verified.get(token);
    if (known !== undefined) return known;
    const [{ compactVerify }, { publicKey }] = await Promise.all([import('jose'), this.#load()]);
    try {
      const { payload } = await compactVerify(token, publicKey, { algorithms: [ALGORITHM] });
      const claims = parseJson(new TextDecoder().decode(payload));
      if (!isJsonObject(claims)) return undefined;
      this.#remember(token, claims);
      return claims;
    } catch {
      // No token, or not signed with this key.
      return undefined;
    }
  }

  async publicKeys(): Promise<JsonObject> {
    const { jwk, kid } = await this.#load();
    return { keys: [{ ...jwk, kid, alg: ALGORITHM, use: 'sig' }] };
  }

  #remember(token: string, claims: JsonObject): void {
    if (this.#verified.size >= REMEMBERED_TOKENS) this.#verified.clear();
    this.#verified.set(token, claims);
  }

  #load(): Promise<Keys> {
    this.#keys ??= this.#read().catch((thrown: unknown) => {
      this.#keys = undefined;
      throw thrown;
    });
    return this.#keys;
  }

  async #read(): Promise<Keys> {
    const { calculateJwkThumbprint, exportJWK, importJWK, importPKCS8 } = await import('jose');
    const privateKey = await importPKCS8((await this.#stored()) ?? (await this.#generate()), ALGORITHM, { extractable: true });
    const { d: _private, ...jwk } = await exportJWK(privateKey);
    const publicKey = await importJWK(jwk, ALGORITHM);
    if (publicKey instanceof Uint8Array) throw new Error(`${this.#path} is not a key pair`);
    // What is left of an EC key is its type, curve and point: texts.
    return { privateKey, publicKey, jwk: { ...jwk } as JsonObject, kid: await calculateJwkThumbprint(jwk) };
  }

  get #path(): string {
    return join(this.#directory, 'sa.key');
  }

  async #stored(): Promise<string | undefined> {
    try {
      return await readFile(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #generate(): Promise<string> {
    const { exportPKCS8, generateKeyPair } = await import('jose');
    const pem = await exportPKCS8((await generateKeyPair(ALGORITHM, { extractable: true })).privateKey);
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await writeFile(`${this.#path}.new`, pem, { mode: 0o600 });
    await rename(`${this.#path}.new`, this.#path);
    return pem;
  }
}
