/** Builds a container's OCI spec from the pod, before CDI edits. */
import type { Container, EnvVar, Pod } from '#api';
import type { OciMount, OciSpec } from '#cdi';
import { CONFIG_MAPS, type RestClient, SECRETS } from '#client';
import { isNotFound } from '#machinery';

/** A path for programs that the pod does not name fully. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What the spec of a container may refer to. */
export interface ContainerContext {
  readonly pod: Pod;
  readonly podIP: string;
  readonly hostIP: string;
  readonly client: RestClient;
  /** Gets the values that come from Secrets, for those who print what a container gets. */
  readonly secrets: Set<string>;
  /** Of the pod's volumes. */
  readonly mounts: readonly OciMount[];
}

/** The OCI spec of a container; rejects when a variable refers to something that does not exist. */
export async function containerSpec(container: Container, context: ContainerContext): Promise<OciSpec> {
  const env = await environmentOf(container, context);
  const expand = (text: string): string => expandVariables(text, env);
  const args = [...(container.command ?? []), ...(container.args ?? [])].map(expand);
  const security = { ...context.pod.spec?.securityContext, ...container.securityContext };
  const user = { uid: Number(security.runAsUser ?? 0), gid: Number(security.runAsGroup ?? 0) };
  return {
    ociVersion: '1.2.0',
    process: { user, args, env: [...env].map(([name, value]) => `${name}=${value}`), cwd: container.workingDir ?? '/' },
    root: { path: 'rootfs' },
    hostname: context.pod.spec?.hostname ?? context.pod.metadata.name,
    annotations: {
      'io.kubernetes.cri.container-name': container.name,
      'io.kubernetes.cri.sandbox-name': context.pod.metadata.name ?? '',
      'io.kubernetes.cri.sandbox-namespace': context.pod.metadata.namespace ?? '',
      'io.kubernetes.cri.sandbox-uid': context.pod.metadata.uid ?? '',
    },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }, ...context.mounts],
    linux: {},
  };
}

async function environmentOf(container: Container, context: ContainerContext): Promise<ReadonlyMap<string, string>> {
  const env = new Map<string, string>([
    ['PATH', DEFAULT_PATH],
    ['HOSTNAME', context.pod.metadata.name ?? ''],
  ]);
  for (const source of container.envFrom ?? []) {
    const data = await readAll(source, context);
    for (const [key, value] of Object.entries(data)) env.set(`${source.prefix ?? ''}${key}`, value);
  }
  for (const variable of container.env ?? []) {
    const value = await valueOf(variable, context);
    if (value !== undefined) env.set(variable.name, variable.valueFrom === undefined ? expandVariables(value, env) : value);
  }
  return env;
}

async function readAll(
  source: NonNullable<Container['envFrom']>[number],
  { pod, client, secrets }: ContainerContext,
): Promise<Readonly<Record<string, string>>> {
  const { configMapRef, secretRef } = source;
  if (configMapRef !== undefined) return readData({ client, kind: 'ConfigMap', name: configMapRef.name ?? '', optional: configMapRef.optional === true, pod });
  if (secretRef === undefined) return {};
  const data = await readData({ client, kind: 'Secret', name: secretRef.name ?? '', optional: secretRef.optional === true, pod });
  for (const value of Object.values(data)) secrets.add(value);
  return data;
}

interface DataReference {
  readonly client: RestClient;
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  readonly optional: boolean;
  readonly pod: Pod;
}

async function readData({ client, kind, name, optional, pod }: DataReference): Promise<Readonly<Record<string, string>>> {
  const { namespace } = pod.metadata;
  try {
    if (kind === 'ConfigMap') return (await client.get(CONFIG_MAPS, name, namespace)).data ?? {};
    const data = (await client.get(SECRETS, name, namespace)).data ?? {};
    return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, new TextDecoder().decode(Uint8Array.fromBase64(value))]));
  } catch (error) {
    if (optional && isNotFound(error)) return {};
    throw error;
  }
}

async function valueOf(variable: EnvVar, context: ContainerContext): Promise<string | undefined> {
  const { valueFrom } = variable;
  if (valueFrom === undefined) return variable.value ?? '';
  const { client, pod, secrets } = context;
  if (valueFrom.fieldRef !== undefined) return podField(valueFrom.fieldRef.fieldPath, context);
  const reference = valueFrom.configMapKeyRef ?? valueFrom.secretKeyRef;
  if (reference === undefined) throw new Error(`variable ${variable.name}: this kind of valueFrom is not supported`);
  const kind = valueFrom.configMapKeyRef !== undefined ? 'ConfigMap' : 'Secret';
  const optional = reference.optional === true;
  const data = await readData({ client, kind, name: reference.name ?? '', optional, pod });
  const value = data[reference.key];
  if (kind === 'Secret' && value !== undefined) secrets.add(value);
  if (value === undefined && !optional)
    throw new Error(`couldn't find key ${reference.key} in ${kind} ${pod.metadata.namespace ?? ''}/${reference.name ?? ''}`);
  return value;
}

/** What a fieldRef stands for; throws when there is no such field. */
export function podField(path: string, { pod, podIP, hostIP }: Pick<ContainerContext, 'pod' | 'podIP' | 'hostIP'>): string {
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (keyed !== null) return (keyed[1] === 'labels' ? pod.metadata.labels : pod.metadata.annotations)?.[keyed[2] ?? ''] ?? '';
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name ?? '';
    case 'metadata.namespace':
      return pod.metadata.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata.uid ?? '';
    case 'spec.nodeName':
      return pod.spec?.nodeName ?? '';
    case 'spec.serviceAccountName':
      return pod.spec?.serviceAccountName ?? '';
    case 'status.podIP':
    case 'status.podIPs':
      return podIP;
    case 'status.hostIP':
    case 'status.hostIPs':
      return hostIP;
    default:
      throw new Error(`unsupported fieldPath: ${path}`);
  }
}

/** $(NAME) becomes the variable's value, $$ a dollar; unknown names stay as they are. */
export function expandVariables(text: string, env: ReadonlyMap<string, string>): string {
  return text.replace(/\$\$|\$\(([^()]+)\)/g, (match, name: string | undefined) => (name === undefined ? '$' : (env.get(name) ?? match)));
}
