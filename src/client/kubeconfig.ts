/** Reads a kubeconfig file: which server the current context names and how to prove who one is. */

/** What is needed to reach a server. PEM texts are decoded; `*File` are paths as the file gives them, relative to it. */
export interface KubeConnection {
  readonly server: string;
  readonly context: string;
  readonly namespace?: string | undefined;
  readonly caPem?: string | undefined;
  readonly caFile?: string | undefined;
  readonly certPem?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyPem?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly tlsServerName?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean | undefined;
}

/** A kubeconfig that cannot be used; the message is one sentence for the user. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

type Fields = Readonly<Record<string, unknown>>;

/** The connection of `context`, by default the file's current-context. Rejects with KubeconfigError. */
export async function parseKubeconfig(text: string, context?: string): Promise<KubeConnection> {
  const config = fieldsOf(await parseYaml(text), 'The kubeconfig is not a YAML mapping.');
  const name = context ?? textAt(config, 'current-context');
  if (name === undefined) throw new KubeconfigError('The kubeconfig names no current-context.');
  const chosen = entry(config, ['contexts', 'context'], name);
  const clusterName = required(chosen, 'cluster', `Context "${name}" of the kubeconfig names no cluster.`);
  const cluster = entry(config, ['clusters', 'cluster'], clusterName);
  const userName = textAt(chosen, 'user');
  const user = userName === undefined ? {} : entry(config, ['users', 'user'], userName);
  return {
    server: required(cluster, 'server', `Cluster "${clusterName}" of the kubeconfig names no server.`),
    context: name,
    namespace: textAt(chosen, 'namespace'),
    ...trustOf(cluster),
    ...identityOf(user, userName ?? ''),
  };
}

function trustOf(cluster: Fields): Partial<KubeConnection> {
  return {
    caPem: pemAt(cluster, 'certificate-authority-data'),
    caFile: textAt(cluster, 'certificate-authority'),
    tlsServerName: textAt(cluster, 'tls-server-name'),
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'] === true,
  };
}

function identityOf(user: Fields, name: string): Partial<KubeConnection> {
  if (user['exec'] !== undefined)
    throw new KubeconfigError(`User "${name}" of the kubeconfig needs an exec plugin, which is not supported: use a token or a certificate.`);
  if (user['auth-provider'] !== undefined)
    throw new KubeconfigError(`User "${name}" of the kubeconfig uses an auth-provider, which is not supported: use a token or a certificate.`);
  return {
    certPem: pemAt(user, 'client-certificate-data'),
    certFile: textAt(user, 'client-certificate'),
    keyPem: pemAt(user, 'client-key-data'),
    keyFile: textAt(user, 'client-key'),
    token: textAt(user, 'token'),
    tokenFile: textAt(user, 'tokenFile'),
  };
}

async function parseYaml(text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    return parse(text);
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '').replace(/:$/, '') : String(error);
    throw new KubeconfigError(`The kubeconfig is not valid YAML: ${reason}.`);
  }
}

/** The entry of a named list, e.g. clusters[name=x].cluster. */
function entry(config: Fields, [list, member]: readonly [string, string], name: string): Fields {
  const entries: unknown = config[list];
  for (const candidate of Array.isArray(entries) ? entries : []) {
    if (isFields(candidate) && candidate['name'] === name)
      return fieldsOf(candidate[member] ?? {}, `Entry "${name}" in ${list} of the kubeconfig has no ${member}.`);
  }
  throw new KubeconfigError(`The kubeconfig has no entry "${name}" in ${list}.`);
}

function pemAt(fields: Fields, key: string): string | undefined {
  const encoded = textAt(fields, key);
  if (encoded === undefined) return undefined;
  try {
    return atob(encoded.replace(/\s+/g, ''));
  } catch {
    throw new KubeconfigError(`Field ${key} of the kubeconfig is not base64.`);
  }
}

function required(fields: Fields, key: string, message: string): string {
  const value = textAt(fields, key);
  if (value === undefined) throw new KubeconfigError(message);
  return value;
}

function textAt(fields: Fields, key: string): string | undefined {
  const value = fields[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw new KubeconfigError(`Field ${key} of the kubeconfig is not a string.`);
  return value;
}

function fieldsOf(value: unknown, message: string): Fields {
  if (!isFields(value)) throw new KubeconfigError(message);
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
