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
    const kept = field === undefined ? value : canonicalValue(value, field);
    if (field !== undefined && isEmptyCollection(kept, field) && !keepsEmpty(schema, key)) continue;
    result[key] = kept;
  }
  for (const [name, zero] of impliedZeroes(schema)) if (!Object.hasOwn(result, name)) result[name] = zero;
  return result;
}

/** Validation tells these apart from absent ones: list attributes, devices beside shared counters, what makes a request of v1beta1 exact. */
const KEPT_EMPTY: ReadonlySet<string> = new Set([
  ...['ints', 'bools', 'strings', 'versions'].map((name) => `DeviceAttribute.${name}`),
  'ResourceSliceSpec.devices',
  'ResourceSliceSpec.sharedCounters',
  'DeviceClaim.requests',
  'DeviceRequest.selectors',
]);

function keepsEmpty(schema: SchemaNode, key: string): boolean {
  return schema.required.includes(key) || KEPT_EMPTY.has(`${structureName(schema)}.${key}`);
}

/** The name of a structure without its version. */
function structureName({ goType }: SchemaNode): string {
  return goType.replace(/^.*\./, '');
}

/**
 * Times that upstream's types hold by value: Go prints null for an absent one. Other times are pointers, or left out when zero.
 * A name never means one thing in one kind and the other in another.
 */
const TIMES_BY_VALUE: ReadonlySet<string> = new Set([
  'lastProbeTime',
  'lastTransitionTime',
  'lastHeartbeatTime',
  'lastUpdateTime',
  'lastObservedTime',
  'startedAt',
  'finishedAt',
  'eventTime',
  'firstTimestamp',
  'lastTimestamp',
  'deprecatedFirstTimestamp',
  'deprecatedLastTimestamp',
  'expirationTimestamp',
]);

/** Optional members whose Go tags lack omitempty, by the name of their structure: null is printed for an absent one (k8s.io/api types.go). */
const PRINTED_NULL: Readonly<Record<string, string>> = {
  DeviceClaim: 'requests',
  AllocatedDeviceStatus: 'conditions',
  CapacityRequestPolicy: 'default',
  ClusterRole: 'rules',
  Role: 'rules',
  PodGroupSpec: 'podGroupTemplateRef',
};

const implied = new WeakMap<SchemaNode, readonly (readonly [string, Json])[]>();

/** What Go prints for the absent members of a structure; computed once. */
function impliedZeroes(schema: SchemaNode): readonly (readonly [string, Json])[] {
  const known = implied.get(schema);
  if (known !== undefined) return known;
  const zeroes = schema.fieldNames.flatMap((name): [string, Json][] => {
    const zero = impliedZero(name, schema);
    return zero === undefined ? [] : [[name, zero]];
  });
  implied.set(schema, zeroes);
  return zeroes;
}

/** What Go prints for an absent member: structures and times that are no pointers, required scalars, null for other required members. */
function impliedZero(name: string, schema: SchemaNode): Json | undefined {
  const field = schema.field(name);
  if (TIMES_BY_VALUE.has(name) && (field?.type === 'time' || field?.type === 'micro-time')) return null;
  if (PRINTED_NULL[structureName(schema)] === name) return null;
  if ((field?.type === 'list' || field?.type === 'map') && schema.required.includes(name)) return null;
  if (field?.default === undefined) return undefined;
  if (field.type === 'object') return canonicalObject({}, field);
  const scalar = field.type === 'string' || field.type === 'integer' || field.type === 'boolean';
  return scalar && schema.required.includes(name) ? field.default : undefined;
}

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

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
