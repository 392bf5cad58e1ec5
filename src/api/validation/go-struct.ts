/** Values in error texts as Go prints upstream's internal types: fields in the order of the type and under Go's names, absent ones as zero. */
import type { Json } from '#machinery';
import { definitions, type OpenApiSchema, referenceOf } from '../schema.ts';
import { numberedFields } from '../schema/field-numbers.ts';
import { goMember } from '../schema/go-members.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
/** Words that Go writes in capitals within names. */
const INITIALISMS: ReadonlyMap<string, string> = new Map([
  ['cel', 'CEL'],
  ['ips', 'IPs'],
  ['uid', 'UID'],
  ['apiGroup', 'APIGroup'],
  ['apiVersion', 'APIVersion'],
]);

/** `value`, of the type that `definition` names, as the JSON that Go makes of its internal form. */
export function goStruct(value: unknown, definition: string): Json {
  const members = typeof value === 'object' && value !== null ? { ...value } : {};
  return Object.fromEntries(membersOf(members, definition, definitions[definition] ?? {}));
}

function membersOf(value: Readonly<Record<string, unknown>>, type: string, schema: OpenApiSchema): [string, Json][] {
  return numberedFields(type).flatMap(({ name, embedded }): [string, Json][] => {
    if (embedded) return membersOf(value, name, schema);
    const use = schema.properties?.[name];
    if (use === undefined) return [];
    // Types of meta/v1 are the same inside and outside: they keep the names and omissions of their JSON.
    if (type.startsWith(META)) return value[name] === undefined ? [] : [[name, metaValue(value[name], use)]];
    // ObjectMeta is embedded in internal types, and keeps the names and omissions of its JSON.
    if (name === 'metadata') return Object.entries((value[name] ?? {}) as Readonly<Record<string, Json>>).map(([key, member]) => [key, sorted(member)]);
    return [[goName(name), goValue(value[name], use, goMember(type, name).pointer)]];
  });
}

function metaValue(value: unknown, use: OpenApiSchema): Json {
  const { items } = use;
  if (items !== undefined && Array.isArray(value)) return value.map((item: unknown) => metaValue(item, items));
  const reference = referenceOf(use);
  const structured = reference !== undefined && definitions[reference]?.properties !== undefined;
  return structured ? goStruct(value, reference) : sorted(value as Json);
}

/** Go prints maps by their keys. */
function sorted(value: Json): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function goName(name: string): string {
  return INITIALISMS.get(name) ?? name.charAt(0).toUpperCase() + name.slice(1);
}

function goValue(value: unknown, use: OpenApiSchema, pointer: boolean): Json {
  const reference = referenceOf(use);
  const structure = reference !== undefined && definitions[reference]?.properties !== undefined ? reference : undefined;
  if (value === undefined || value === null) return absent(use, structure, pointer);
  if (structure !== undefined) return goStruct(value, structure);
  const { items, additionalProperties } = use;
  if (items !== undefined && Array.isArray(value)) return value.map((item: unknown) => goValue(item, items, false));
  if (additionalProperties !== undefined) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([key, member]) => [key, goValue(member, additionalProperties, false)]));
  }
  // What is left are scalars and free-form JSON.
  return value as Json;
}

function absent(use: OpenApiSchema, structure: string | undefined, pointer: boolean): Json {
  if (structure !== undefined) return use.default === undefined ? null : goStruct({}, structure);
  if (pointer) return null;
  if (use.type === 'string') return '';
  if (use.type === 'integer') return 0;
  return use.type === 'boolean' ? false : null;
}
