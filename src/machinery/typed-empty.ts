/** Objects as Go holds them: what is no pointer is always there, if empty. Comparisons depend on it. */
import { define, isJsonObject } from './merge-patch.ts';
import type { Json } from './meta.ts';
import type { SchemaNode } from './schema.ts';
import { membersOf, type Schema } from './typed-value.ts';

/**
 * `value` with what Go's JSON shows of its absent members: empty structures that are held by value, zeroes, null for lists, maps and times.
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
    const empty = emptyOf(schema.field(name));
    if (empty !== undefined) define(filled, name, empty);
  }
  return filled;
}

function emptyOf(field: SchemaNode | undefined): Json | undefined {
  return field?.absent === undefined || field.absent === null ? field?.absent : withEmptyStructures(field.absent, field);
}
