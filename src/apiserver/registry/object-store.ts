/** Objects over the store: encoding, decoding once per stored version, and conversion between versions. */
import { assert } from '#base';
import { type ApiObject, parseJson, stringifyJson, requestEntityTooLarge } from '#machinery';
import type { CommitResult, Entry, Store, StoreEvent } from '#storage';
import type { Kind } from '#api';
import { type Scope, listPrefix, storageKey } from '../catalog.ts';
import { Pieces, utf8 } from '../http/pieces.ts';
import { type RowHead, rowHeadOf } from './table.ts';

const decoder = new TextDecoder();

/** What an object may take in the store (etcd: DefaultMaxRequestBytes). */
export const OBJECT_BYTES_MAX = 1.5 * 1024 * 1024;

/**
 * Decoded versions that are kept for their next reader: few, since to carry an object through several collections of garbage costs more than
 * to decode it again.
 */
const DECODED_MAX = 64;
/** Objects whose lines are kept for the watchers that have not got to them yet. */
const LINED_MAX = 1024;
/** What the stored bytes of either may add up to: lines take as much again, decoded objects several times as much. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * One stored version of an object. Its JSON for clients is made from the stored bytes, which are written so that only
 * the head has to be replaced; it is decoded only for those who look inside.
 */
export class StoredObject {
  readonly revision: number;
  readonly #value: Uint8Array | undefined;
  /** The head with which the value begins, once that was seen. */
  #head: Uint8Array | undefined;
  #object: ApiObject | undefined;
  /** How many bytes of metadata follow the head, with the brace that closes them. */
  #metadataLength: number | undefined;
  #selectable: Selectable | undefined;
  #rowHead: RowHead | undefined;
  #converted: Map<string, ApiObject> | undefined;
  #lines: Map<string, Uint8Array> | undefined;
  #deleted: StoredObject | undefined;

  readonly #keeper: Keeper | undefined;

  /** `object` is in the kind's storage version, with resourceVersion; `value` are its stored bytes if it was stored. */
  constructor(object: ApiObject | undefined, revision: number, value?: Uint8Array, keeper?: Keeper) {
    assert(object !== undefined || value !== undefined, 'a stored object comes as an object or as bytes');
    this.#object = object;
    this.#value = value;
    this.revision = revision;
    this.#keeper = keeper;
  }

  /** How many bytes are stored; 0 for what was not. */
  get bytes(): number {
    return this.#value?.length ?? 0;
  }

  /** In the kind's storage version, with resourceVersion. Never changed in place. */
  get object(): ApiObject {
    if (this.#object !== undefined) return this.#object;
    const object = withRevision(decoded(this.#value ?? new Uint8Array()), this.revision);
    this.#object = object;
    this.#keeper?.decoded(this);
    return object;
  }

  /** The object in the version of `scope`. */
  in(scope: Scope): ApiObject {
    this.#converted ??= new Map();
    const known = this.#converted.get(scope.apiVersion);
    if (known !== undefined) return known;
    const converted = fromStorage(scope, this.object);
    this.#converted.set(scope.apiVersion, converted);
    return converted;
  }

  /** Adds the JSON of the object in the version of `scope`. Items of lists are not `typed`: they carry neither kind nor apiVersion. */
  addJson(pieces: Pieces, scope: Scope, typed = true): void {
    const head = typed ? `{"kind":${JSON.stringify(scope.kind.kind)},"apiVersion":${JSON.stringify(scope.apiVersion)},` : '{';
    const rest = scope.version.fromStorage === undefined ? this.#behindHead(scope) : undefined;
    if (rest !== undefined) {
      pieces.text(`${head}"metadata":{"resourceVersion":"${String(this.revision)}",`).bytes(rest);
      return;
    }
    const { kind: _kind, apiVersion: _apiVersion, ...members } = this.in(scope);
    pieces.text(`${head}${stringifyJson(members).slice(1)}`);
  }

  /** Adds the JSON of a PartialObjectMetadata: the metadata as the version of `scope` has it. */
  addPartial(pieces: Pieces, scope: Scope, metaVersion: string): void {
    const head = `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${metaVersion}","metadata":`;
    const { hiddenAnnotation: hidden } = scope.kind;
    const rest = scope.version.fromStorage === undefined && hidden === undefined ? this.#behindHead(scope) : undefined;
    if (rest === undefined) {
      const { metadata } = this.in(scope);
      pieces.text(`${head}${stringifyJson(hidden === undefined ? metadata : withoutAnnotation(metadata, hidden))}}`);
      return;
    }
    this.#metadataLength ??= lengthToBrace(rest);
    pieces
      .text(`${head}{"resourceVersion":"${String(this.revision)}",`)
      .bytes(rest.subarray(0, this.#metadataLength))
      .text('}');
  }

  /** The stored bytes behind `"metadata":{`; undefined for what was not stored, or by a release that wrote another head. */
  #behindHead(scope: Scope): Uint8Array | undefined {
    const value = this.#value;
    const { storedHead } = scope;
    if (value === undefined || (this.#head !== storedHead && !startsWith(value, storedHead))) return undefined;
    this.#head = storedHead;
    return value.subarray(storedHead.length);
  }

  /** What selectors look at; kept when the rest is forgotten, so that a filtered list decodes nothing. */
  selectable(kind: Kind): Selectable {
    if (this.#selectable?.kind !== kind) this.#selectable = selectableOf(this.object, kind);
    return this.#selectable;
  }

  /** The beginning of the object's row in a table; kept like what selectors look at. */
  rowHead(kind: Kind): RowHead {
    if (this.#rowHead?.kind !== kind) this.#rowHead = rowHeadOf(this.object, kind);
    return this.#rowHead;
  }

  /** Drops what can be made again from the stored bytes. */
  forget(): void {
    if (this.#value === undefined) return;
    this.#object = undefined;
    this.#converted = undefined;
  }

  /** Drops the lines of events. */
  forgetLines(): void {
    this.#lines = undefined;
    this.#deleted = undefined;
  }

  /** The line of a watch event with the whole object, encoded once for all watchers. */
  eventLine(type: string, scope: Scope): Uint8Array {
    const key = `${type} ${scope.apiVersion}`;
    this.#lines ??= new Map();
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    const pieces = new Pieces().text(`{"type":"${type}","object":`);
    this.addJson(pieces, scope);
    const line = pieces.text('}\n').joined();
    this.#lines.set(key, line);
    this.#keeper?.lined(this);
    return line;
  }

  /** This version as the DELETED event of `revision` shows it. */
  deletedAt(revision: number): StoredObject {
    if (this.#deleted?.revision !== revision) {
      const object = this.#value === undefined ? withRevision(this.object, revision) : undefined;
      this.#deleted = new StoredObject(object, revision, this.#value, this.#keeper);
      this.#keeper?.lined(this);
    }
    return this.#deleted;
  }
}

/** Is told what an object keeps that can be made again, and lets it be forgotten. */
export interface Keeper {
  decoded(stored: StoredObject): void;
  lined(stored: StoredObject): void;
}

/** The objects that were used last, the least recent first; those that fall out let go of something. */
class UsedLast {
  readonly #max: number;
  readonly #letGo: (stored: StoredObject) => void;
  readonly #objects = new Set<StoredObject>();
  #bytes = 0;

  constructor(max: number, letGo: (stored: StoredObject) => void) {
    this.#max = max;
    this.#letGo = letGo;
  }

  add(stored: StoredObject): void {
    if (!this.#objects.delete(stored)) this.#bytes += stored.bytes;
    this.#objects.add(stored);
    for (const oldest of this.#objects) {
      if (this.#objects.size <= this.#max && this.#bytes <= KEPT_BYTES_MAX) return;
      this.#objects.delete(oldest);
      this.#bytes -= oldest.bytes;
      this.#letGo(oldest);
    }
  }
}

/** The labels of an object and its selectable fields by name. */
export interface Selectable {
  /** The two groups of events name the fields of one stored object differently. */
  readonly kind: Kind;
  readonly labels: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
}

function selectableOf(object: ApiObject, kind: Kind): Selectable {
  const { name = '', namespace = '', labels = {} } = object.metadata;
  return { kind, labels, fields: { ...kind.selectableFields?.(object), 'metadata.name': name, 'metadata.namespace': namespace } };
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  for (let at = 0; at < head.length; at++) if (bytes[at] !== head[at]) return false;
  return true;
}

const [QUOTE, BACKSLASH, OPEN, CLOSE] = Array.from('"\\{}', (character) => character.charCodeAt(0));

/** How many bytes of JSON go up to and with the brace that closes the object in which they begin. */
function lengthToBrace(json: Uint8Array): number {
  let depth = 1;
  let quoted = false;
  let at = 0;
  for (; depth > 0; at++) {
    const byte = json[at];
    if (quoted && byte === BACKSLASH) at++;
    else if (byte === QUOTE) quoted = !quoted;
    else if (!quoted && byte === OPEN) depth++;
    else if (!quoted && byte === CLOSE) depth--;
    else assert(byte !== undefined, 'stored bytes are whole');
  }
  return at;
}

function decoded(value: Uint8Array): ApiObject {
  // What this module wrote: an object with metadata.
  return parseJson(decoder.decode(value)) as unknown as ApiObject;
}

function withRevision(object: ApiObject, revision: number): ApiObject {
  return withMetadata(object, { resourceVersion: String(revision) });
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

function withoutAnnotation(metadata: ApiObject['metadata'], name: string): ApiObject['metadata'] {
  const { [name]: _hidden, ...annotations } = metadata.annotations ?? {};
  return { ...metadata, annotations: Object.keys(annotations).length === 0 ? undefined : annotations };
}

/** The object with members of its metadata replaced. */
export function withMetadata<T extends ApiObject>(object: T, changes: Partial<ApiObject['metadata']>): T {
  return { ...object, metadata: { ...object.metadata, ...changes } };
}

/** Typed access to the store for all kinds. */
export class ObjectStore {
  readonly store: Store;
  /** By the stored bytes, which entries and events of one version share. */
  readonly #stored = new WeakMap<Uint8Array, StoredObject>();
  readonly #decoded = new UsedLast(DECODED_MAX, (stored) => stored.forget());
  readonly #lined = new UsedLast(LINED_MAX, (stored) => stored.forgetLines());
  readonly #keeper: Keeper = { decoded: (stored) => this.#decoded.add(stored), lined: (stored) => this.#lined.add(stored) };

  constructor(store: Store) {
    this.store = store;
  }

  /** The object of an entry, as its answer needs it: bytes. */
  peek({ value, modRevision }: Pick<Entry, 'value' | 'modRevision'>): StoredObject {
    const known = this.#stored.get(value);
    if (known?.revision === modRevision) return known;
    return this.#remember(value, new StoredObject(undefined, modRevision, value, this.#keeper));
  }

  /** The object of an entry, for those who look inside. */
  decode(entry: Pick<Entry, 'value' | 'modRevision'>): StoredObject {
    const stored = this.peek(entry);
    this.#decoded.add(stored);
    return stored;
  }

  #remember(value: Uint8Array, stored: StoredObject): StoredObject {
    this.#stored.set(value, stored);
    return stored;
  }

  /** The object after a change, undefined after its deletion. */
  current(event: StoreEvent): StoredObject | undefined {
    return event.value === undefined ? undefined : this.peek({ value: event.value, modRevision: event.revision });
  }

  /** The object before a change, undefined before its creation. */
  previous(event: StoreEvent): StoredObject | undefined {
    return event.previous === undefined ? undefined : this.peek(event.previous);
  }

  /** Calls `change` with every object below `prefix`, then with each change of one as it happens; returns what ends that. */
  async follow(prefix: string, change: (old: StoredObject | undefined, now: StoredObject | undefined) => void): Promise<() => void> {
    const { entries, revision } = await this.store.range({ prefix });
    for (const entry of entries) change(undefined, this.decode(entry));
    return this.store.watch(prefix, revision, (events) => {
      for (const event of events) change(this.previous(event), this.current(event));
    });
  }

  async get(scope: Scope, namespace: string, name: string): Promise<StoredObject | undefined> {
    const entry = await this.store.get(storageKey(scope, namespace, name));
    return entry === undefined ? undefined : this.peek(entry);
  }

  /** All objects of the scope's kind, of one namespace unless it is "". */
  async list(scope: Scope, namespace = ''): Promise<readonly StoredObject[]> {
    const { entries } = await this.store.range({ prefix: listPrefix(scope, namespace) });
    return entries.map((entry) => this.decode(entry));
  }

  /** Writes `object` if the key's revision still is `expected` (0: absent); undefined when it is not. */
  async put(scope: Scope, object: ApiObject, expected: number): Promise<StoredObject | undefined> {
    const { key, value } = encoded(scope, object);
    const result = await this.store.commit({ compare: [{ key, modRevision: expected }], writes: [{ key, value }] });
    if (!result.committed) return undefined;
    return this.peek({ value, modRevision: result.revision });
  }

  /** Writes all objects if the revisions of all keys are those expected, otherwise none; whether it did. */
  async putAll(scope: Scope, objects: readonly { readonly object: ApiObject; readonly expected: number }[]): Promise<boolean> {
    const writes = objects.map(({ object }) => encoded(scope, object));
    const compare = objects.map(({ expected }, at) => ({ key: writes[at]?.key ?? '', modRevision: expected }));
    return (await this.store.commit({ compare, writes })).committed;
  }

  /** Deletes an object if its revision still is `expected`; the revision of the deletion, undefined when it changed. */
  async remove(scope: Scope, object: ApiObject, expected: number): Promise<number | undefined> {
    const key = storageKey(scope, object.metadata.namespace ?? '', object.metadata.name ?? '');
    const result: CommitResult = await this.store.commit({ compare: [{ key, modRevision: expected }], writes: [{ key }] });
    return result.committed ? result.revision : undefined;
  }
}

/** Where an object is kept, and its bytes: kind, apiVersion and metadata first, where the scope's `storedHead` expects them; no resourceVersion. */
function encoded(scope: Scope, { kind, apiVersion, metadata, ...rest }: ApiObject): { readonly key: string; readonly value: Uint8Array } {
  const { name = '', namespace = '', resourceVersion: _resourceVersion, ...others } = metadata;
  const stored = { kind, apiVersion, metadata: { name, ...(namespace === '' ? {} : { namespace }), ...others }, ...rest };
  const value = utf8(stringifyJson(stored));
  if (value.length > OBJECT_BYTES_MAX) throw requestEntityTooLarge(`the object takes ${String(value.length)} bytes, limit is ${String(OBJECT_BYTES_MAX)}`);
  return { key: storageKey(scope, namespace, name), value };
}
