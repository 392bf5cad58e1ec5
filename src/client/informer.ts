/** A local copy of a collection that tells its handlers of every change. */
import { asError, type Logger } from '#base';
import { type ApiObject, keyOf } from '#machinery';
import { type IndexFunction, IndexedStore, type Lister } from './lister.ts';
import { reflect, type ReflectorOptions, type ReflectorSink } from './reflector.ts';
import type { WatchEvent } from './watch-stream.ts';

/** What to do on a change. Called synchronously after the lister has it; must not block. */
export interface Handler<T extends ApiObject> {
  added?(object: T): void;
  updated?(old: T, now: T): void;
  /** `object` is the last state that was known. */
  deleted?(object: T): void;
}

/** What an informer needs: client, resource, clock, random, logger, and optionally a narrower scope. */
export type InformerOptions<T extends ApiObject> = ReflectorOptions<T>;

/** Lists and watches one resource; a change that happened while the connection was gone is reported when it is back. */
export class Informer<T extends ApiObject> implements ReflectorSink<T> {
  readonly lister: Lister<T>;
  readonly #options: InformerOptions<T>;
  readonly #store = new IndexedStore<T>();
  readonly #handlers: Handler<T>[] = [];
  readonly #logger: Logger;
  readonly #synced: Promise<void>;
  #markSynced: () => void = () => undefined;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    this.#logger = options.logger;
    this.lister = this.#store;
    this.#synced = new Promise((resolve) => {
      this.#markSynced = resolve;
    });
  }

  /** Follows the collection until `signal` aborts. */
  run(signal: AbortSignal): Promise<void> {
    return reflect(this.#options, this, signal);
  }

  /** Resolves once the first list has reached the lister and the handlers. */
  whenSynced(): Promise<void> {
    return this.#synced;
  }

  /** Reports changes to `handler` from now on; what is already known is reported as added, at once. */
  addHandler(handler: Handler<T>): void {
    this.#handlers.push(handler);
    for (const object of this.#store.list()) this.#tell(() => handler.added?.(object));
  }

  /** Adds an index for `lister.byIndex`. */
  addIndex(name: string, of: IndexFunction<T>): void {
    this.#store.addIndex(name, of);
  }

  /** Called by the reflector: the collection as listed. */
  replace(items: readonly T[]): void {
    const listed = new Set(items.map(keyOf));
    for (const key of this.#store.keys()) if (!listed.has(key)) this.#remove(key);
    for (const item of items) this.#put(item);
    this.#markSynced();
  }

  /** Called by the reflector: one change. */
  apply(event: WatchEvent<T>): void {
    if (event.type === 'DELETED') this.#remove(keyOf(event.object), event.object);
    else if (event.type !== 'BOOKMARK') this.#put(event.object);
  }

  #put(object: T): void {
    const old = this.#store.get(keyOf(object));
    if (old !== undefined && old.metadata.uid !== object.metadata.uid) this.#remove(keyOf(old));
    else if (old !== undefined && old.metadata.resourceVersion === object.metadata.resourceVersion) return;
    const replaced = this.#store.put(object);
    for (const handler of this.#handlers) {
      this.#tell(() => (replaced === undefined ? handler.added?.(object) : handler.updated?.(replaced, object)));
    }
  }

  #remove(key: string, last?: T): void {
    const known = this.#store.remove(key);
    const object = last ?? known;
    if (known === undefined || object === undefined) return;
    for (const handler of this.#handlers) this.#tell(() => handler.deleted?.(object));
  }

  /** A handler's defect must not stop the others. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#logger.error('a handler failed', { resource: this.#options.resource.plural, error: asError(error).stack });
    }
  }
}
