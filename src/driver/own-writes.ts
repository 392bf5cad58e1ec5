/** Tells the events of own writes from those of others. */
import { type ApiObject, nameOf } from '#machinery';

/** What was written and has not arrived as an event yet; of each object as many versions as are under way. */
export class OwnWrites {
  /** Versions by name, ascending: the server numbers the writes of one resource (KEP 5504). */
  readonly #versions = new Map<string, readonly number[]>();

  /** How many versions are awaited. */
  get size(): number {
    return [...this.#versions.values()].reduce((sum, versions) => sum + versions.length, 0);
  }

  /** A write succeeded with this result. */
  add(stored: ApiObject): void {
    this.#versions.set(nameOf(stored), [...(this.#versions.get(nameOf(stored)) ?? []), versionOf(stored)]);
  }

  /** An event came: whether it is of an own write. Those before it come no more, be it that a list skipped them. */
  arrived(object: ApiObject): boolean {
    const versions = this.#versions.get(nameOf(object)) ?? [];
    const later = versions.filter((version) => version > versionOf(object));
    if (later.length === 0) this.#versions.delete(nameOf(object));
    else this.#versions.set(nameOf(object), later);
    return versions.includes(versionOf(object));
  }

  /** The object was deleted. */
  gone(object: ApiObject): void {
    this.#versions.delete(nameOf(object));
  }

  /** Forgets all objects but these, which the server has: others may have come and gone unseen. */
  keepOnly(objects: readonly ApiObject[]): void {
    const names = new Set(objects.map(nameOf));
    for (const name of this.#versions.keys()) if (!names.has(name)) this.#versions.delete(name);
  }
}

function versionOf(object: ApiObject): number {
  return Number(object.metadata.resourceVersion ?? 0);
}
