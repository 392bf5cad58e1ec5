/** The volumes of one pod as directories of this machine, and where its containers find them. */
import type { Container, Pod } from '#api';
import type { Clock } from '#base';
import { asError } from '#base';
import type { OciMount } from '#cdi';
import type { HostFiles } from '#ports';
import { type VolumeContext, type VolumeFile, volumeFiles } from './volume-files.ts';

/** What a pod's volumes are made with. */
export interface PodVolumesContext {
  readonly files: HostFiles;
  readonly clock: Clock;
  readonly rootDir: string;
}

/** Kubelet: initial and longest pause between tries to set up a volume (goroutinemap exponentialbackoff). */
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 122_000;

/** Where the volumes of a pod are kept. */
export function volumesDirectoryOf(rootDir: string, podUid: string): string {
  return `${rootDir}/pods/${podUid}`;
}

/** Owns the volumes of the pod of one UID. */
export class PodVolumes {
  readonly #context: PodVolumesContext;
  readonly #directory: string;
  /** Volumes that are made; others (of kinds that this node does not make) are mounted nowhere. */
  readonly #made = new Set<string>();
  #retryMs = RETRY_MIN_MS;
  #dueMs = 0;
  #ready = false;

  constructor(context: PodVolumesContext, podUid: string) {
    this.#context = context;
    this.#directory = volumesDirectoryOf(context.rootDir, podUid);
  }

  /** Whether all were made once and the last try went well. */
  get areReady(): boolean {
    return this.#ready;
  }

  /** Milliseconds until `setUp` has something to do; it has at first. */
  get dueInMs(): number {
    return Math.max(0, this.#dueMs - this.#context.clock.nowMs());
  }

  /** Writes all files; rejects in the kubelet's words when a volume cannot be made. */
  async setUp(pod: Pod, context: Omit<VolumeContext, 'pod'>): Promise<void> {
    const { clock } = this.#context;
    try {
      const renewals = await Promise.all((pod.spec?.volumes ?? []).map((volume) => this.#setUp(volume, { ...context, pod })));
      this.#dueMs = Math.min(...renewals.flat());
      this.#retryMs = RETRY_MIN_MS;
      this.#ready = true;
    } catch (error) {
      this.#ready = false;
      this.#dueMs = clock.nowMs() + this.#retryMs;
      this.#retryMs = Math.min(RETRY_MAX_MS, this.#retryMs * 2);
      throw error;
    }
  }

  /** When the files have to be written anew. */
  async #setUp(volume: NonNullable<NonNullable<Pod['spec']>['volumes']>[number], context: VolumeContext): Promise<readonly number[]> {
    const { name } = volume;
    const { clock, files } = this.#context;
    try {
      const content = await volumeFiles(volume, context, clock.nowMs());
      if (content === undefined) return [];
      await files.makeDirectory(this.#pathOf(name), 0o750);
      for (const file of content) await this.#write(name, file);
      this.#made.add(name);
      return content.flatMap(({ renewAtMs }) => renewAtMs ?? []);
    } catch (error) {
      throw new Error(`MountVolume.SetUp failed for volume ${JSON.stringify(name)} : ${asError(error).message}`, { cause: error });
    }
  }

  async #write(volume: string, { path, content, mode }: VolumeFile): Promise<void> {
    const { files } = this.#context;
    const target = `${this.#pathOf(volume)}/${path}`;
    if (path.includes('/')) await files.makeDirectory(target.slice(0, target.lastIndexOf('/')));
    await files.writeAtomic(target, content, mode);
  }

  /** The mounts of a container, as its OCI spec has them. */
  mountsOf({ volumeMounts = [] }: Container): readonly OciMount[] {
    return volumeMounts
      .filter(({ name }) => this.#made.has(name))
      .map(({ name, mountPath, readOnly, subPath }) => ({
        destination: mountPath,
        type: 'bind',
        source: this.#pathOf(name) + (subPath === undefined ? '' : `/${subPath}`),
        options: ['rbind', 'rprivate', readOnly === true ? 'ro' : 'rw'],
      }));
  }

  #pathOf(volume: string): string {
    return `${this.#directory}/volumes/${volume}`;
  }
}
