/** The border between typed objects and plain JSON, where patches and managed fields work. */
import { assert } from '#base';
import type { ApiObject, FieldPath, Json } from '#machinery';
import type { Call } from './call.ts';
import { isJsonObject } from './decode.ts';

/** An object as JSON. */
export function asJson(object: ApiObject): Json {
  // API objects are built from JSON values only.
  return object as unknown as Json;
}

/** JSON that is known to be an object with metadata. */
export function asObject(value: Json): ApiObject {
  assert(isJsonObject(value) && isJsonObject(value['metadata']), 'an API object has metadata');
  // Checked above as far as ApiObject demands.
  return value as unknown as ApiObject;
}

/** Deep equality of JSON values; a member that is undefined equals an absent one. */
export function equalJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (isList(a) || isList(b)) return isList(a) && isList(b) && a.length === b.length && a.every((element, at) => equalJson(element, b[at]));
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => equalJson(a[name], b[name]));
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** Fields that the endpoint of a call resets, whose setting therefore owns nothing (upstream: GetResetFields of the kinds' strategies). */
export function resetFieldsOf({ scope: { kind }, target: { subresource } }: Call): readonly FieldPath[] {
  if (!kind.subresources.includes('status')) return [];
  if (subresource === '') return [['f:status']];
  if (subresource !== 'status') return [];
  return kind.kind === 'ResourceClaim' ? [['f:spec'], ['f:metadata']] : [['f:spec']];
}
