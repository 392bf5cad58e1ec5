/** FieldSet: which fields of an object someone owns, and its wire form FieldsV1 (structured-merge-diff fieldpath). */
import { goQuote } from './go-text.ts';
import { parseJson, stringifyJson } from './json.ts';
import { isJsonObject, type JsonObject } from './merge-patch.ts';
import type { Json } from './meta.ts';

/**
 * One step of a path in its wire form: `f:name` (member), `k:{"key":"value"}` (element of a list map by its keys, sorted),
 * `v:value` (element of a set), `i:0` (element by place).
 */
export type PathElement = string;

/** A path from the object's root. */
export type FieldPath = readonly PathElement[];

/** One place of a set. */
export interface FieldNode {
  /** The place itself belongs to the set; what is below it is told apart in `children`. */
  readonly member: boolean;
  readonly children: FieldSet;
}

/** An immutable set of paths. Containing a path says nothing about what is below it. */
export class FieldSet {
  /** The set without paths. */
  static readonly empty: FieldSet = new FieldSet(new Map());
  readonly #nodes: ReadonlyMap<PathElement, FieldNode>;
  /** Made once; sets of an object are written each time it is, though most of them are as they were. */
  #json: JsonObject | undefined;
  /** The same below a place that is a member itself. */
  #memberJson: JsonObject | undefined;

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

  /** The set of these places and what is below them; each is a member or has members below. The map is the set's from now on. */
  static ofNodes(nodes: ReadonlyMap<PathElement, FieldNode>): FieldSet {
    return nodes.size === 0 ? FieldSet.empty : new FieldSet(nodes);
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
    const known = written.get(fields);
    if (known !== undefined) return known;
    const nodes = new Map<PathElement, FieldNode>();
    let last = '';
    let asWritten = true;
    for (const element of Object.keys(fields)) {
      if (element === '.') {
        asWritten &&= last === '';
        continue;
      }
      const below = fields[element];
      const children = /^[fkvi]:/.test(element) ? FieldSet.fromJson(below) : undefined;
      if (children === undefined || !isJsonObject(below)) return undefined;
      const member = children.isEmpty || Object.hasOwn(below, '.');
      const canonical = canonicalElement(element);
      if (canonical === undefined) return undefined;
      nodes.set(canonical, { member, children });
      const kept = member ? children.#memberJson : children.#json;
      asWritten &&= canonical === element && last < element && (children.isEmpty ? Object.keys(below).length === 0 : below === kept);
      last = element;
    }
    const set = FieldSet.ofNodes(nodes);
    if (asWritten && nodes.size > 0) set.#keep(fields);
    return set;
  }

  /** Keeps the wire form that the set was read from, to be written again. */
  #keep(fields: JsonObject): void {
    const dot = fields['.'];
    if (dot === undefined) this.#json = fields;
    else if (isJsonObject(dot) && Object.keys(dot).length === 0) this.#memberJson = fields;
    written.set(fields, this);
  }

  /** FieldsV1: members in order, a place with owned members below it marked by ".". */
  toJson(): JsonObject {
    if (this.#json !== undefined) return this.#json;
    const fields: Record<string, Json> = {};
    for (const element of [...this.#nodes.keys()].sort()) {
      const { member, children } = this.#node(element);
      fields[element] = member ? children.#asMember() : children.toJson();
    }
    written.set(fields, this);
    this.#json = fields;
    return fields;
  }

  /** The wire form below a place that is a member itself. */
  #asMember(): JsonObject {
    if (this.isEmpty) return this.toJson();
    this.#memberJson ??= { '.': {}, ...this.toJson() };
    return this.#memberJson;
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
    const nodes = new Map(this.#nodes);
    for (const [element, node] of other.#nodes) {
      const own = nodes.get(element);
      nodes.set(element, own === undefined ? node : { member: own.member || node.member, children: own.children.union(node.children) });
    }
    return new FieldSet(nodes);
  }

  /** Paths in this set and not in the other, path by path; this set itself if that is all of them. */
  difference(other: FieldSet): FieldSet {
    return this.#without(other, (a, b) => ({ member: a.member && !b.member, children: a.children.difference(b.children) }));
  }

  /** Paths in this set that neither are in the other nor lie below one that is; this set itself if that is all of them. */
  recursiveDifference(other: FieldSet): FieldSet {
    return this.#without(other, (a, b) => (b.member ? NO_NODE : { member: a.member, children: a.children.recursiveDifference(b.children) }));
  }

  /** Only places that differ are made anew. */
  #without(other: FieldSet, rest: (a: FieldNode, b: FieldNode) => FieldNode): FieldSet {
    let nodes: Map<PathElement, FieldNode> | undefined;
    for (const [element, theirs] of other.#nodes) {
      const own = this.#nodes.get(element);
      if (own === undefined) continue;
      const { member, children } = rest(own, theirs);
      if (member === own.member && children === own.children) continue;
      nodes ??= new Map(this.#nodes);
      if (member || !children.isEmpty) nodes.set(element, { member, children });
      else nodes.delete(element);
    }
    return nodes === undefined ? this : FieldSet.ofNodes(nodes);
  }

  /** Whether all paths are in the other set. */
  isWithin(other: FieldSet): boolean {
    for (const [element, { member, children }] of this.#nodes) {
      const theirs = other.#node(element);
      if ((member && !theirs.member) || !children.isWithin(theirs.children)) return false;
    }
    return true;
  }

  /** Paths in both sets. */
  intersection(other: FieldSet): FieldSet {
    const nodes = new Map<PathElement, FieldNode>();
    for (const [element, own] of this.#nodes) {
      const theirs = other.#nodes.get(element);
      if (theirs === undefined) continue;
      const children = own.children.intersection(theirs.children);
      const member = own.member && theirs.member;
      if (member || !children.isEmpty) nodes.set(element, { member, children });
    }
    return FieldSet.ofNodes(nodes);
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

/** The sets by their wire form, of those that were written here and may be read again. */
const written = new WeakMap<JsonObject, FieldSet>();

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
