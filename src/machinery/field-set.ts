/** FieldSet: which fields of an object someone owns, and its wire form FieldsV1 (structured-merge-diff fieldpath). */
import { goQuote } from './go-text.ts';
import { parseJson, stringifyJson } from './json.ts';
import { isJsonObject } from './merge-patch.ts';
import type { Json } from './meta.ts';

/**
 * One step of a path in its wire form: `f:name` (member), `k:{"key":"value"}` (element of a list map by its keys, sorted),
 * `v:value` (element of a set), `i:0` (element by place).
 */
export type PathElement = string;

/** A path from the object's root. */
export type FieldPath = readonly PathElement[];

interface FieldNode {
  /** The place itself belongs to the set; what is below it is told apart in `children`. */
  readonly member: boolean;
  readonly children: FieldSet;
}

/** An immutable set of paths. Containing a path says nothing about what is below it. */
export class FieldSet {
  /** The set without paths. */
  static readonly empty: FieldSet = new FieldSet(new Map());
  readonly #nodes: ReadonlyMap<PathElement, FieldNode>;

  private constructor(nodes: ReadonlyMap<PathElement, FieldNode>) {
    this.#nodes = nodes;
  }

  /** The set of these paths. */
  static of(paths: Iterable<FieldPath>): FieldSet {
    const root: Draft = { member: false, children: new Map() };
    for (const path of paths) {
      let at = root;
      for (const element of path) {
        let next = at.children.get(element);
        if (next === undefined) at.children.set(element, (next = { member: false, children: new Map() }));
        at = next;
      }
      at.member = true;
    }
    return FieldSet.#fromDraft(root);
  }

  static #fromDraft(draft: Draft): FieldSet {
    if (draft.children.size === 0) return FieldSet.empty;
    const nodes = new Map<PathElement, FieldNode>();
    for (const [element, child] of draft.children) nodes.set(element, { member: child.member, children: FieldSet.#fromDraft(child) });
    return new FieldSet(nodes);
  }

  /** Reads FieldsV1; undefined when it is none. */
  static fromJson(fields: Json | undefined): FieldSet | undefined {
    if (!isJsonObject(fields)) return undefined;
    const nodes = new Map<PathElement, FieldNode>();
    for (const [element, below] of Object.entries(fields)) {
      if (element === '.') continue;
      const children = /^[fkvi]:/s.test(element) ? FieldSet.fromJson(below) : undefined;
      if (children === undefined || !isJsonObject(below)) return undefined;
      const member = children.isEmpty || Object.hasOwn(below, '.');
      const canonical = canonicalElement(element);
      if (canonical === undefined) return undefined;
      nodes.set(canonical, { member, children });
    }
    return new FieldSet(nodes);
  }

  /** FieldsV1: members in order, a place with owned members below it marked by ".". */
  toJson(): Json {
    const fields: Record<string, Json> = {};
    for (const element of [...this.#nodes.keys()].sort()) {
      const node = this.#node(element);
      const below = node.children.toJson();
      fields[element] = node.member && !node.children.isEmpty ? { '.': {}, ...(isJsonObject(below) ? below : {}) } : below;
    }
    return fields;
  }

  /** True without any path. */
  get isEmpty(): boolean {
    return this.#nodes.size === 0;
  }

  #node(element: PathElement): FieldNode {
    return this.#nodes.get(element) ?? NO_NODE;
  }

  /** Whether the place right below the root belongs to the set. */
  hasMember(element: PathElement): boolean {
    return this.#node(element).member;
  }

  /** What the set says about the inside of a place right below the root. */
  below(element: PathElement): FieldSet {
    return this.#node(element).children;
  }

  /** The places right below the root that the set mentions. */
  elements(): Iterable<PathElement> {
    return this.#nodes.keys();
  }

  /** Paths in either set. */
  union(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    if (this.isEmpty) return other;
    return this.#combine(other, (a, b) => ({ member: a.member || b.member, children: a.children.union(b.children) }), true);
  }

  /** Paths in this set and not in the other, path by path. */
  difference(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    return this.#combine(other, (a, b) => ({ member: a.member && !b.member, children: a.children.difference(b.children) }), false);
  }

  /** Paths in this set that neither are in the other nor lie below one that is. */
  recursiveDifference(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    return this.#combine(other, (a, b) => (b.member ? NO_NODE : { member: a.member, children: a.children.recursiveDifference(b.children) }), false);
  }

  /** Paths in both sets. */
  intersection(other: FieldSet): FieldSet {
    return this.#combine(other, (a, b) => ({ member: a.member && b.member, children: a.children.intersection(b.children) }), false);
  }

  #combine(other: FieldSet, decide: (a: FieldNode, b: FieldNode) => FieldNode, both: boolean): FieldSet {
    const nodes = new Map<PathElement, FieldNode>();
    const elements = both ? new Set([...this.#nodes.keys(), ...other.#nodes.keys()]) : this.#nodes.keys();
    for (const element of elements) {
      const node = decide(this.#node(element), other.#node(element));
      if (node.member || !node.children.isEmpty) nodes.set(element, node);
    }
    return nodes.size === 0 ? FieldSet.empty : new FieldSet(nodes);
  }

  /** Whether both hold the same paths. */
  equals(other: FieldSet): boolean {
    return this.difference(other).isEmpty && other.difference(this).isEmpty;
  }

  /** All paths, parents first, in the order of their elements. */
  *paths(prefix: FieldPath = []): Iterable<FieldPath> {
    for (const element of [...this.#nodes.keys()].sort()) {
      const node = this.#node(element);
      const path = [...prefix, element];
      if (node.member) yield path;
      yield* node.children.paths(path);
    }
  }
}

interface Draft {
  member: boolean;
  readonly children: Map<PathElement, Draft>;
}

const NO_NODE: FieldNode = { member: false, children: FieldSet.empty };

/** The step to a member. */
export function memberElement(name: string): PathElement {
  return `f:${name}`;
}

/** The step to the element of a list map with these keys. */
export function keyElement(keys: Readonly<Record<string, Json>>): PathElement {
  const sorted = Object.fromEntries(Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `k:${stringifyJson(sorted)}`;
}

/** The step to an element of a set. */
export function valueElement(value: Json): PathElement {
  return `v:${stringifyJson(value)}`;
}

/** The name of the member that a step leads to, undefined for steps into lists. */
export function memberName(element: PathElement): string | undefined {
  return element.startsWith('f:') ? element.slice(2) : undefined;
}

function canonicalElement(element: PathElement): PathElement | undefined {
  if (!element.startsWith('k:') && !element.startsWith('v:')) return element;
  try {
    const value = parseJson(element.slice(2));
    if (element.startsWith('v:')) return valueElement(value);
    if (!isJsonObject(value)) return undefined;
    return keyElement(Object.fromEntries(Object.entries(value).map(([key, part]) => [key, part ?? null])));
  } catch {
    return undefined;
  }
}

/** A path as messages print it: `.status.devices[device="x"].data`. */
export function fieldPathText(path: FieldPath): string {
  return path.map(elementText).join('');
}

/** One step as messages print it. */
export function elementText(element: PathElement): string {
  const rest = element.slice(2);
  if (element.startsWith('f:')) return `.${rest}`;
  if (element.startsWith('i:')) return `[${rest}]`;
  const value = parseJson(rest);
  if (element.startsWith('v:')) return `[=${scalarText(value)}]`;
  const keys = isJsonObject(value) ? Object.entries(value) : [];
  return `[${keys.map(([key, part]) => `${key}=${scalarText(part ?? null)}`).join(',')}]`;
}

function scalarText(value: Json): string {
  return typeof value === 'string' ? goQuote(value) : stringifyJson(value);
}
