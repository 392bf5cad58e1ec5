/** The volumes of one pod as directories of this machine, and where its containers find them. */
import type { Container, Pod } from '#api';
import type { Clock } from '#base';
import { asError } from '#base';
import type { OciMount } from '#cdi';
import type { HostFiles } from '#ports';
import { PodTokens } from './pod-tokens.ts';
import { leavesVolume, type VolumeContext, volumeContent, type VolumeFile } from './volume-files.ts';

/** What a pod's volumes are made with. */
export interface PodVolumesContext {
  readonly files: HostFiles;
  readonly clock: Clock;
  readonly rootDir: string;
}

/** Kubelet: initial and longest pause between tries to set up a volume (goroutinemap exponentialbackoff). */
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 122_000;

/** Below a pod's directory only the node agent and its group look; in a volume every user of a container (kubelet: emptydir's perm). */
const POD_MODE = 0o750;
const VOLUME_MODE = 0o777;

/** Where the pods' directories are, named by UID. */
export function podsDirectoryOf(rootDir: string): string {
  return `${rootDir}/pods`;
}

/** Where the volumes of a pod are kept. */
export function volumesDirectoryOf(rootDir: string, podUid: string): string {
  return `${podsDirectoryOf(rootDir)}/${podUid}`;
}

type PodVolume = NonNullable<NonNullable<Pod['spec']>['volumes']>[number];

/** Owns the volumes of the pod of one UID. */
export class PodVolumes {
  readonly #context: PodVolumesContext;
  readonly #directory: string;
  /** Volumes that are made, and how they may be mounted; others (of kinds that this node does not make) are mounted nowhere. */
  readonly #made = new Map<string, 'ro' | 'rw'>();
  readonly #tokens: PodTokens;
  /** What is there, by volume and path, of an earlier run by name only: a file is touched when it changes, which programs wait for. */
  readonly #written = new Map<string, Map<string, VolumeFile | undefined>>();
  #retryMs = RETRY_MIN_MS;
  /** Monotonic. */
  #dueMs = Number.NEGATIVE_INFINITY;
  #ready = false;

  constructor(context: PodVolumesContext, podUid: string) {
    this.#context = context;
    this.#directory = volumesDirectoryOf(context.rootDir, podUid);
    this.#tokens = new PodTokens(context.clock);
  }

  /** Whether all are made; they stay so when a later try to renew them fails. */
  get areReady(): boolean {
    return this.#ready;
  }

  /** Milliseconds until `setUp` has something to do; it has at first. */
  get dueInMs(): number {
    return Math.max(0, this.#dueMs - this.#context.clock.monotonicMs());
  }

  /** Writes all files that are new or others than before; rejects in the kubelet's words when a volume cannot be made, once nothing is being written any more. */
  async setUp(pod: Pod, context: Omit<VolumeContext, 'pod' | 'tokens'>): Promise<void> {
    const { clock } = this.#context;
    const outcomes = await Promise.allSettled((pod.spec?.volumes ?? []).map((volume) => this.#setUp(volume, { ...context, pod, tokens: this.#tokens })));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) {
      this.#dueMs = clock.monotonicMs() + this.#retryMs;
      this.#retryMs = Math.min(RETRY_MAX_MS, this.#retryMs * 2);
      throw failed.reason;
    }
    const renewals = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : Infinity));
    this.#dueMs = clock.monotonicMs() + Math.min(...renewals);
    this.#retryMs = RETRY_MIN_MS;
    this.#ready = true;
  }

  /** Removes all files: what a pod that is over could read nobody else shall. */
  async tearDown(): Promise<void> {
    await this.#context.files.remove(this.#directory);
    this.#made.clear();
    this.#written.clear();
    this.#tokens.clear();
    this.#ready = false;
  }

  /** After how many milliseconds it has to be looked at anew; Infinity: never. */
  async #setUp(volume: PodVolume, context: VolumeContext): Promise<number> {
    const { name } = volume;
    const { files } = this.#context;
    try {
      const content = await volumeContent(volume, context);
      if (content === undefined) return Infinity;
      await files.makeDirectory(this.#volumes, POD_MODE);
      await files.makeDirectory(this.#pathOf(name), VOLUME_MODE);
      if (volume.emptyDir === undefined) await this.#replace(name, new Map(content.files.map((file) => [file.path, file])));
      // Containers that could write where the agent renews its files could send it elsewhere by a link (kubelet: Attributes.ReadOnly).
      this.#made.set(name, volume.emptyDir === undefined ? 'ro' : 'rw');
      return content.renewInMs;
    } catch (error) {
      throw new Error(`MountVolume.SetUp failed for volume ${JSON.stringify(name)} : ${asError(error).message}`, { cause: error });
    }
  }

  /** Makes the files of a volume these. What was done is noted file by file: when one fails the next try goes on from there. */
  async #replace(volume: string, content: ReadonlyMap<string, VolumeFile>): Promise<void> {
    const written = this.#written.get(volume) ?? (await this.#found(volume));
    this.#written.set(volume, written);
    for (const file of content.values()) {
      if (isSame(written.get(file.path), file)) continue;
      await this.#write(volume, file);
      written.set(file.path, file);
    }
    const wanted = new Set([...content.keys()].flatMap((path) => [path, path.replace(/\/.*/, '')]));
    for (const path of [...written.keys()].filter((each) => !wanted.has(each))) {
      await this.#context.files.remove(`${this.#pathOf(volume)}/${path}`);
      written.delete(path);
    }
  }

  /** What a node agent that ran before left in the volume. */
  async #found(volume: string): Promise<Map<string, undefined>> {
    return new Map((await this.#context.files.list(this.#pathOf(volume))).map(({ name }) => [name, undefined]));
  }

  async #write(volume: string, { path, content, mode }: VolumeFile): Promise<void> {
    const { files } = this.#context;
    const target = `${this.#pathOf(volume)}/${path}`;
    if (path.includes('/')) await files.makeDirectory(target.slice(0, target.lastIndexOf('/')));
    await files.writeAtomic(target, content, mode);
  }

  /** The mounts of a container, as its OCI spec has them; throws when one is not of the volume. */
  mountsOf({ volumeMounts = [] }: Container): readonly OciMount[] {
    return volumeMounts.flatMap(({ name, mountPath, readOnly, subPath = '', subPathExpr = '' }) => {
      const access = this.#made.get(name);
      if (access === undefined) return [];
      if (subPathExpr !== '') throw new Error(`subPathExpr ${JSON.stringify(subPathExpr)} of volume ${JSON.stringify(name)} is not supported`);
      if (leavesVolume(subPath)) throw new Error(`subPath ${JSON.stringify(subPath)} leaves the volume ${JSON.stringify(name)}`);
      const source = subPath === '' ? this.#pathOf(name) : `${this.#pathOf(name)}/${subPath}`;
      return [{ destination: mountPath, type: 'bind', source, options: ['rbind', 'rprivate', readOnly === true ? 'ro' : access] }];
    });
  }

  get #volumes(): string {
    return `${this.#directory}/volumes`;
  }

  #pathOf(volume: string): string {
    return `${this.#volumes}/${volume}`;
  }
}

function isSame(before: VolumeFile | undefined, { content, mode }: VolumeFile): boolean {
  if (before?.mode !== mode) return false;
  if (typeof content === 'string' || typeof before.content === 'string') return before.content === content;
  const { content: bytes } = before;
  return bytes.length === content.length && bytes.every((byte, at) => byte === content[at]);
}
