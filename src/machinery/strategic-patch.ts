/** Strategic merge patch: merges by the schema's keys and strategies (apimachinery strategicpatch). */
import { goValue } from './go-text.ts';
import { checkedPatch, define, isJsonObject, type JsonObject } from './merge-patch.ts';
import type { Json } from './meta.ts';
import type { SchemaNode } from './schema.ts';
import { badRequest } from './status.ts';
import { identityOf, inOrder } from './strategic-order.ts';

const DIRECTIVE_MARKER = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_FROM_PRIMITIVE_LIST = '$deleteFromPrimitiveList/';
const SET_ELEMENT_ORDER = '$setElementOrder/';

type Schema = SchemaNode | undefined;

/** `doc` with `patch` merged in as `schema` says; throws ApiError 400 with upstream's text. */
export function applyStrategicMergePatch(doc: Json, patch: Json, schema: SchemaNode): Json {
  return mergeObject(isJsonObject(doc) ? doc : {}, checkedPatch(patch), schema);
}

function mergeObject(original: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  if (patch[DIRECTIVE_MARKER] !== undefined) return directed(patch);
  const merged = retained(original, patch);
  const ordered = applyElementOrders(merged, patch, schema);
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined || key === RETAIN_KEYS || key.startsWith(SET_ELEMENT_ORDER) || ordered.has(key)) continue;
    if (key.startsWith(DELETE_FROM_PRIMITIVE_LIST)) deletePrimitives(merged, key.slice(DELETE_FROM_PRIMITIVE_LIST.length), value);
    else if (value === null) Reflect.deleteProperty(merged, key);
    else define(merged, key, mergeValue(own(merged, key), value, schema?.field(key)));
  }
  return merged;
}

function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** `$patch` on an object: take the patch as it is, or nothing. */
function directed(patch: JsonObject): JsonObject {
  const { [DIRECTIVE_MARKER]: directive, ...rest } = patch;
  if (directive === 'replace') return withoutDirectives(rest);
  if (directive === 'delete') return {};
  throw badRequest(`unknown patch type: ${goValue(directive)} in map: ${goValue(patch)}`);
}

/** A copy of `original`, reduced to the members that `$retainKeys` names. */
function retained(original: JsonObject, patch: JsonObject): Record<string, Json> {
  const directive = patch[RETAIN_KEYS];
  if (directive !== undefined && !Array.isArray(directive)) throw badRequest('invalid patch format of retainKeys');
  const keys = directive === undefined ? undefined : new Set<Json>(directive);
  if (keys !== undefined) {
    const isDirective = (key: string): boolean => key === RETAIN_KEYS || key.startsWith(DELETE_FROM_PRIMITIVE_LIST) || key.startsWith(SET_ELEMENT_ORDER);
    const stray = Object.entries(patch).some(([key, value]) => value !== null && value !== undefined && !isDirective(key) && !keys.has(key));
    if (stray) throw badRequest('invalid patch format of retainKeys');
  }
  const copy: Record<string, Json> = {};
  for (const [key, value] of Object.entries(original)) {
    if (value !== undefined && (keys === undefined || keys.has(key))) define(copy, key, value);
  }
  return copy;
}

function mergeValue(original: Json | undefined, patch: Json, schema: Schema): Json {
  const replaces = schema?.patchStrategies.includes('replace') === true;
  if (isJsonObject(original) && isJsonObject(patch)) return replaces ? withoutDirectives(patch) : mergeObject(original, patch, schema);
  if (Array.isArray(original) && Array.isArray(patch)) {
    return schema?.patchStrategies.includes('merge') === true ? mergeList(original, patch, schema) : clean(patch);
  }
  return clean(patch);
}

function mergeList(original: readonly Json[], patch: readonly Json[], schema: SchemaNode): Json {
  const scalars = ![...original, ...patch].some(isJsonObject);
  if (scalars) return inOrder([...new Set([...original, ...patch])], patch, original, undefined);
  const key = schema.patchMergeKey;
  if (key === undefined) throw badRequest('cannot merge lists without merge key');
  const { kept, additions } = applyListDirectives(original, patch, key);
  const merged = [...kept];
  for (const addition of additions) {
    const identity = keyOf(addition, key);
    const at = merged.findIndex((element) => identityOf(element, key) === identity);
    const found = merged[at];
    if (isJsonObject(found)) merged[at] = mergeObject(found, addition, schema.items);
    else merged.push(clean(addition));
  }
  return inOrder(merged, additions, kept, key);
}

/** What is left of the list, and what is to be merged in, once `$patch` elements have been carried out. */
function applyListDirectives(original: readonly Json[], patch: readonly Json[], key: string): { kept: readonly Json[]; additions: readonly JsonObject[] } {
  const additions: JsonObject[] = [];
  let kept = original;
  let replace = false;
  for (const element of patch) {
    if (!isJsonObject(element)) throw badRequest('invalid patch format of list: elements are of different types');
    const directive = element[DIRECTIVE_MARKER];
    if (directive === undefined) additions.push(element);
    else if (directive === 'replace') replace = true;
    else if (directive === 'delete') {
      const identity = keyOf(element, key);
      kept = kept.filter((candidate) => identityOf(candidate, key) !== identity);
    } else if (directive === 'merge') throw badRequest('merging lists cannot yet be specified in the patch');
    else throw badRequest(`unknown patch type: ${goValue(directive)} in map: ${goValue(element)}`);
  }
  return { kept: replace ? [] : kept, additions };
}

function keyOf(element: JsonObject, key: string): Json {
  const identity = element[key];
  if (identity === undefined) throw badRequest(`map: ${goValue(element)} does not contain declared merge key: ${key}`);
  return identity;
}

/** Carries out `$setElementOrder/x` together with the patch's list x; returns the lists that are done. */
function applyElementOrders(merged: Record<string, Json>, patch: JsonObject, schema: Schema): ReadonlySet<string> {
  const done = new Set<string>();
  for (const [directive, order] of Object.entries(patch)) {
    if (!directive.startsWith(SET_ELEMENT_ORDER)) continue;
    const key = directive.slice(SET_ELEMENT_ORDER.length);
    const field = schema?.field(key);
    const before = own(merged, key);
    const change = patch[key];
    checkOrder(order, change, field?.patchMergeKey);
    if (!Array.isArray(order) || change === null || (before === undefined && change === undefined)) continue;
    const value = change === undefined ? before : mergeValue(before, change, field);
    if (!Array.isArray(value)) continue;
    define(merged, key, inOrder(value, order, Array.isArray(before) ? before : [], field?.patchMergeKey));
    done.add(key);
  }
  return done;
}

/** Each element of the patch's list, in its order, must be named by the order directive. */
function checkOrder(order: Json | undefined, change: Json | undefined, mergeKey: string | undefined): void {
  const wrong = badRequest('invalid patch format of setElementOrder list');
  if (!Array.isArray(order)) throw wrong;
  if (!Array.isArray(change)) return;
  const named = order.map((element: Json) => identityOf(element, mergeKey));
  let from = 0;
  for (const element of change) {
    if (isJsonObject(element) && element[DIRECTIVE_MARKER] === 'delete') continue;
    const at = named.indexOf(identityOf(element, mergeKey), from);
    if (at < 0) throw wrong;
    from = at + 1;
  }
}

function deletePrimitives(merged: Record<string, Json>, key: string, values: Json): void {
  if (!Array.isArray(values)) throw badRequest('invalid patch format of primitive list');
  const list = own(merged, key);
  if (!Array.isArray(list)) return;
  const unwanted = new Set<Json>(values);
  define(
    merged,
    key,
    list.filter((element: Json) => !unwanted.has(element)),
  );
}

/** A value that the patch brings in whole, without directives and nulls. */
function clean(value: Json): Json {
  if (Array.isArray(value)) {
    return value.filter((element: Json) => !isJsonObject(element) || element[DIRECTIVE_MARKER] === undefined).map(clean);
  }
  return isJsonObject(value) ? withoutDirectives(value) : value;
}

function withoutDirectives(patch: JsonObject): JsonObject {
  const copy: Record<string, Json> = {};
  if (patch[DIRECTIVE_MARKER] === 'delete') return copy;
  for (const [key, value] of Object.entries(patch)) {
    const directive = key === DIRECTIVE_MARKER || key === RETAIN_KEYS || key.startsWith(SET_ELEMENT_ORDER) || key.startsWith(DELETE_FROM_PRIMITIVE_LIST);
    if (!directive && value !== null && value !== undefined) define(copy, key, clean(value));
  }
  return copy;
}
