/** Writes kubeconfig files for the cluster that `dray` serves. */
import { rename, writeFile } from 'node:fs/promises';
import { asError } from '#base';
import type { KeyPair } from '#platform';

/** Where the server is, why to believe it, and who one is to it. */
export interface KubeconfigContent {
  readonly server: string;
  readonly caPem: string;
  readonly user: string;
  readonly credentials: KeyPair | { readonly token: string };
}

/** Writes a kubeconfig in one step: readers see the old file or the whole new one. Only the owner may read it. */
export async function writeKubeconfig(path: string, content: KubeconfigContent): Promise<void> {
  try {
    await writeFile(`${path}.new`, textOf(content), { mode: 0o600 });
    await rename(`${path}.new`, path);
  } catch (error) {
    throw new Error(`cannot write the kubeconfig ${path}: ${asError(error).message}`, { cause: error });
  }
}

/** YAML without its library, which the start of a cluster would wait for: all values are names, URLs and base64, which need no quotes. */
function textOf({ server, caPem, user, credentials }: KubeconfigContent): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const shown =
    'token' in credentials
      ? [`token: ${credentials.token}`]
      : [`client-certificate-data: ${base64(credentials.certPem)}`, `client-key-data: ${base64(credentials.keyPem)}`];
  return `apiVersion: v1
kind: Config
clusters:
  - name: dray
    cluster:
      server: ${server}
      certificate-authority-data: ${base64(caPem)}
users:
  - name: ${user}
    user:
      ${shown.join('\n      ')}
contexts:
  - name: dray
    context:
      cluster: dray
      user: ${user}
current-context: dray
`;
}
