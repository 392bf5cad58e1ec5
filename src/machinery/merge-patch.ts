/** JSON merge patch (RFC 7386). */
import { goJsonType } from './json-patch.ts';
import type { Json } from './meta.ts';
import { badRequest } from './status.ts';

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json | undefined };

/** Whether `value` is a JSON object. */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `doc` with `patch` merged in: null removes, objects merge, everything else replaces. Throws ApiError 400 unless the patch is an object. */
export function applyMergePatch(doc: Json, patch: Json): Json {
  return merge(doc, checkedPatch(patch));
}

/** The patch if it is an object; throws ApiError 400 with upstream's texts. */
export function checkedPatch(patch: Json): JsonObject {
  if (patch === null) throw badRequest('Invalid JSON Patch');
  if (isJsonObject(patch)) return patch;
  throw badRequest(`error decoding patch: json: cannot unmarshal ${goJsonType(patch)} into Go value of type map[string]interface {}`);
}

function merge(doc: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const merged: Record<string, Json> = {};
  // Entries are defined, not assigned: a member called __proto__ is a member like any other.
  for (const [key, value] of Object.entries(isJsonObject(doc) ? doc : {})) if (value !== undefined) define(merged, key, value);
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) Reflect.deleteProperty(merged, key);
    else define(merged, key, merge(Object.hasOwn(merged, key) ? merged[key] : undefined, value));
  }
  return merged;
}

/** Sets an own member whatever its name is: assigning to __proto__ would not. */
export function define(target: Record<string, Json>, key: string, value: Json): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}
