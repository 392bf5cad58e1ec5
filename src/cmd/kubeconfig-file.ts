/** Writes kubeconfig files for the cluster that `dray` serves. */
import { rename, writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { asError } from '#base';
import type { KeyPair } from '#platform';

/** Writes a kubeconfig in one step: readers see the old file or the whole new one. Only the owner may read it. */
export async function writeKubeconfig(
  path: string,
  { server, caPem, user, credentials }: { server: string; caPem: string; user: string; credentials: KeyPair | { readonly token: string } },
): Promise<void> {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const shown =
    'token' in credentials
      ? { token: credentials.token }
      : { 'client-certificate-data': base64(credentials.certPem), 'client-key-data': base64(credentials.keyPem) };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'dray', cluster: { server, 'certificate-authority-data': base64(caPem) } }],
    users: [{ name: user, user: shown }],
    contexts: [{ name: 'dray', context: { cluster: 'dray', user } }],
    'current-context': 'dray',
  };
  try {
    await writeFile(`${path}.new`, stringify(config), { mode: 0o600 });
    await rename(`${path}.new`, path);
  } catch (error) {
    throw new Error(`cannot write the kubeconfig ${path}: ${asError(error).message}`, { cause: error });
  }
}
