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
    case 'time':
      return typeof value === 'string' ? canonicalTime(value) : value;
    default:
      return value;
  }
}

function canonicalList(list: readonly Json[], items: SchemaNode): readonly Json[] {
  let changed: Json[] | undefined;
  for (let at = 0; at < list.length; at++) {
    const item = list[at];
    const kept = canonicalValue(item ?? zeroOf(items), items);
    if (kept !== item) changed ??= [...list];
    if (changed !== undefined) changed[at] = kept;
  }
  return changed ?? list;
}

function zeroOf(schema: SchemaNode): Json {
  return schema.type === 'object' ? {} : (schema.default ?? null);
}

function canonicalMap(map: JsonMap, schema: SchemaNode): Json {
  const values = schema.field('');
  if (values === undefined || values.type === 'any') return map;
  const isResources = schema.goType === 'v1.ResourceList';
  let changed: Record<string, Json | undefined> | undefined;
  for (const name of Object.keys(map)) {
    const value = map[name];
    const canonicalized = canonicalValue(value ?? zeroOf(values), values);
    const kept = isResources ? milliAmount(canonicalized) : canonicalized;
    if (kept !== value) (changed ??= { ...map })[name] = kept;
  }
  return changed ?? map;
}

/** Most objects are canonical already, so that a copy is made only of those that are not. */
function canonicalObject(object: JsonMap, schema: SchemaNode): Json {
  let result = object;
  for (const name of Object.keys(object)) {
    const value = object[name];
    const kept = canonicalMember(value, name, schema);
    if (kept !== value) result = kept === undefined ? without(result, name) : { ...result, [name]: kept };
  }
  let filled: Record<string, Json | undefined> | undefined;
  for (const [name, zero] of impliedZeroes(schema)) if (result[name] === undefined) (filled ??= { ...result })[name] = zero;
  return filled ?? result;
}

function without(object: JsonMap, name: string): JsonMap {
  const { [name]: _, ...rest } = object;
  return rest;
}

/** Undefined for what is not there canonically. */
function canonicalMember(value: Json | undefined, name: string, schema: SchemaNode): Json | undefined {
  if (value === null || value === undefined) return undefined;
  const field = schema.field(name);
  if (field === undefined) return value;
  const kept = canonicalValue(value, field);
  // An empty list or map that is always printed comes back from storage as null.
  return isLeftOut(kept, field) && !keepsEmpty(schema, name) ? undefined : kept;
}

/** Validation tells these apart from absent ones, or prints them, and an empty list of managers lets go of all fields: list attributes, devices beside shared counters, what makes a request of v1beta1 exact. */
const KEPT_EMPTY: ReadonlySet<string> = new Set([
  ...['ints', 'bools', 'strings', 'versions'].map((name) => `DeviceAttribute.${name}`),
  'ResourceSliceSpec.devices',
  'ResourceSliceSpec.sharedCounters',
  'DeviceClaim.requests',
  'DeviceRequest.selectors',
  'NodeSelector.nodeSelectorTerms',
  'ObjectMeta.managedFields',
]);

function keepsEmpty(schema: SchemaNode, key: string): boolean {
  return KEPT_EMPTY.has(`${structureName(schema)}.${key}`);
}

/** The name of a structure without its version. */
function structureName({ goType }: SchemaNode): string {
  return goType.replace(/^.*\./, '');
}

const implied = new WeakMap<SchemaNode, readonly (readonly [string, Json])[]>();

/** What Go prints for the absent members of a structure; computed once. */
function impliedZeroes(schema: SchemaNode): readonly (readonly [string, Json])[] {
  const known = implied.get(schema);
  if (known !== undefined) return known;
  const zeroes = schema.fieldNames.flatMap((name): [string, Json][] => {
    const field = schema.field(name);
    if (field?.absent === undefined) return [];
    return [[name, isMap(field.absent) ? canonicalObject(field.absent, field) : field.absent]];
  });
  implied.set(schema, zeroes);
  return zeroes;
}

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Times that are canonical at a glance; the last days of a month are not, since not every month has them. */
const CANONICAL = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

/** RFC 3339 in UTC with whole seconds, cut as Go's metav1.Time does; other texts stay. */
export function canonicalTime(text: string): string {
  if (CANONICAL.test(text)) return text;
  if (!RFC3339.test(text)) return text;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? text : `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

function canonicalQuantity(value: Json): Json {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return value;
  return parseQuantity(String(value))?.toString() ?? value;
}

/** Canonical amounts with parts smaller than a thousandth. */
const FINE = /[nu]$|e-/;

/** Lists of resources in core/v1 hold no less than thousandths, rounded up (core/v1 SetDefaults_ResourceList). */
function milliAmount(value: Json): Json {
  if (typeof value !== 'string' || !FINE.test(value)) return value;
  return parseQuantity(`${String(parseQuantity(value)?.milliValue() ?? 0)}m`)?.toString() ?? value;
}

/** Whether Go's `omitempty` leaves the value out: what is empty, and zeroes that no pointer holds. */
function isLeftOut(value: Json, schema: SchemaNode): boolean {
  if (schema.type === 'list') return Array.isArray(value) && value.length === 0;
  if (schema.type === 'map') return isMap(value) && Object.keys(value).length === 0;
  return schema.omitsEmpty && !schema.pointer && (value === '' || value === 0 || value === false);
}

function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
