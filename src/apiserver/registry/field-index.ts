/** Which objects have which values in the fields that lists select by often, kept up to date from the store's events. */
import type { Kind } from '#api';
import { SortedKeys } from '#storage';
import type { Scope } from '../catalog.ts';
import type { ObjectStore, StoredObject } from './object-store.ts';

/** Indexes of the kinds that declare `indexedFields`, each built when a list first asks for it. */
export class FieldIndexes {
  readonly #objects: ObjectStore;
  readonly #kinds = new Map<Kind, Promise<FieldIndex>>();
  readonly #stops: (() => void)[] = [];
  #stopped = false;

  constructor(objects: ObjectStore) {
    this.#objects = objects;
  }

  /** The index of the kind; what it says holds until the next await. */
  of({ kind, storagePrefix }: Pick<Scope, 'kind' | 'storagePrefix'>): Promise<FieldIndex> {
    let index = this.#kinds.get(kind);
    if (index === undefined) {
      index = this.#build(kind, storagePrefix);
      this.#kinds.set(kind, index);
      // The next list tries again.
      index.catch(() => this.#kinds.delete(kind));
    }
    return index;
  }

  /** Ends the indexes. */
  stop(): void {
    this.#stopped = true;
    for (const stop of this.#stops.splice(0)) stop();
  }

  async #build(kind: Kind, prefix: string): Promise<FieldIndex> {
    const index = new FieldIndex(kind.indexedFields ?? []);
    const fields = (stored: StoredObject | undefined): Fields | undefined => stored?.selectable(kind).fields;
    const { store } = this.#objects;
    const { entries, revision } = await store.range({ prefix });
    for (const entry of entries) index.change(entry.key, undefined, fields(this.#objects.peek(entry)));
    if (this.#stopped) return index;
    const stop = store.watch(prefix, revision, (events) => {
      for (const event of events) index.change(event.key, fields(this.#objects.previous(event)), fields(this.#objects.current(event)));
    });
    this.#stops.push(stop);
    return index;
  }
}

type Fields = Readonly<Record<string, string>>;

/** The keys of one kind's objects by the values of its indexed fields. */
export class FieldIndex {
  /** By field, then by value. */
  readonly #keys: ReadonlyMap<string, Map<string, SortedKeys>>;

  constructor(fields: readonly string[]) {
    this.#keys = new Map(fields.map((field) => [field, new Map()]));
  }

  /** The keys below `prefix` of the objects whose field has the value, in order; undefined for a field without an index. */
  keys(field: string, value: string, prefix: string): readonly string[] | undefined {
    const values = this.#keys.get(field);
    return values === undefined ? undefined : (values.get(value)?.below(prefix) ?? []);
  }

  /** Takes note of the fields of an object before and after a change; undefined where there is none. */
  change(key: string, old: Fields | undefined, now: Fields | undefined): void {
    for (const [field, values] of this.#keys) {
      const [before, after] = [old, now].map((fields) => (fields === undefined ? undefined : (fields[field] ?? '')));
      if (before === after) continue;
      if (before !== undefined) remove(values, before, key);
      if (after !== undefined) insert(values, after, key);
    }
  }
}

function insert(values: Map<string, SortedKeys>, value: string, key: string): void {
  let keys = values.get(value);
  if (keys === undefined) {
    keys = new SortedKeys();
    values.set(value, keys);
  }
  keys.add(key);
}

function remove(values: Map<string, SortedKeys>, value: string, key: string): void {
  const keys = values.get(value);
  keys?.delete(key);
  if (keys?.size === 0) values.delete(value);
}
