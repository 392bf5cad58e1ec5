/** The objects an informer knows, by key and by index. */
import { type ApiObject, keyOf } from '#machinery';

/** The values under which an object is found in one index; none if it is not to be found there. */
export type IndexFunction<T extends ApiObject> = (object: T) => readonly string[];

/** Reads the local copy of a collection; synchronous, possibly a moment behind the server. Objects are shared: never change one. */
export interface Lister<T extends ApiObject> {
  /** The object of a key (namespace/name, or the name alone), if known. */
  get(key: string): T | undefined;
  /** All objects, in no particular order. */
  list(): readonly T[];
  /** The objects that the named index files under `value`. */
  byIndex(index: string, value: string): readonly T[];
}

interface Index<T extends ApiObject> {
  readonly of: IndexFunction<T>;
  readonly keys: Map<string, Set<string>>;
}

/** A Lister that its owner fills. */
export class IndexedStore<T extends ApiObject> implements Lister<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  byIndex(name: string, value: string): readonly T[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new Error(`there is no index ${name}`);
    const found: T[] = [];
    for (const key of index.keys.get(value) ?? []) {
      const object = this.#objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  /** Adds an index over all objects, present and future. */
  addIndex(name: string, of: IndexFunction<T>): void {
    const index: Index<T> = { of, keys: new Map() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) file(index, key, object);
  }

  /** Stores `object` under its key; returns what was there. */
  put(object: T): T | undefined {
    const key = keyOf(object);
    const old = this.#objects.get(key);
    for (const index of this.#indexes.values()) {
      if (old !== undefined) unfile(index, key, old);
      file(index, key, object);
    }
    this.#objects.set(key, object);
    return old;
  }

  /** Forgets the object of a key; returns it. */
  remove(key: string): T | undefined {
    const old = this.#objects.get(key);
    if (old === undefined) return undefined;
    for (const index of this.#indexes.values()) unfile(index, key, old);
    this.#objects.delete(key);
    return old;
  }

  /** All keys. */
  keys(): readonly string[] {
    return [...this.#objects.keys()];
  }
}

function file<T extends ApiObject>(index: Index<T>, key: string, object: T): void {
  for (const value of index.of(object)) {
    const keys = index.keys.get(value);
    if (keys === undefined) index.keys.set(value, new Set([key]));
    else keys.add(key);
  }
}

function unfile<T extends ApiObject>(index: Index<T>, key: string, object: T): void {
  for (const value of index.of(object)) {
    const keys = index.keys.get(value);
    keys?.delete(key);
    if (keys?.size === 0) index.keys.delete(value);
  }
}
