/** What the volumes of a pod hold: files out of the API server's objects, and tokens (kubelet: volume/configmap, secret, downwardapi, projected). */
import type { DownwardAPIVolumeFile, KeyToPath, Volume, VolumeProjection } from '#api';
import { CONFIG_MAPS, SECRETS } from '#client';
import { isNotFound } from '#machinery';
import { type ContainerContext, podField } from './container-spec.ts';
import type { PodTokens } from './pod-tokens.ts';

/** What a volume may refer to. */
export interface VolumeContext extends Pick<ContainerContext, 'pod' | 'podIP' | 'hostIP' | 'client'> {
  readonly tokens: PodTokens;
}

/** A file of a volume. */
export interface VolumeFile {
  /** Below the volume's directory. */
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly mode: number;
}

/** What a volume holds at the moment. */
export interface VolumeContent {
  readonly files: readonly VolumeFile[];
  /** After how many milliseconds it has to be looked at anew; Infinity: never. */
  readonly renewInMs: number;
}

/** Permission bits of files that name none (core/v1: ProjectedVolumeSourceDefaultMode and its like). */
const DEFAULT_MODE = 0o644;
/** Kubelet: the default of syncFrequency, after which what a volume refers to is looked at again. */
const SYNC_FREQUENCY_MS = 60_000;

/** The content of a volume; undefined for a kind of volume that this node does not make. Rejects when something that it refers to does not exist. */
export async function volumeContent(volume: Volume, context: VolumeContext): Promise<VolumeContent | undefined> {
  const { projected, configMap, secret, downwardAPI, emptyDir } = volume;
  if (emptyDir !== undefined) return { files: [], renewInMs: Infinity };
  const ofSecret = secret === undefined ? undefined : { ...secret, name: secret.secretName };
  const only: VolumeProjection = { configMap, secret: ofSecret, downwardAPI };
  const sources = projected?.sources ?? (Object.values(only).some((source) => source !== undefined) ? [only] : undefined);
  if (sources === undefined) return undefined;
  const mode = projected?.defaultMode ?? configMap?.defaultMode ?? secret?.defaultMode ?? downwardAPI?.defaultMode ?? DEFAULT_MODE;
  const contents = await Promise.all(sources.map((source) => projectedContent(source, context, mode)));
  return { files: contents.flatMap(({ files }) => files).map(checked), renewInMs: Math.min(...contents.map(({ renewInMs }) => renewInMs)) };
}

async function projectedContent(source: VolumeProjection, context: VolumeContext, mode: number): Promise<VolumeContent> {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (serviceAccountToken !== undefined) {
    const { token, renewInMs } = await context.tokens.token(context.client, context.pod, serviceAccountToken);
    return { files: [{ path: serviceAccountToken.path, content: token, mode }], renewInMs };
  }
  if (downwardAPI !== undefined) return { files: (downwardAPI.items ?? []).map((item) => fieldFile(item, context, mode)), renewInMs: SYNC_FREQUENCY_MS };
  const from = configMap ?? secret;
  if (from === undefined) return { files: [], renewInMs: Infinity };
  const { data, immutable } = await dataOf(configMap === undefined ? 'secret' : 'configmap', from.name ?? '', from.optional === true, context);
  const files = dataFiles(data, from.items, {
    mode,
    what: `${configMap === undefined ? 'secret' : 'configmap'} "${from.name ?? ''}"`,
    optional: from.optional === true,
  });
  return { files, renewInMs: immutable ? Infinity : SYNC_FREQUENCY_MS };
}

function fieldFile({ path, fieldRef, mode }: DownwardAPIVolumeFile, context: VolumeContext, defaultMode: number): VolumeFile {
  if (fieldRef === undefined) throw new Error(`file ${path}: amounts of resources are not supported`);
  const { labels, annotations } = context.pod.metadata;
  const maps: Readonly<Record<string, Readonly<Record<string, string>> | undefined>> = {
    'metadata.labels': labels ?? {},
    'metadata.annotations': annotations ?? {},
  };
  const map = maps[fieldRef.fieldPath];
  return { path, content: map === undefined ? podField(fieldRef.fieldPath, context) : mapText(map), mode: mode ?? defaultMode };
}

/** A map as kubelets write it (fieldpath.FormatMap). */
function mapText(map: Readonly<Record<string, string>>): string {
  const lines = Object.entries(map).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return lines.sort().join('\n');
}

type Data = Readonly<Record<string, string | Uint8Array>>;

async function dataOf(
  kind: 'configmap' | 'secret',
  name: string,
  optional: boolean,
  { client, pod }: VolumeContext,
): Promise<{ readonly data: Data; readonly immutable: boolean }> {
  const { namespace } = pod.metadata;
  try {
    if (kind === 'secret') {
      const { data, immutable = false } = await client.get(SECRETS, name, namespace);
      return { data: bytesOf(data), immutable };
    }
    const { data, binaryData, immutable = false } = await client.get(CONFIG_MAPS, name, namespace);
    return { data: { ...data, ...bytesOf(binaryData) }, immutable };
  } catch (error) {
    if (optional && isNotFound(error)) return { data: {}, immutable: false };
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
function dataFiles(data: Data, items: readonly KeyToPath[] | undefined, terms: DataTerms): readonly VolumeFile[] {
  if (items === undefined || items.length === 0) return Object.entries(data).map(([path, content]) => ({ path, content, mode: terms.mode }));
  return items.flatMap(({ key, path, mode }) => {
    const content = Object.hasOwn(data, key) ? data[key] : undefined;
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
