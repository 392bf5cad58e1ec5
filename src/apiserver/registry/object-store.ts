/** Objects over the store: encoding, decoding once per stored version, and conversion between versions. */
import type { ApiObject } from '#machinery';
import { parseJson, stringifyJson } from '#machinery';
import type { CommitResult, Entry, Store, StoreEvent } from '#storage';
import { type Scope, listPrefix, storageKey } from '../catalog.ts';
import { utf8 } from '../http/message.ts';

const decoder = new TextDecoder();

/** One stored version of an object, decoded once; its encodings for clients are made once per API version. */
export class StoredObject {
  /** In the kind's storage version, with resourceVersion. Never changed in place. */
  readonly object: ApiObject;
  readonly revision: number;
  readonly #converted = new Map<string, ApiObject>();
  readonly #json = new Map<string, string>();

  constructor(object: ApiObject, revision: number) {
    this.object = object;
    this.revision = revision;
  }

  /** The object in the version of `scope`. */
  in(scope: Scope): ApiObject {
    const known = this.#converted.get(scope.apiVersion);
    if (known !== undefined) return known;
    const converted = fromStorage(scope, this.object);
    this.#converted.set(scope.apiVersion, converted);
    return converted;
  }

  /** JSON text in the version of `scope` without kind and apiVersion, as list items carry it. */
  itemJson(scope: Scope): string {
    const known = this.#json.get(scope.apiVersion);
    if (known !== undefined) return known;
    const { kind: _kind, apiVersion: _apiVersion, ...rest } = this.in(scope);
    const json = stringifyJson(rest);
    this.#json.set(scope.apiVersion, json);
    return json;
  }

  /** JSON text in the version of `scope`. */
  json(scope: Scope): string {
    return `{"kind":${JSON.stringify(scope.kind.kind)},"apiVersion":${JSON.stringify(scope.apiVersion)},${this.itemJson(scope).slice(1)}`;
  }

  /** This version as the DELETED event of `revision` shows it. */
  deletedAt(revision: number): StoredObject {
    return new StoredObject(withMetadata(this.object, { resourceVersion: String(revision) }), revision);
  }
}

/** The object in its storage version as the version of `scope`. */
export function fromStorage(scope: Scope, object: ApiObject): ApiObject {
  const converted = scope.version.fromStorage === undefined ? object : scope.version.fromStorage(object);
  return { ...converted, apiVersion: scope.apiVersion, kind: scope.kind.kind };
}

/** The object in the version of `scope` as the kind's storage version. */
export function toStorage(scope: Scope, object: ApiObject): ApiObject {
  const converted = scope.version.toStorage === undefined ? object : scope.version.toStorage(object);
  return { ...converted, apiVersion: scope.storageApiVersion, kind: scope.kind.kind };
}

/** The object with members of its metadata replaced. */
export function withMetadata<T extends ApiObject>(object: T, changes: Partial<ApiObject['metadata']>): T {
  return { ...object, metadata: { ...object.metadata, ...changes } };
}

/** Typed access to the store for all kinds. */
export class ObjectStore {
  readonly store: Store;
  /** Keyed by the stored bytes, which entries and events of one version share. */
  readonly #decoded = new WeakMap<Uint8Array, StoredObject>();

  constructor(store: Store) {
    this.store = store;
  }

  /** The decoded object of an entry. */
  decode(entry: Pick<Entry, 'value' | 'modRevision'>): StoredObject {
    const known = this.#decoded.get(entry.value);
    if (known !== undefined && known.revision === entry.modRevision) return known;
    // What this class wrote: an object with metadata.
    const object = parseJson(decoder.decode(entry.value)) as unknown as ApiObject;
    const stored = new StoredObject(withMetadata(object, { resourceVersion: String(entry.modRevision) }), entry.modRevision);
    this.#decoded.set(entry.value, stored);
    return stored;
  }

  /** The object after a change, undefined after its deletion. */
  current(event: StoreEvent): StoredObject | undefined {
    return event.value === undefined ? undefined : this.decode({ value: event.value, modRevision: event.revision });
  }

  /** The object before a change, undefined before its creation. */
  previous(event: StoreEvent): StoredObject | undefined {
    return event.previous === undefined ? undefined : this.decode(event.previous);
  }

  async get(scope: Scope, namespace: string, name: string): Promise<StoredObject | undefined> {
    const entry = await this.store.get(storageKey(scope, namespace, name));
    return entry === undefined ? undefined : this.decode(entry);
  }

  /** All objects of the scope's kind, of one namespace unless it is "". */
  async list(scope: Scope, namespace = ''): Promise<readonly StoredObject[]> {
    const { entries } = await this.store.range({ prefix: listPrefix(scope, namespace) });
    return entries.map((entry) => this.decode(entry));
  }

  /** Creates those of `objects` that are absent, in one transaction; false when another writer came between. */
  async putMissing(objects: readonly { readonly scope: Scope; readonly object: ApiObject }[]): Promise<boolean> {
    const writes = objects.map(({ scope, object }) => encoded(scope, object));
    const present = await Promise.all(writes.map(({ key }) => this.store.get(key)));
    const missing = writes.filter((_write, at) => present[at] === undefined);
    if (missing.length === 0) return true;
    const { committed } = await this.store.commit({ compare: missing.map(({ key }) => ({ key, modRevision: 0 })), writes: missing });
    return committed;
  }

  /** Writes `object` if the key's revision still is `expected` (0: absent); undefined when it is not. */
  async put(scope: Scope, object: ApiObject, expected: number): Promise<StoredObject | undefined> {
    const { key, value } = encoded(scope, object);
    const result = await this.store.commit({ compare: [{ key, modRevision: expected }], writes: [{ key, value }] });
    return result.committed ? this.decode({ value, modRevision: result.revision }) : undefined;
  }

  /** Deletes an object if its revision still is `expected`; the revision of the deletion, undefined when it changed. */
  async remove(scope: Scope, object: ApiObject, expected: number): Promise<number | undefined> {
    const key = storageKey(scope, object.metadata.namespace ?? '', object.metadata.name ?? '');
    const result: CommitResult = await this.store.commit({ compare: [{ key, modRevision: expected }], writes: [{ key }] });
    return result.committed ? result.revision : undefined;
  }
}

/** Where an object is kept, and its bytes. */
function encoded(scope: Scope, object: ApiObject): { readonly key: string; readonly value: Uint8Array } {
  const { name = '', namespace = '', resourceVersion: _resourceVersion, ...metadata } = object.metadata;
  const stored = { ...object, metadata: { name, ...(namespace === '' ? {} : { namespace }), ...metadata } };
  return { key: storageKey(scope, namespace, name), value: utf8(stringifyJson(stored)) };
}
