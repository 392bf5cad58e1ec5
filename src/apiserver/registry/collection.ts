/** The objects of one kind in the order of their keys: runs of neighbours, kept up to date from the store's events. */
import { compareKeys, type StoreEvent } from '#storage';
import type { ObjectStore, StoredObject } from './object-store.ts';

/** Objects of a run when it is made; at twice as many it is halved. */
const RUN_OBJECTS = 128;

/** Neighbours. */
export class Run {
  readonly keys: string[];
  readonly items: StoredObject[];
  /** What their stored bytes add up to. */
  bytes: number;
  /** Called before the run changes. */
  onChange: (() => void) | undefined;

  constructor(keys: string[], items: StoredObject[]) {
    this.keys = keys;
    this.items = items;
    this.bytes = items.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Puts the object in the place of `removed` others. */
  replace(at: number, removed: 0 | 1, key: string, item: StoredObject): void {
    this.#change(item.bytes - (removed === 0 ? 0 : this.#bytesAt(at)));
    this.keys.splice(at, removed, key);
    this.items.splice(at, removed, item);
  }

  remove(at: number): void {
    this.#change(-this.#bytesAt(at));
    this.keys.splice(at, 1);
    this.items.splice(at, 1);
  }

  /** Takes the second half out. */
  halve(): Run {
    const middle = this.keys.length >> 1;
    const half = new Run(this.keys.slice(middle), this.items.slice(middle));
    this.#change(-half.bytes);
    this.keys.length = middle;
    this.items.length = middle;
    return half;
  }

  /** Appends all of `next`. */
  append(next: Run): void {
    this.#change(next.bytes);
    next.#change(0);
    this.keys.push(...next.keys);
    this.items.push(...next.items);
  }

  #bytesAt(at: number): number {
    return this.items[at]?.bytes ?? 0;
  }

  #change(bytes: number): void {
    this.onChange?.();
    this.bytes += bytes;
  }
}

/** Objects of one run from place `from` up to place `to`. */
export interface Span {
  readonly run: Run;
  readonly from: number;
  readonly to: number;
}

/** A part of a collection; `remaining` counts what follows it below the same prefix. */
export interface Slice {
  readonly spans: readonly Span[];
  readonly remaining: number;
  readonly lastKey: string | undefined;
}

interface Place {
  /** Of the run. */
  readonly index: number;
  /** Within the run. */
  readonly at: number;
}

/** All objects of a kind; what it says is right until the next await. */
export class Collection {
  readonly #runs: Run[] = [];
  /** The revision of the newest change. */
  #changedAt: number;

  /** Starts from the objects that there were at `revision`, in order of their keys. */
  constructor(revision: number, keys: readonly string[], items: readonly StoredObject[]) {
    this.#changedAt = revision;
    for (let at = 0; at < keys.length; at += RUN_OBJECTS) this.#runs.push(new Run(keys.slice(at, at + RUN_OBJECTS), items.slice(at, at + RUN_OBJECTS)));
  }

  /** Nothing has changed since this revision. */
  get changedAt(): number {
    return this.#changedAt;
  }

  /** What lies below `prefix` and not before `startKey`, at most `limit` of it. */
  slice(prefix: string, startKey: string, limit: number): Slice {
    const first = compareKeys(prefix, startKey) < 0 ? startKey : prefix;
    const start = this.#place((key) => compareKeys(key, first) < 0);
    const end = this.#place((key) => compareKeys(key, first) < 0 || key.startsWith(prefix));
    const spans: Span[] = [];
    let [room, remaining, lastKey] = [limit, 0, undefined as string | undefined];
    for (let index = start.index; index <= end.index; index++) {
      const run = this.#runs[index];
      const from = index === start.index ? start.at : 0;
      const stop = index === end.index ? end.at : (run?.keys.length ?? 0);
      const to = Math.min(stop, from + room);
      remaining += stop - to;
      if (run === undefined || to <= from) continue;
      room -= to - from;
      spans.push({ run, from, to });
      lastKey = run.keys[to - 1];
    }
    return { spans, remaining, lastKey };
  }

  /** Follows a change of one object. */
  change({ key, revision }: Pick<StoreEvent, 'key' | 'revision'>, now: StoredObject | undefined): void {
    this.#changedAt = revision;
    const { index, at } = this.#place((other) => compareKeys(other, key) < 0);
    const found = this.#runs[index];
    const exists = found?.keys[at] === key;
    if (now === undefined) {
      if (found !== undefined && exists) this.#remove(found, { index, at });
      return;
    }
    if (found !== undefined) found.replace(at, exists ? 1 : 0, key, now);
    else this.#append(key, now);
    this.#halve(found === undefined ? this.#runs.length - 1 : index);
  }

  #append(key: string, item: StoredObject): void {
    const last = this.#runs.at(-1);
    if (last === undefined) this.#runs.push(new Run([key], [item]));
    else last.replace(last.keys.length, 0, key, item);
  }

  #halve(index: number): void {
    const run = this.#runs[index];
    if (run !== undefined && run.keys.length >= 2 * RUN_OBJECTS) this.#runs.splice(index + 1, 0, run.halve());
  }

  /** Small neighbours become one, so that runs do not outnumber objects. */
  #remove(run: Run, { index, at }: Place): void {
    run.remove(at);
    const next = this.#runs[index + 1];
    if (run.keys.length === 0) this.#runs.splice(index, 1);
    else if (next !== undefined && run.keys.length + next.keys.length <= RUN_OBJECTS / 2) {
      run.append(next);
      this.#runs.splice(index + 1, 1);
    }
  }

  /** The place of the first key that is not `before`, which is true of all keys up to some and of none that follow. */
  #place(before: (key: string) => boolean): Place {
    const index = firstOf(this.#runs.length, (i) => !before(this.#runs[i]?.keys.at(-1) ?? ''));
    const keys = this.#runs[index]?.keys ?? [];
    return { index, at: firstOf(keys.length, (i) => !before(keys[i] ?? '')) };
  }
}

/** The least number below `end` of which `holds` is true, as of all that follow; `end` where it is of none. */
function firstOf(end: number, holds: (i: number) => boolean): number {
  let [low, high] = [0, end];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The collections of an API server, each made when a list first asks for it. */
export class Collections {
  readonly #objects: ObjectStore;
  readonly #collections = new Map<string, Promise<Collection>>();
  readonly #stops: (() => void)[] = [];
  #stopped = false;

  constructor(objects: ObjectStore) {
    this.#objects = objects;
  }

  /** All objects below the storage prefix of a kind. */
  of(prefix: string): Promise<Collection> {
    const known = this.#collections.get(prefix);
    if (known !== undefined) return known;
    const collection = this.#build(prefix);
    if (this.#stopped) return collection;
    this.#collections.set(prefix, collection);
    // The next list tries again.
    collection.catch(() => this.#collections.delete(prefix));
    return collection;
  }

  /** Follows no more changes. */
  stop(): void {
    this.#stopped = true;
    this.#collections.clear();
    for (const stop of this.#stops.splice(0)) stop();
  }

  async #build(prefix: string): Promise<Collection> {
    const { store } = this.#objects;
    const { entries, revision } = await store.range({ prefix });
    const collection = new Collection(
      revision,
      entries.map(({ key }) => key),
      entries.map((entry) => this.#objects.peek(entry)),
    );
    const stop = store.watch(prefix, revision, (events) => {
      for (const event of events) collection.change(event, this.#objects.current(event));
    });
    if (this.#stopped) stop();
    else this.#stops.push(stop);
    return collection;
  }
}
