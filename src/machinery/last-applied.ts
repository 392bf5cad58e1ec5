/** The annotation of kubectl's client-side apply, from which objects move on to server-side apply (csaupgrade, lastAppliedManager). */
import { FieldSet } from './field-set.ts';
import { parseJson, stringifyJson } from './json.ts';
import { isJsonObject, type JsonObject } from './merge-patch.ts';
import type { Json } from './meta.ts';
import type { SchemaNode } from './schema.ts';
import { compareTyped } from './typed-compare.ts';
import { fieldsOf, membersOf } from './typed-value.ts';

/** Name of the annotation (corev1.LastAppliedConfigAnnotation). */
export const LAST_APPLIED_CONFIG_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

function annotationsOf(object: JsonObject): JsonObject {
  const { metadata } = object;
  const annotations = isJsonObject(metadata) ? metadata['annotations'] : undefined;
  return isJsonObject(annotations) ? annotations : {};
}

/** Whether the object carries the annotation. */
export function hasLastApplied(object: JsonObject): boolean {
  const value = annotationsOf(object)[LAST_APPLIED_CONFIG_ANNOTATION];
  return typeof value === 'string' && value !== '';
}

/** Fields of the annotation's configuration that still have its values in `live`: kubectl may take those over. */
export function lastAppliedFields(live: JsonObject, schema: SchemaNode): FieldSet {
  const text = annotationsOf(live)[LAST_APPLIED_CONFIG_ANNOTATION];
  if (typeof text !== 'string') return FieldSet.empty;
  let configuration: Json;
  try {
    configuration = parseJson(text);
  } catch {
    return FieldSet.empty;
  }
  const { added, modified, removed } = compareTyped(configuration, live, schema);
  return fieldsOf(configuration, schema).difference(modified).difference(added).difference(removed);
}

/** `object` with the annotation brought up to what was applied, for clients that still read it. */
export function withLastApplied(object: JsonObject, applied: JsonObject): JsonObject {
  const { [LAST_APPLIED_CONFIG_ANNOTATION]: _, ...annotations } = annotationsOf(applied);
  const metadata = isJsonObject(applied['metadata']) ? applied['metadata'] : {};
  const hadAnnotations = isJsonObject(metadata['annotations']);
  const configuration = { ...applied, metadata: { ...metadata, ...(hadAnnotations ? { annotations } : {}) } };
  const value = `${stringifyJson(sortMembers(configuration))}\n`;
  const ofObject = isJsonObject(object['metadata']) ? object['metadata'] : {};
  return { ...object, metadata: { ...ofObject, annotations: { ...annotationsOf(object), [LAST_APPLIED_CONFIG_ANNOTATION]: value } } };
}

/** Members in the order in which Go writes a map. */
function sortMembers(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortMembers);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    membersOf(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sortMembers(member)]),
  );
}
