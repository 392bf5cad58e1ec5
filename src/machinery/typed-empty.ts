/** Objects as Go holds them: what is no pointer is always there, if empty. Comparisons depend on it. */
import { oncePer } from '#base';
import { define, isJsonObject } from './merge-patch.ts';
import type { Json } from './meta.ts';
import type { SchemaNode } from './schema.ts';
import { membersOf, type Schema } from './typed-value.ts';

/** What Go's JSON shows of the absent members of an object: empty structures that are held by value, zeroes, null for lists, maps and times. */
export const impliedMembers: (schema: SchemaNode) => ReadonlyMap<string, Json> = oncePer((schema) => {
  const implied = new Map<string, Json>();
  if (schema.type !== 'object') return implied;
  for (const name of schema.fieldNames) {
    const absent = schema.field(name)?.absent;
    if (absent !== undefined) implied.set(name, absent);
  }
  return implied;
});

/** `value` with all implied members, inside of them, too. */
export function withEmptyStructures(value: Json, schema: Schema): Json {
  if (schema === undefined || value === null) return value;
  if (Array.isArray(value)) return value.map((item: Json) => withEmptyStructures(item, schema.items));
  if (!isJsonObject(value)) return value;
  const filled: Record<string, Json> = {};
  for (const [name, member] of membersOf(value)) define(filled, name, withEmptyStructures(member, schema.field(name)));
  for (const [name, empty] of impliedMembers(schema)) {
    if (!Object.hasOwn(filled, name)) define(filled, name, withEmptyStructures(empty, schema.field(name)));
  }
  return filled;
}
