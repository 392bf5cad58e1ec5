/** JSON seen through its schema: how lists are keyed, what is one piece, which fields a value sets (structured-merge-diff typed). */
import { type FieldPath, FieldSet, elementText, fieldPathText, keyElement, memberElement, type PathElement, valueElement } from './field-set.ts';
import { goValue } from './go-text.ts';
import { isJsonObject, type JsonObject } from './merge-patch.ts';
import type { Json } from './meta.ts';
import type { SchemaNode } from './schema.ts';

/** The schema of a place, undefined where the schema knows nothing: such values are kept whole. */
export type Schema = SchemaNode | undefined;

/** How a place merges: its members one by one, its elements one by one, or as a whole. */
export function shapeOf(schema: Schema): 'members' | 'elements' | 'whole' {
  if (schema === undefined || schema.atomic) return 'whole';
  if (schema.type === 'object' || schema.type === 'map') return 'members';
  return schema.type === 'list' && schema.listType !== 'atomic' ? 'elements' : 'whole';
}

/** The step to an element of a set or a list map. Keys that are absent take their default or stay out. */
export function elementOf(item: Json, list: SchemaNode): PathElement {
  if (list.listType !== 'map') return valueElement(item);
  const keys: Record<string, Json> = {};
  for (const key of list.mapKeys) {
    const value = (isJsonObject(item) ? item[key] : undefined) ?? list.items?.field(key)?.default;
    if (value !== undefined) keys[key] = value;
  }
  return keyElement(keys);
}

/** A list's elements by their steps, in order; of repeated ones the first counts. */
export function elementsOf(list: Json | undefined, schema: SchemaNode): Map<PathElement, Json> {
  const elements = new Map<PathElement, Json>();
  if (!Array.isArray(list)) return elements;
  for (const item of list) {
    const element = elementOf(item, schema);
    if (!elements.has(element)) elements.set(element, item);
  }
  return elements;
}

/** The steps that several elements of a list share, which upstream then takes as one piece; `elements` are those of elementsOf. */
export function repeatedElements(
  list: Json | undefined,
  elements: ReadonlyMap<PathElement, Json>,
  schema: SchemaNode,
): ReadonlyMap<PathElement, readonly Json[]> {
  const repeated = new Map<PathElement, Json[]>();
  if (!Array.isArray(list) || list.length === elements.size) return repeated;
  for (const item of list) {
    const element = elementOf(item, schema);
    const others = repeated.get(element);
    if (others === undefined) repeated.set(element, [item]);
    else others.push(item);
  }
  for (const [element, items] of repeated) if (items.length === 1) repeated.delete(element);
  return repeated;
}

/** Defined members of an object. */
export function membersOf(value: Json | undefined): [string, Json][] {
  if (!isJsonObject(value)) return [];
  return Object.entries(value).filter((entry): entry is [string, Json] => entry[1] !== undefined);
}

/** The fields that `value` sets: its leaves, and each element of a list map itself (TypedValue.ToFieldSet). */
export function fieldsOf(value: Json, schema: Schema): FieldSet {
  const paths: FieldPath[] = [];
  collect({ value, schema, path: [] }, paths);
  return FieldSet.of(paths);
}

interface Place {
  readonly value: Json;
  readonly schema: Schema;
  readonly path: FieldPath;
}

function collect({ value, schema, path }: Place, paths: FieldPath[]): void {
  const shape = shapeOf(schema);
  if (shape === 'elements' && schema !== undefined) {
    const elements = elementsOf(value, schema);
    const repeated = repeatedElements(value, elements, schema);
    for (const [element, item] of elements) {
      const at = [...path, element];
      if (!repeated.has(element)) collect({ value: item, schema: schema.items, path: at }, paths);
      paths.push(at);
    }
  } else if (shape === 'members' && schema !== undefined) {
    for (const [name, member] of membersOf(value)) {
      const at = [...path, memberElement(name)];
      collect({ value: member, schema: schema.field(name), path: at }, paths);
      const blank = member === null || (isJsonObject(member) && membersOf(member).length === 0);
      // Keys of a map are set themselves, members of a structure only through what they contain.
      if (blank || schema.type === 'map') paths.push(at);
    }
  } else paths.push(path);
}

/** What does not fit the schema, as upstream words it; empty when everything fits. */
export function typeProblems(value: Json, schema: Schema): string[] {
  const problems: string[] = [];
  checkType({ value, schema, path: [] }, problems);
  return problems;
}

function checkType(place: Place, problems: string[]): void {
  const { value, schema, path } = place;
  if (value === null || schema === undefined || schema.type === 'any') return;
  if (schema.type === 'object' || schema.type === 'map') checkMembers(place, schema, problems);
  else if (schema.type === 'list') checkElements(place, schema, problems);
  else {
    const expected = scalarExpected(value, schema.type);
    if (expected !== undefined) problems.push(`${fieldPathText(path)}: expected ${expected}, got ${boxed(value)}`);
  }
}

function checkMembers({ value, path }: Place, schema: SchemaNode, problems: string[]): void {
  if (!isJsonObject(value)) {
    problems.push(`${fieldPathText(path)}: expected map, got ${boxed(value)}`);
    return;
  }
  for (const [name, member] of membersOf(value)) {
    const at = [...path, memberElement(name)];
    const field = schema.field(name);
    if (field === undefined && schema.type === 'object') problems.push(`${fieldPathText(at)}: field not declared in schema`);
    else checkType({ value: member, schema: field, path: at }, problems);
  }
}

function checkElements({ value, path }: Place, schema: SchemaNode, problems: string[]): void {
  if (!Array.isArray(value)) {
    problems.push(`${fieldPathText(path)}: expected list, got ${boxed(value)}`);
    return;
  }
  const seen = new Set<PathElement>();
  for (const [i, item] of value.entries()) {
    const element = schema.listType === 'atomic' ? `i:${i}` : elementOf(item, schema);
    if (seen.has(element)) problems.push(`${fieldPathText(path)}: duplicate entries for key ${elementText(element)}`);
    seen.add(element);
    checkType({ value: item, schema: schema.items, path: [...path, element] }, problems);
  }
}

function scalarExpected(value: Json, type: SchemaNode['type']): string | undefined {
  const actual = typeof value;
  const numeric = actual === 'number' || actual === 'bigint';
  if (type === 'string') return actual === 'string' ? undefined : 'string';
  if (type === 'boolean') return actual === 'boolean' ? undefined : 'boolean';
  if (type === 'integer' || type === 'number') return numeric ? undefined : 'numeric (int or float)';
  return numeric || actual === 'string' ? undefined : 'scalar';
}

/** Upstream prints a pointer to the boxed value. */
function boxed(value: Json): string {
  return `&{${goValue(value)}}`;
}

/** Whether two values are the same; the order of members does not count, 1 and 1n are the same number. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return isNumeric(a) && isNumeric(b) && String(a) === String(b);
  if (isList(a)) return isList(b) && sameElements(a, b);
  return !isList(b) && sameMembers(a, b);
}

function isNumeric(value: Json | undefined): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function sameElements(a: readonly Json[], b: readonly Json[]): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (!sameJson(a[at], b[at])) return false;
  return true;
}

/** Writes are compared several times over, member by member: this makes no lists of them. Objects of JSON inherit nothing, so that all names are their own. */
function sameMembers(a: JsonObject, b: JsonObject): boolean {
  let more = 0;
  for (const name in a) {
    const member = a[name];
    if (member === undefined) continue;
    if (!Object.hasOwn(b, name) || !sameJson(member, b[name])) return false;
    more++;
  }
  for (const name in b) if (b[name] !== undefined) more--;
  return more === 0;
}
