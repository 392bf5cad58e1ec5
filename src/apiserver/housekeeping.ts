/** What the API server does by itself: the default namespaces, and forgetting old history. */
import { asError } from '#base';
import type { ApiObject } from '#machinery';
import { type Core, timestamp } from './options.ts';
import { admitCreate } from './registry/admission.ts';

/** Namespaces that exist in every cluster. */
const DEFAULT_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
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

  /** Resolves when the default namespaces exist; a failed attempt is repeated by the next request. */
  ready(): Promise<void> {
    this.#ready ??= this.#createNamespaces().catch((thrown: unknown) => {
      this.#ready = undefined;
      throw asError(thrown);
    });
    return this.#ready;
  }

  async #createNamespaces(): Promise<void> {
    const scope = this.#core.catalog.find('', 'v1', 'namespaces');
    if (scope === undefined) return;
    const { random, clock } = this.#core.options;
    for (const name of DEFAULT_NAMESPACES) {
      if ((await this.#core.objects.get(scope, '', name)) !== undefined) continue;
      const metadata = { name, uid: random.uuid(), creationTimestamp: timestamp(clock.nowMs()) };
      const namespace: ApiObject = admitCreate({ apiVersion: 'v1', kind: 'Namespace', metadata });
      await this.#core.objects.put(scope, namespace, 0);
    }
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
    this.#cancel();
  }
}
