/** Brings decoded JSON into the form Go's types give it: no nulls, zero values where the wire always has them, canonical quantities and times. */
import { parseQuantity, type ApiObject, type Json, type SchemaNode } from '#machinery';

type JsonMap = { readonly [key: string]: Json | undefined };

/**
 * The object as upstream would print it after reading it: null members are absent, structures that are no pointers
 * are present even if empty, required scalars have their zero value, optional empty lists and maps are gone,
 * quantities are canonical, times are in UTC and whole seconds. Members the schema does not know stay.
 */
export function canonical<T extends ApiObject>(object: T, schema: SchemaNode): T {
  // The shape is kept; only values that mean the same are rewritten.
  return canonicalValue(object as unknown as Json, schema) as unknown as T;
}

function canonicalValue(value: Json, schema: SchemaNode): Json {
  switch (schema.type) {
    case 'object':
      return isMap(value) ? canonicalObject(value, schema) : value;
    case 'map':
      return isMap(value) ? canonicalMap(value, schema) : value;
    case 'list':
      return Array.isArray(value) && schema.items !== undefined ? canonicalList(value, schema.items) : value;
    case 'quantity':
      return canonicalQuantity(value);
    default:
      return value;
  }
}

function canonicalList(list: readonly Json[], items: SchemaNode): readonly Json[] {
  return list.map((item) => canonicalValue(item ?? zeroOf(items), items));
}

function zeroOf(schema: SchemaNode): Json {
  return schema.type === 'object' ? {} : (schema.default ?? null);
}

function canonicalMap(map: JsonMap, schema: SchemaNode): Json {
  const values = schema.field('');
  if (values === undefined || values.type === 'any') return map;
  const entries = Object.entries(map).map(([key, value]) => [key, canonicalValue(value ?? zeroOf(values), values)] as const);
  return Object.fromEntries(entries);
}

function canonicalObject(object: JsonMap, schema: SchemaNode): Json {
  const result: Record<string, Json> = {};
  for (const [key, value] of Object.entries(object)) {
    if (value === null || value === undefined) continue;
    const field = schema.field(key);
    const kept = field === undefined ? value : canonicalMember(key, value, field);
    if (field !== undefined && !KEPT_EMPTY.has(key) && isEmptyCollection(kept, field) && !schema.required.includes(key)) continue;
    result[key] = kept;
  }
  for (const name of schema.fieldNames) {
    if (Object.hasOwn(result, name)) continue;
    const zero = impliedZero(name, schema);
    if (zero !== undefined) result[name] = zero;
  }
  return result;
}

/** Validation tells these apart from absent ones: list attributes, and devices beside shared counters. */
const KEPT_EMPTY = new Set(['ints', 'bools', 'strings', 'versions', 'devices', 'sharedCounters']);

/** What Go prints for an absent member: structures that are no pointers, and required scalars. */
function impliedZero(name: string, schema: SchemaNode): Json | undefined {
  const field = schema.field(name);
  if (field?.default === undefined) return undefined;
  if (field.type === 'object') return canonicalObject({}, field);
  const scalar = field.type === 'string' || field.type === 'integer' || field.type === 'boolean';
  return scalar && schema.required.includes(name) ? field.default : undefined;
}

/** Members of type Time; micro times (Lease, Event) keep their fractions. */
const TIMES = new Set(['creationTimestamp', 'deletionTimestamp', 'timeAdded', 'lastTransitionTime', 'allocationTimestamp', 'firstTimestamp', 'lastTimestamp']);
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function canonicalMember(key: string, value: Json, schema: SchemaNode): Json {
  if (schema.type === 'string' && TIMES.has(key) && typeof value === 'string') return canonicalTime(value);
  return canonicalValue(value, schema);
}

/** RFC 3339 in UTC with whole seconds, cut as Go's metav1.Time does; other texts stay. */
export function canonicalTime(text: string): string {
  if (!RFC3339.test(text)) return text;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? text : `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

function canonicalQuantity(value: Json): Json {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return value;
  return parseQuantity(String(value))?.toString() ?? value;
}

function isEmptyCollection(value: Json, schema: SchemaNode): boolean {
  if (schema.type === 'list') return Array.isArray(value) && value.length === 0;
  return schema.type === 'map' && isMap(value) && Object.keys(value).length === 0;
}

function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
