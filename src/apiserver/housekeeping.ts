/** What the API server does by itself: the first objects, and forgetting old history. */
import { asError } from '#base';
import { createBootstrapObjects } from './bootstrap.ts';
import { Compaction } from './compaction.ts';
import type { Core } from './options.ts';

/** Background work of one API server. */
export class Housekeeping {
  readonly #core: Core;
  #ready: Promise<void> | undefined;
  readonly #compaction: Compaction;
  #closed = false;

  constructor(core: Core) {
    this.#core = core;
    const { clock, logger, store } = core.options;
    this.#compaction = new Compaction({ clock, logger, store });
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
    if (this.#closed) return access.stop();
    void this.#compaction.run();
  }

  /** Ends the background work. */
  close(): void {
    this.#closed = true;
    this.#core.access.stop();
    this.#compaction.close();
  }
}
