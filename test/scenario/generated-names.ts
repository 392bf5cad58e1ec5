/** Generated names: `web-x7k2p` here is `web-<1>` in a recording, and which number belongs to which name has to be found out. */
import type { Pod } from '#api';
import type { ApiObject } from '#machinery';
import { differences, isRecord, snapshotDifferences } from './expectation.ts';
import { shortName, type Snapshot } from './snapshot.ts';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
/** The letters of generated suffixes. */
const SUFFIX = '[bcdfghjklmnpqrstvwxz2456789]{5}';
/** Assignments of numbers tried before the first one's differences are reported. */
const ASSIGNMENTS_MAX = 5_000;

/** Everything with a generated name that a scenario has seen, also what is gone since. */
export class GeneratedNames {
  /** The uid of every pod seen, and its name. */
  readonly pods = new Map<string, string>();
  /** What each name was generated from. */
  readonly #prefixes = new Map<string, string>();
  /** How claims of pods begin, whether their claims were seen or not. */
  readonly #claimPrefixes = new Set<string>();

  /** Notes objects as they were listed. */
  observe(plural: string, objects: readonly ApiObject[]): void {
    for (const object of objects) {
      const { name = '', generateName = '', uid = '', labels } = object.metadata;
      const hash = labels?.['pod-template-hash'];
      const withoutHash = (text: string): string => (hash === undefined ? text : text.replaceAll(hash, '<hash>'));
      if (generateName !== '' && name.startsWith(generateName)) this.#prefixes.set(name, withoutHash(generateName));
      if (plural === 'replicasets' && hash !== undefined) this.#prefixes.set(name, withoutHash(name));
      if (plural !== 'pods') continue;
      this.pods.set(uid, shortName(object.metadata));
      for (const entry of (object as Pod).spec?.resourceClaims ?? []) {
        if (entry.resourceClaimTemplateName !== undefined) this.#claimPrefixes.add(`${name}-${entry.name}-`);
      }
    }
  }

  /** What differs between the two, under the numbering that fits best. */
  differences(expected: Snapshot, actual: Snapshot): readonly string[] {
    const groups = this.#groupsIn(actual);
    let first: readonly string[] | undefined;
    let tried = 0;
    for (const labels of numberings(groups, (name, label) => this.#mayBe(name, label, { expected, actual, groups }))) {
      const found = snapshotDifferences(expected, this.#renamed(actual, labels));
      if (found.length === 0) return [];
      first ??= found;
      if (++tried === ASSIGNMENTS_MAX) break;
    }
    return first ?? snapshotDifferences(expected, this.#renamed(actual, new Map()));
  }

  /** `web-` of `web-x7k2p`; a generated name within it is replaced as well. */
  #base(name: string): string {
    let base = this.#prefixes.get(name) ?? name;
    for (const other of this.#prefixes.keys()) if (other !== name && base.includes(other)) base = base.replaceAll(other, `${this.#base(other)}<*>`);
    return base;
  }

  /** Generated names of objects in the snapshot, by what they were generated from. */
  #groupsIn(snapshot: Snapshot): ReadonlyMap<string, readonly string[]> {
    const groups = new Map<string, string[]>();
    for (const { name } of objectsIn(snapshot)) {
      if (!this.#prefixes.has(name)) continue;
      const base = this.#base(name);
      groups.set(base, [...(groups.get(base) ?? []), name]);
    }
    return groups;
  }

  /** Whether the object of this name is, but for generated names, the one that the recording has under the label. */
  #mayBe(name: string, label: string, at: { expected: Snapshot; actual: Snapshot; groups: ReadonlyMap<string, readonly string[]> }): boolean {
    const blank = new Map([...at.groups].flatMap(([base, names]) => names.map((one) => [one, `${base}<*>`] as const)));
    const mine = objectsIn(at.actual).find((object) => object.name === name);
    const theirs = objectsIn(at.expected).find((object) => object.name === label);
    if (mine === undefined || theirs === undefined || mine.kind !== theirs.kind) return false;
    const expected: unknown = JSON.parse(JSON.stringify(theirs.object).replaceAll(/<\d+>/g, '<*>'));
    const actual = this.#renamed({ one: mine.object }, blank)['one'];
    return differences(withoutNumbers(expected), withoutNumbers(actual)).length === 0;
  }

  /** The snapshot with labels for names: `labels`, and `<*>` for names of objects that are gone; other uuids are numbered as they come. */
  #renamed(snapshot: Snapshot, labels: ReadonlyMap<string, string>): Snapshot {
    let text = JSON.stringify(snapshot);
    const all = new Map([...this.#prefixes.keys()].map((name) => [name, labels.get(name) ?? `${this.#base(name)}<*>`]));
    for (const [name, label] of [...all].sort(([a], [b]) => b.length - a.length)) text = text.replaceAll(name, label);
    for (const prefix of this.#claimPrefixes) text = text.replaceAll(new RegExp(`${prefix}${SUFFIX}(?![a-z0-9])`, 'g'), `${prefix}<*>`);
    const sorted = JSON.stringify(sortedByName(JSON.parse(text) as Snapshot));
    const uuids = new Map<string, string>();
    const numbered = sorted.replaceAll(UUID, (uuid) => {
      const label = uuids.get(uuid) ?? `<uuid ${String(uuids.size + 1)}>`;
      uuids.set(uuid, label);
      return label;
    });
    return JSON.parse(numbered) as Snapshot;
  }
}

/** Every way to number the names of each group from 1 on. */
function* numberings(groups: ReadonlyMap<string, readonly string[]>, mayBe: (name: string, label: string) => boolean): Generator<ReadonlyMap<string, string>> {
  const [first, ...rest] = [...groups];
  if (first === undefined) {
    yield new Map();
    return;
  }
  const [base, names] = first;
  for (const order of permutations(names, (name, place) => mayBe(name, `${base}<${String(place + 1)}>`))) {
    const labels = new Map(order.map((name, place) => [name, `${base}<${String(place + 1)}>`] as const));
    for (const others of numberings(new Map(rest), mayBe)) yield new Map([...labels, ...others]);
  }
}

/** The orders in which every name may be at its place. */
function* permutations(names: readonly string[], fits: (name: string, place: number) => boolean, place = 0): Generator<readonly string[]> {
  if (names.length === 0) yield [];
  for (const name of names) {
    if (!fits(name, place)) continue;
    const others = names.filter((other) => other !== name);
    for (const order of permutations(others, fits, place + 1)) yield [name, ...order];
  }
}

function objectsIn(snapshot: Snapshot): readonly { readonly kind: string; readonly name: string; readonly object: unknown }[] {
  return Object.entries(snapshot).flatMap(([kind, objects]) =>
    isRecord(objects) ? Object.entries(objects).map(([key, object]) => ({ kind, name: key.split('/').at(-1) ?? key, object })) : [],
  );
}

function sortedByName(snapshot: Snapshot): Snapshot {
  const sort = (value: unknown): unknown => {
    if (Array.isArray(value))
      return value
        .map((one) => JSON.stringify(one))
        .sort(compare)
        .map((text) => JSON.parse(text) as unknown);
    return isRecord(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => compare(a, b))) : value;
  };
  return Object.fromEntries(Object.entries(snapshot).map(([kind, value]) => [kind, sort(value)]));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Numbers of uuids depend on the whole snapshot and say nothing about one object. */
function withoutNumbers(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null).replaceAll(/<uuid \d+>/g, '<uuid>'));
}
