/** What the volumes of a pod hold: files out of the API server's objects, and tokens (kubelet: volume/configmap, secret, downwardapi, projected). */
import type { DownwardAPIVolumeFile, KeyToPath, Volume, VolumeProjection } from '#api';
import { CONFIG_MAPS, requestToken, SECRETS } from '#client';
import { isNotFound } from '#machinery';
import { type ContainerContext, podField } from './container-spec.ts';

/** What a volume may refer to. */
export type VolumeContext = Pick<ContainerContext, 'pod' | 'podIP' | 'hostIP' | 'client'>;

/** A file of a volume. */
export interface VolumeFile {
  /** Below the volume's directory. */
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly mode: number;
  /** After how many milliseconds the content has to be fetched anew. */
  readonly renewInMs?: number | undefined;
}

/** Permission bits of files that name none (core/v1: ProjectedVolumeSourceDefaultMode and its like). */
const DEFAULT_MODE = 0o644;
/** Seconds of a token whose projection names none (core/v1 defaults). */
const DEFAULT_TOKEN_SECONDS = 3600;
/** Kubelets renew a token when so much of its life is over (kubelet/token: requiresRefresh). */
const TOKEN_LIFE_USED = 0.8;
/** By the clock of this machine a token may be over when it comes: no reason to ask for tokens without end. */
const TOKEN_RENEWAL_MIN_MS = 60_000;
/** So long an answer may take: a pod waits, and is tried again, rather than hang. */
const TOKEN_TIMEOUT_MS = 10_000;

/** The files of a volume; undefined for a kind of volume that has none. Rejects when something that it refers to does not exist. */
export async function volumeFiles(volume: Volume, context: VolumeContext, nowMs: number): Promise<readonly VolumeFile[] | undefined> {
  const { projected, configMap, secret, downwardAPI, emptyDir } = volume;
  if (emptyDir !== undefined) return [];
  const ofSecret = secret === undefined ? undefined : { ...secret, name: secret.secretName };
  const only: VolumeProjection = { configMap, secret: ofSecret, downwardAPI };
  const sources = projected?.sources ?? (Object.values(only).some((source) => source !== undefined) ? [only] : undefined);
  if (sources === undefined) return undefined;
  const mode = projected?.defaultMode ?? configMap?.defaultMode ?? secret?.defaultMode ?? downwardAPI?.defaultMode ?? DEFAULT_MODE;
  const files = await Promise.all(sources.map((source) => projectedFiles(source, context, { mode, nowMs })));
  return files.flat().map(checked);
}

interface Terms {
  readonly mode: number;
  readonly nowMs: number;
}

async function projectedFiles(source: VolumeProjection, context: VolumeContext, terms: Terms): Promise<readonly VolumeFile[]> {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (serviceAccountToken !== undefined) return [await tokenFile(serviceAccountToken, context, terms)];
  if (downwardAPI !== undefined) return (downwardAPI.items ?? []).map((item) => fieldFile(item, context, terms));
  const from = configMap ?? secret;
  if (from === undefined) return [];
  const data = await dataOf(configMap === undefined ? 'secret' : 'configmap', from.name ?? '', from.optional === true, context);
  return dataFiles(data, from.items, {
    mode: terms.mode,
    what: `${configMap === undefined ? 'secret' : 'configmap'} "${from.name ?? ''}"`,
    optional: from.optional === true,
  });
}

async function tokenFile(
  source: NonNullable<VolumeProjection['serviceAccountToken']>,
  { pod, client }: VolumeContext,
  { mode, nowMs }: Terms,
): Promise<VolumeFile> {
  const { name = '', namespace = '', uid } = pod.metadata;
  const { audience, expirationSeconds = DEFAULT_TOKEN_SECONDS, path } = source;
  const spec = { audiences: audience === undefined ? [] : [audience], expirationSeconds, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } };
  const account = pod.spec?.serviceAccountName ?? 'default';
  const issued = await requestToken(client, { namespace, account, spec }, AbortSignal.timeout(TOKEN_TIMEOUT_MS));
  const lifeMs = Date.parse(issued.expirationTimestamp) - nowMs;
  return { path, content: issued.token, mode, renewInMs: Math.max(TOKEN_RENEWAL_MIN_MS, lifeMs * TOKEN_LIFE_USED) };
}

function fieldFile({ path, fieldRef, mode }: DownwardAPIVolumeFile, context: VolumeContext, terms: Terms): VolumeFile {
  if (fieldRef === undefined) throw new Error(`file ${path}: amounts of resources are not supported`);
  const { labels, annotations } = context.pod.metadata;
  const maps: Readonly<Record<string, Readonly<Record<string, string>> | undefined>> = {
    'metadata.labels': labels ?? {},
    'metadata.annotations': annotations ?? {},
  };
  const map = maps[fieldRef.fieldPath];
  return { path, content: map === undefined ? podField(fieldRef.fieldPath, context) : mapText(map), mode: mode ?? terms.mode };
}

/** A map as kubelets write it (fieldpath.FormatMap). */
function mapText(map: Readonly<Record<string, string>>): string {
  const lines = Object.entries(map).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return lines.sort().join('\n');
}

async function dataOf(
  kind: 'configmap' | 'secret',
  name: string,
  optional: boolean,
  { client, pod }: VolumeContext,
): Promise<Readonly<Record<string, string | Uint8Array>>> {
  const { namespace } = pod.metadata;
  try {
    if (kind === 'secret') return bytesOf((await client.get(SECRETS, name, namespace)).data);
    const { data, binaryData } = await client.get(CONFIG_MAPS, name, namespace);
    return { ...data, ...bytesOf(binaryData) };
  } catch (error) {
    if (optional && isNotFound(error)) return {};
    throw isNotFound(error) ? new Error(`${kind} ${JSON.stringify(name)} not found`, { cause: error }) : error;
  }
}

function bytesOf(data: Readonly<Record<string, string>> = {}): Readonly<Record<string, Uint8Array>> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Uint8Array.fromBase64(value)]));
}

interface DataTerms {
  readonly mode: number;
  readonly what: string;
  readonly optional: boolean;
}

/** The items, or every key under its own name. */
function dataFiles(data: Readonly<Record<string, string | Uint8Array>>, items: readonly KeyToPath[] | undefined, terms: DataTerms): readonly VolumeFile[] {
  if (items === undefined || items.length === 0) return Object.entries(data).map(([path, content]) => ({ path, content, mode: terms.mode }));
  return items.flatMap(({ key, path, mode }) => {
    const content = data[key];
    if (content !== undefined) return [{ path, content, mode: mode ?? terms.mode }];
    if (terms.optional) return [];
    throw new Error(`references non-existent ${terms.what} key: ${key}`);
  });
}

/** The API server refuses such paths; a node agent does not rely on it. */
function checked(file: VolumeFile): VolumeFile {
  if (file.path === '' || leavesVolume(file.path)) throw new Error(`the path ${JSON.stringify(file.path)} leaves the volume`);
  return file;
}

/** Whether a path below a volume's directory is not below it. */
export function leavesVolume(path: string): boolean {
  return path.startsWith('/') || path.split('/').includes('..');
}
