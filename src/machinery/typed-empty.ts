/** Objects as Go holds them: structures that are no pointers are always there, if empty. Comparisons depend on it. */
import { define, isJsonObject } from './merge-patch.ts';
import type { Json } from './meta.ts';
import type { SchemaNode } from './schema.ts';
import { membersOf, type Schema } from './typed-value.ts';

/**
 * `value` with an empty object for each absent structure whose schema defaults to `{}` (upstream's generator writes that default
 * for structures held by value) and null for each absent required list or map.
 */
export function withEmptyStructures(value: Json, schema: Schema): Json {
  if (schema === undefined || value === null) return value;
  if (Array.isArray(value)) return value.map((item: Json) => withEmptyStructures(item, schema.items));
  if (!isJsonObject(value)) return value;
  const filled: Record<string, Json> = {};
  for (const [name, member] of membersOf(value)) define(filled, name, withEmptyStructures(member, schema.field(name)));
  if (schema.type !== 'object') return filled;
  for (const name of schema.fieldNames) {
    if (Object.hasOwn(filled, name)) continue;
    const empty = emptyOf(schema.field(name), schema.required.includes(name));
    if (empty !== undefined) define(filled, name, empty);
  }
  return filled;
}

function emptyOf(field: SchemaNode | undefined, required: boolean): Json | undefined {
  if (field === undefined) return undefined;
  const byValue = field.type === 'object' && isJsonObject(field.default) && membersOf(field.default).length === 0;
  if (byValue) return withEmptyStructures({}, field);
  return required && (field.type === 'list' || field.type === 'map') ? null : undefined;
}
