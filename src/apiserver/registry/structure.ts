/** Checks a decoded body against a kind's schema, as upstream's typed decoding does: types are errors, unknown fields are reported. */
import { type Json, type SchemaNode, badRequest, parseQuantity } from '#machinery';

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** The value with nulls and unknown fields dropped, and the paths of the unknown ones. */
export interface StructureResult {
  readonly value: Json;
  readonly unknownFields: readonly string[];
}

/** A value of the wrong type; the caller prefixes which kind could not be decoded. */
export class StructureError extends Error {
  override readonly name = 'StructureError';
}

/** Checks `value` against `schema`; throws StructureError for a value of the wrong type. */
export function checkStructure(schema: SchemaNode, value: Json): StructureResult {
  const unknownFields: string[] = [];
  return { value: check(schema, value, '', unknownFields), unknownFields };
}

function check(schema: SchemaNode, value: Json, path: string, unknown: string[]): Json {
  switch (schema.type) {
    case 'any':
      return value;
    case 'object':
      return checkObject(schema, value, path, unknown);
    case 'map':
      return checkMap(schema, value, path, unknown);
    case 'list':
      return checkList(schema, value, path, unknown);
    default:
      return checkScalar(schema.type, value, path);
  }
}

function checkObject(schema: SchemaNode, value: Json, path: string, unknown: string[]): Json {
  const members = membersOf(value, path, 'object');
  const checked: Record<string, Json> = {};
  for (const [name, member] of Object.entries(members)) {
    const at = path === '' ? name : `${path}.${name}`;
    const child = schema.field(name);
    if (child === undefined) unknown.push(at);
    else if (member !== null && member !== undefined) checked[name] = check(child, member, at, unknown);
    else if (member === null && child.type === 'any') checked[name] = null;
  }
  return checked;
}

function checkMap(schema: SchemaNode, value: Json, path: string, unknown: string[]): Json {
  const checked: Record<string, Json> = {};
  for (const [name, member] of Object.entries(membersOf(value, path, 'map'))) {
    const child = schema.field(name);
    if (member === undefined || child === undefined) continue;
    checked[name] = member === null ? zeroOf(child) : check(child, member, `${path}.${name}`, unknown);
  }
  return checked;
}

/** What Go decodes null in a map to. */
function zeroOf(schema: SchemaNode): Json {
  switch (schema.type) {
    case 'string':
      return '';
    case 'integer':
    case 'number':
      return 0;
    case 'quantity':
      return '0';
    case 'boolean':
      return false;
    case 'object':
      return {};
    default:
      return null;
  }
}

function checkList(schema: SchemaNode, value: Json, path: string, unknown: string[]): Json {
  if (!Array.isArray(value)) throw wrongType(value, path, 'list');
  const { items } = schema;
  if (items === undefined) return value;
  const elements: readonly Json[] = value;
  return elements.map((element, at) => (element === null ? zeroOf(items) : check(items, element, `${path}[${String(at)}]`, unknown)));
}

function checkScalar(type: SchemaNode['type'], value: Json, path: string): Json {
  switch (type) {
    case 'integer':
      return checkInteger(value, path);
    case 'quantity':
      return checkQuantity(value, path);
    case 'int-or-string':
      if (typeof value === 'string' || typeof value === 'number') return value;
      throw wrongType(value, path, 'int-or-string');
    case 'number':
      if (typeof value === 'number' || typeof value === 'bigint') return value;
      throw wrongType(value, path, 'number');
    default:
      if (typeof value === type) return value;
      throw wrongType(value, path, type);
  }
}

function checkInteger(value: Json, path: string): Json {
  const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
  if (!whole) throw wrongType(value, path, 'int64');
  const wide = BigInt(value);
  if (wide > INT64_MAX || wide < INT64_MIN) throw wrongType(value, path, 'int64');
  return value;
}

function checkQuantity(value: Json, path: string): Json {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') throw wrongType(value, path, 'quantity');
  const quantity = parseQuantity(String(value));
  // Upstream: ErrFormatWrong of pkg/api/resource.
  if (quantity === undefined) throw new StructureError(`${path}: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`);
  return quantity.toString();
}

function membersOf(value: Json, path: string, expected: string): { readonly [key: string]: Json | undefined } {
  if (value === null || typeof value !== 'object' || isList(value)) throw wrongType(value, path, expected);
  return value;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function wrongType(value: Json, path: string, expected: string): StructureError {
  return new StructureError(`json: cannot unmarshal ${describe(value)} into field ${path} of type ${expected}`);
}

function describe(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number' || typeof value === 'bigint') return `number ${String(value)}`;
  return typeof value;
}

/** The 400 of a body that cannot be decoded as its kind. */
export function undecodable(kind: string, version: string, why: string): Error {
  return badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`);
}
