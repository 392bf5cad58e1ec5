/** Merging an applied configuration into an object, and taking fields away, by schema. */
import { type FieldPath, FieldSet, memberElement, memberName, type PathElement } from './field-set.ts';
import { define, isJsonObject } from './merge-patch.ts';
import type { Json } from './meta.ts';
import { elementOf, elementsOf, membersOf, type Schema, shapeOf } from './typed-value.ts';

/** `live` with everything that `applied` says (TypedValue.Merge): members and keyed elements merge, the rest is replaced. */
export function mergeTyped(live: Json | undefined, applied: Json | undefined, schema: Schema): Json | undefined {
  if (applied === undefined) return live;
  const shape = shapeOf(schema);
  if (shape === 'members' && schema !== undefined && isJsonObject(applied)) {
    const merged: Record<string, Json> = {};
    for (const [name, value] of membersOf(live)) define(merged, name, value);
    for (const [name, value] of membersOf(applied)) {
      const before = Object.hasOwn(merged, name) ? merged[name] : undefined;
      define(merged, name, mergeTyped(before, value, schema.field(name)) ?? null);
    }
    return merged;
  }
  if (shape === 'elements' && schema !== undefined && Array.isArray(applied) && Array.isArray(live)) {
    return mergeElements(elementsOf(live, schema), elementsOf(applied, schema), schema.items);
  }
  return applied;
}

/** Applied elements in their order, live ones where they were between those that both lists share (mergingWalker.visitListItems). */
function mergeElements(live: ReadonlyMap<PathElement, Json>, applied: ReadonlyMap<PathElement, Json>, items: Schema): Json[] {
  const liveOrder = [...live.keys()];
  const appliedOrder = [...applied.keys()];
  const shared = appliedOrder.filter((element) => live.has(element));
  const done = new Set<PathElement>();
  const out: Json[] = [];
  const take = (element: PathElement): void => {
    done.add(element);
    if (shared[0] === element) shared.shift();
    out.push(mergeTyped(live.get(element), applied.get(element), items) ?? null);
  };
  let l = 0;
  let a = 0;
  while (l < liveOrder.length || a < appliedOrder.length) {
    const left = liveOrder[l];
    const right = appliedOrder[a];
    if (left !== undefined && right !== undefined && left === right) {
      take(left);
      l++;
      a++;
    } else if (left !== undefined && !applied.has(left)) {
      take(left);
      l++;
    } else if (left !== undefined && (done.has(left) || (right !== undefined && shared[0] !== undefined && shared[0] !== left))) {
      // Shared, but merged already or to be merged at its place in the applied list.
      l++;
    } else if (right !== undefined) {
      take(right);
      a++;
    }
  }
  return out;
}

/** `value` without the places in `fields` (TypedValue.RemoveItems); undefined when nothing is left of it. */
export function removeFields(value: Json, fields: FieldSet, schema: Schema): Json | undefined {
  const shape = shapeOf(schema);
  if (fields.isEmpty || shape === 'whole' || schema === undefined) return value;
  if (shape === 'members') {
    const kept: Record<string, Json> = {};
    for (const [name, member] of membersOf(value)) {
      const element = memberElement(name);
      if (fields.hasMember(element)) continue;
      // A member of which nothing is left stays as null, and with it who owns it.
      define(kept, name, removeFields(member, fields.below(element), schema.field(name)) ?? null);
    }
    return membersOf(kept).length === 0 ? undefined : kept;
  }
  if (!Array.isArray(value)) return value;
  const kept: Json[] = [];
  for (const item of value) {
    const element = elementOf(item, schema);
    if (fields.hasMember(element)) continue;
    const rest = removeFields(item, fields.below(element), schema.items);
    if (rest !== undefined) kept.push(rest);
  }
  return kept.length === 0 ? undefined : kept;
}

/** `fields` together with the members of structures that it only mentions on the way (Set.EnsureNamedFieldsAreMembers). */
export function withNamedFields(fields: FieldSet, schema: Schema): FieldSet {
  const paths: FieldPath[] = [];
  collectNamed(fields, schema, { path: [], paths });
  return fields.union(FieldSet.of(paths));
}

function collectNamed(fields: FieldSet, schema: Schema, to: { readonly path: FieldPath; readonly paths: FieldPath[] }): void {
  if (schema === undefined) return;
  for (const element of fields.elements()) {
    const below = fields.below(element);
    if (below.isEmpty) continue;
    const path = [...to.path, element];
    const name = memberName(element);
    if (name !== undefined && schema.type === 'object' && schema.field(name) !== undefined) to.paths.push(path);
    collectNamed(below, name === undefined ? schema.items : schema.field(name), { path, paths: to.paths });
  }
}
