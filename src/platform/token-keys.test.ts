/** Keys of service account tokens on disk. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FileTokenKeys } from './token-keys.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'dray-token-keys-'));
after(() => rmSync(ROOT, { recursive: true }));
const directory = (): string => mkdtempSync(join(ROOT, 'keys-'));

test('a token is believed by who has the key, also after a restart, and by nobody else', async () => {
  const path = directory();
  const token = await new FileTokenKeys(path).sign({ sub: 'a' });
  assert.deepEqual(await new FileTokenKeys(path).verify(token), { sub: 'a' });
  assert.equal(await new FileTokenKeys(directory()).verify(token), undefined);
  assert.equal(await new FileTokenKeys(path).verify(`${token}x`), undefined);
  assert.equal(await new FileTokenKeys(path).verify('no token'), undefined);
});

test('the public keys name the key of a token and hold nothing private', async () => {
  const keys = new FileTokenKeys(directory());
  const { keys: shown } = (await keys.publicKeys()) as { readonly keys: readonly Record<string, unknown>[] };
  const header = JSON.parse(Buffer.from((await keys.sign({})).split('.')[0] ?? '', 'base64url').toString()) as { readonly kid: string };
  assert.equal(shown[0]?.['kid'], header.kid);
  assert.equal(shown[0]?.['d'], undefined);
});
