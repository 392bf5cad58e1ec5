/** Comparing two objects by schema: which fields came, went and changed (structured-merge-diff TypedValue.Compare). */
import { type FieldNode, FieldSet, memberElement, type PathElement } from './field-set.ts';
import { isJsonObject, type JsonObject } from './merge-patch.ts';
import type { Json } from './meta.ts';
import type { SchemaNode } from './schema.ts';
import { impliedMembers, withEmptyStructures } from './typed-empty.ts';
import { elementsOf, repeatedElements, sameJson, type Schema, shapeOf } from './typed-value.ts';

/** How one object differs from another. */
export interface Comparison {
  readonly added: FieldSet;
  readonly removed: FieldSet;
  readonly modified: FieldSet;
}

/** What changes from `before` to `after`. A whole structure that comes or goes counts itself, too. */
export function compareTyped(before: Json, after: Json, schema: Schema): Comparison {
  return comparison(AS_WRITTEN.difference(before, after, schema));
}

/** As compareTyped, both with their implied members (see typed-empty.ts). */
export function compareAsGo(before: Json, after: Json, schema: Schema): Comparison {
  return comparison(AS_GO.difference(before, after, schema));
}

function comparison({ added, removed, modified }: Difference = {}): Comparison {
  return { added: added?.children ?? FieldSet.empty, removed: removed?.children ?? FieldSet.empty, modified: modified?.children ?? FieldSet.empty };
}

/** How a place and what is below it differ. */
interface Difference {
  readonly added?: FieldNode | undefined;
  readonly removed?: FieldNode | undefined;
  readonly modified?: FieldNode | undefined;
}

/** A place of which nothing is told apart below. */
const LEAF: FieldNode = { member: true, children: FieldSet.empty };
const NONE: ReadonlyMap<string, Json> = new Map();

/** Walks two values at once. */
class Comparer {
  readonly #implied: (schema: SchemaNode) => ReadonlyMap<string, Json>;
  readonly #filled: (value: Json, schema: Schema) => Json;

  constructor(implied: (schema: SchemaNode) => ReadonlyMap<string, Json>, filled: (value: Json, schema: Schema) => Json) {
    this.#implied = implied;
    this.#filled = filled;
  }

  /** Undefined where nothing differs. */
  difference(before: Json | undefined, after: Json | undefined, schema: Schema): Difference | undefined {
    // Most of what is written is as it was, and comparing by schema is dear.
    if (sameJson(before, after)) return undefined;
    if (before === undefined) return { added: this.#whole(after ?? null, schema) };
    if (after === undefined) return { removed: this.#whole(before, schema) };
    if (schema !== undefined && !(this.#isHollow(before, schema) && this.#isHollow(after, schema))) {
      const shape = shapeOf(schema);
      if (shape === 'members') return this.#members(before, after, schema);
      if (shape === 'elements') return this.#elements(before, after, schema);
    }
    return sameJson(this.#filled(before, schema), this.#filled(after, schema)) ? undefined : { modified: LEAF };
  }

  #members(before: Json, after: Json, schema: SchemaNode): Difference | undefined {
    const found = new Differences();
    for (const name of this.#names(before, schema)) {
      found.add(memberElement, name, this.difference(this.#member(before, name, schema), this.#member(after, name, schema), schema.field(name)));
    }
    for (const name of this.#names(after, schema)) {
      const member = this.#member(before, name, schema);
      if (member === undefined) found.add(memberElement, name, this.difference(undefined, this.#member(after, name, schema), schema.field(name)));
    }
    return found.result();
  }

  #elements(before: Json, after: Json, schema: SchemaNode): Difference | undefined {
    const found = new Differences();
    const [left, right] = [elementsOf(before, schema), elementsOf(after, schema)];
    const repeated = [repeatedElements(before, left, schema), repeatedElements(after, right, schema)] as const;
    for (const element of new Set([...repeated[0].keys(), ...repeated[1].keys()])) {
      found.add(itself, element, this.#repeated([repeated[0].get(element), repeated[1].get(element)], [left.get(element), right.get(element)], schema));
      left.delete(element);
      right.delete(element);
    }
    for (const [element, item] of left) found.add(itself, element, this.difference(item, right.get(element), schema.items));
    for (const [element, item] of right) if (!left.has(element)) found.add(itself, element, this.difference(undefined, item, schema.items));
    return found.result();
  }

  /** Elements that one side or both have several times: each such side is one piece. */
  #repeated(
    [all, allNow]: readonly [readonly Json[] | undefined, readonly Json[] | undefined],
    [before, after]: readonly [Json | undefined, Json | undefined],
    schema: SchemaNode,
  ): Difference | undefined {
    if (all !== undefined && allNow !== undefined) return sameJson([...all], [...allNow]) ? undefined : { modified: LEAF };
    const added = allNow !== undefined ? LEAF : after === undefined ? undefined : this.#whole(after, schema.items);
    const removed = all !== undefined ? LEAF : before === undefined ? undefined : this.#whole(before, schema.items);
    return { added, removed };
  }

  /** A value that is there on one side only. */
  #whole(value: Json, schema: Schema): FieldNode {
    const shape = shapeOf(schema);
    if (schema === undefined || shape === 'whole' || this.#isHollow(value, schema)) return LEAF;
    const nodes = new Map<PathElement, FieldNode>();
    if (shape === 'members') {
      for (const name of this.#names(value, schema)) nodes.set(memberElement(name), this.#whole(this.#member(value, name, schema) ?? null, schema.field(name)));
    } else {
      const elements = elementsOf(value, schema);
      const repeated = repeatedElements(value, elements, schema);
      for (const [element, item] of elements) nodes.set(element, repeated.has(element) ? LEAF : this.#whole(item, schema.items));
    }
    return { member: true, children: FieldSet.ofNodes(nodes) };
  }

  /** Names of all members, the implied ones last. */
  #names(value: Json, schema: SchemaNode): readonly string[] {
    if (!isJsonObject(value)) return [];
    const names: string[] = [];
    for (const name of Object.keys(value)) if (value[name] !== undefined) names.push(name);
    const implied = this.#implied(schema);
    if (implied.size > 0) for (const name of implied.keys()) if (!Object.hasOwn(value, name) || value[name] === undefined) names.push(name);
    return names;
  }

  #member(value: Json, name: string, schema: SchemaNode): Json | undefined {
    if (!isJsonObject(value)) return undefined;
    const own = Object.hasOwn(value, name) ? value[name] : undefined;
    return own === undefined ? this.#implied(schema).get(name) : own;
  }

  /** Null or without content: two such values are compared as a whole. */
  #isHollow(value: Json, schema: SchemaNode): boolean {
    if (value === null) return true;
    if (Array.isArray(value)) return value.length === 0;
    return isJsonObject(value) && this.#implied(schema).size === 0 && isBlank(value);
  }
}

const AS_WRITTEN = new Comparer(
  () => NONE,
  (value) => value,
);
const AS_GO = new Comparer(impliedMembers, withEmptyStructures);

/** Without any defined member. Objects of JSON inherit nothing. */
function isBlank(value: JsonObject): boolean {
  for (const name in value) if (value[name] !== undefined) return false;
  return true;
}

function itself(element: PathElement): PathElement {
  return element;
}

/** Collects the differences of one place's members or elements. */
class Differences {
  #added: Map<PathElement, FieldNode> | undefined;
  #removed: Map<PathElement, FieldNode> | undefined;
  #modified: Map<PathElement, FieldNode> | undefined;

  /** Names become steps only where something differs. */
  add(step: (name: string) => PathElement, name: string, difference: Difference | undefined): void {
    if (difference === undefined) return;
    const { added, removed, modified } = difference;
    if (added !== undefined) (this.#added ??= new Map()).set(step(name), added);
    if (removed !== undefined) (this.#removed ??= new Map()).set(step(name), removed);
    if (modified !== undefined) (this.#modified ??= new Map()).set(step(name), modified);
  }

  result(): Difference | undefined {
    if (this.#added === undefined && this.#removed === undefined && this.#modified === undefined) return undefined;
    return { added: passing(this.#added), removed: passing(this.#removed), modified: passing(this.#modified) };
  }
}

/** A place that is only on the way. */
function passing(nodes: ReadonlyMap<PathElement, FieldNode> | undefined): FieldNode | undefined {
  return nodes === undefined ? undefined : { member: false, children: FieldSet.ofNodes(nodes) };
}
