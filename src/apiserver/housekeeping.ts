/** What the API server does by itself: the first objects, and forgetting old history. */
import { asError } from '#base';
import { createBootstrapObjects } from './bootstrap.ts';
import type { Core } from './options.ts';

/** Upstream: DefaultCompactInterval of the etcd3 storage; history is kept for one to two of it. */
const COMPACT_INTERVAL_MS = 5 * 60_000;

/** Background work of one API server. */
export class Housekeeping {
  readonly #core: Core;
  #ready: Promise<void> | undefined;
  #cancel: () => void = () => {};
  #closed = false;

  constructor(core: Core) {
    this.#core = core;
    this.#scheduleCompaction(0);
  }

  /** Resolves when the objects of every cluster exist and the roles are read; a failed attempt is repeated by the next request. */
  ready(): Promise<void> {
    this.#ready ??= this.#prepare().catch((thrown: unknown) => {
      this.#ready = undefined;
      throw asError(thrown);
    });
    return this.#ready;
  }

  async #prepare(): Promise<void> {
    await createBootstrapObjects(this.#core);
    const { access } = this.#core;
    await access.start().catch((thrown: unknown) => {
      // The next attempt follows everything anew.
      access.stop();
      throw asError(thrown);
    });
    if (this.#closed) access.stop();
  }

  /** Compacts to `revision` after one interval, so that each revision is kept for at least one. */
  #scheduleCompaction(revision: number): void {
    const { clock, logger } = this.#core.options;
    this.#cancel = clock.setTimer(COMPACT_INTERVAL_MS, () => {
      const { store } = this.#core.objects;
      const next = store.revision();
      void store
        .compact(revision)
        .catch((thrown: unknown) => logger.error('compaction failed', { error: asError(thrown).message }))
        .finally(() => {
          if (!this.#closed) this.#scheduleCompaction(next);
        });
    });
  }

  /** Ends the background work. */
  close(): void {
    this.#closed = true;
    this.#core.access.stop();
    this.#cancel();
  }
}
