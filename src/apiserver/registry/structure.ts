/** Checks a decoded body against a kind's schema, as upstream's typed decoding does: types are errors, unknown fields are reported. */
import { define, type Json, Quantity, QuantityError, type SchemaNode, badRequest, goJsonType, isJsonObject, type JsonObject, stringifyJson } from '#machinery';
import { STRICT_ERRORS_MAX } from './duplicate-fields.ts';
import { timeProblem } from './go-time.ts';

/** How many bits a whole number of a Go type has. */
const INTEGER_BITS: ReadonlyMap<string, number> = new Map([
  ['int32', 32],
  ['int64', 64],
]);

/** The value with nulls and unknown fields dropped, and the paths of the first unknown ones. */
export interface StructureResult {
  readonly value: Json;
  readonly unknownFields: readonly string[];
  /** Paths of atomic lists with a quantity that is stored in another form than it was written in. */
  readonly rewritten: readonly string[];
}

/** A value of the wrong type; the caller prefixes which kind could not be decoded. */
export class StructureError extends Error {
  override readonly name = 'StructureError';
}

/** Checks `value` against `schema`; throws StructureError for a value of the wrong type. What needs no change is not copied. */
export function checkStructure(schema: SchemaNode, value: Json): StructureResult {
  const unknownFields: string[] = [];
  const rewritten = new Set<string>();
  const checked = check(schema, value, { parent: undefined, step: undefined, holder: undefined, atomic: false, found: { unknown: unknownFields, rewritten } });
  return { value: checked, unknownFields, rewritten: [...rewritten] };
}

/** Where a value stands, from the inside out; only who has something to complain about spells it. */
interface Place {
  readonly parent: Place | undefined;
  /** The name of a member, the index in a list; undefined at the root. One place goes from member to member. */
  step: string | number | undefined;
  /** The structure whose member this is; undefined for what stands in a map or list. */
  readonly holder: SchemaNode | undefined;
  /** An element of an atomic list. */
  readonly atomic: boolean;
  readonly found: Findings;
}

/** What is collected on the way. */
interface Findings {
  /** The paths of unknown fields. */
  readonly unknown: string[];
  /** See StructureResult. */
  readonly rewritten: Set<string>;
}

/** As Strict validation names a place: with indices and keys. */
function pathOf(place: Place): string {
  const { parent, step } = place;
  if (parent === undefined || step === undefined) return '';
  const before = pathOf(parent);
  if (typeof step === 'number') return `${before}[${String(step)}]`;
  return before === '' && place.holder !== undefined ? step : `${before}.${step}`;
}

/** As Go's decoder names a place: the innermost structure, and the names of all members on the way. */
function fieldOf(place: Place): { readonly holder: SchemaNode | undefined; readonly field: string } {
  const names: string[] = [];
  let holder: SchemaNode | undefined;
  for (let at: Place | undefined = place; at !== undefined; at = at.parent) {
    if (at.holder === undefined) continue;
    holder ??= at.holder;
    names.unshift(String(at.step));
  }
  return { holder, field: names.join('.') };
}

function check(schema: SchemaNode, value: Json, place: Place): Json {
  switch (schema.type) {
    case 'any':
      return value;
    case 'object':
      return checkObject(schema, value, place);
    case 'map':
      return checkMap(schema, value, place);
    case 'list':
      return checkList(schema, value, place);
    default:
      return checkScalar(schema, value, place);
  }
}

function checkObject(schema: SchemaNode, value: Json, place: Place): Json {
  const members = membersOf(schema, value, place);
  let changed: Record<string, Json> | undefined;
  const names = Object.keys(members);
  const inside: Place = { parent: place, step: undefined, holder: schema, atomic: false, found: place.found };
  for (let at = 0; at < names.length; at++) {
    const name = names[at] ?? '';
    inside.step = name;
    const member = members[name];
    const kept = checkMember(schema.field(name), member, inside);
    if (kept !== member && changed === undefined) changed = firstOf(members, names.slice(0, at));
    if (changed !== undefined && kept !== undefined) changed[name] = kept;
  }
  return changed ?? members;
}

/** Undefined for what is dropped: nulls and what the schema does not know. */
function checkMember(child: SchemaNode | undefined, member: Json | undefined, place: Place): Json | undefined {
  if (child === undefined) {
    if (place.found.unknown.length < STRICT_ERRORS_MAX) place.found.unknown.push(pathOf(place));
    return undefined;
  }
  if (member === null) return child.type === 'any' ? null : undefined;
  return member === undefined ? undefined : check(child, member, place);
}

/** The members of these names, all of which the schema knows. */
function firstOf(members: JsonObject, names: readonly string[]): Record<string, Json> {
  const first: Record<string, Json> = {};
  for (const name of names) {
    const member = members[name];
    if (member !== undefined) define(first, name, member);
  }
  return first;
}

function checkMap(schema: SchemaNode, value: Json, place: Place): Json {
  const members = membersOf(schema, value, place);
  const child = schema.field('');
  if (child === undefined) return {};
  const inside: Place = { parent: place, step: undefined, holder: undefined, atomic: schema.atomic, found: place.found };
  const names = Object.keys(members);
  let checked: Record<string, Json> | undefined;
  for (let at = 0; at < names.length; at++) {
    const name = names[at] ?? '';
    const member = members[name];
    if (member === undefined) continue;
    inside.step = name;
    const kept = member === null ? zeroOf(child) : check(child, member, inside);
    if (kept !== member && checked === undefined) checked = firstOf(members, names.slice(0, at));
    if (checked !== undefined) define(checked, name, kept);
  }
  return checked ?? members;
}

/** What Go decodes null in a map or list to, by the schema's type. */
const ZEROES: Readonly<Partial<Record<SchemaNode['type'], Json>>> = { bytes: '', string: '', integer: 0, number: 0, quantity: '0', boolean: false, object: {} };

function zeroOf(schema: SchemaNode): Json {
  return ZEROES[schema.type] ?? null;
}

function checkList(schema: SchemaNode, value: Json, place: Place): Json {
  if (!Array.isArray(value)) throw wrongType(schema, value, place);
  const { items } = schema;
  if (items === undefined) return value;
  const elements: readonly Json[] = value;
  const inside: Place = { parent: place, step: undefined, holder: undefined, atomic: schema.listType === 'atomic', found: place.found };
  let changed: Json[] | undefined;
  for (let at = 0; at < elements.length; at++) {
    const element = elements[at] ?? null;
    inside.step = at;
    const kept = element === null ? zeroOf(items) : check(items, element, inside);
    if (kept !== element) changed ??= [...elements];
    if (changed !== undefined) changed[at] = kept;
  }
  return changed ?? elements;
}

function checkScalar(schema: SchemaNode, value: Json, place: Place): Json {
  switch (schema.type) {
    case 'integer':
      return checkInteger(schema, value, place);
    case 'quantity':
      return checkQuantity(value, place);
    case 'bytes':
      return checkBytes(schema, value, place);
    case 'time':
    case 'micro-time':
      return checkTime(schema, schema.type, { value, place });
    case 'int-or-string':
      return typeof value === 'string' ? value : checkInteger(INT32, value, place);
    case 'number':
      if (typeof value === 'number' || typeof value === 'bigint') return value;
      throw wrongType(schema, value, place);
    default:
      if (typeof value === schema.type) return value;
      throw wrongType(schema, value, place);
  }
}

/** What Go reads of an IntOrString that is no text. */
const INT32 = { goType: 'int32' };

function checkInteger(schema: Pick<SchemaNode, 'goType'>, value: Json, place: Place): Json {
  if (typeof value === 'number' && value === (value | 0)) return value;
  if (typeof value !== 'bigint' && typeof value !== 'number') throw wrongType(schema, value, place);
  const bits = INTEGER_BITS.get(schema.goType) ?? 64;
  const fits = Number.isInteger(value) || typeof value === 'bigint';
  if (!fits || BigInt.asIntN(bits, BigInt(value)) !== BigInt(value)) throw wrongType(schema, value, place, ` ${String(value)}`);
  return value;
}

/** Upstream reads the JSON text of anything but a string, so that also `true` and `{}` are badly written quantities. */
function checkQuantity(value: Json, place: Place): Json {
  try {
    const text = (typeof value === 'string' ? value : stringifyJson(value)).trim();
    const stored = Quantity.parse(text).toString();
    const list = text === stored || isHeldAlike(text, stored) ? undefined : atomicListAround(place);
    if (list !== undefined) place.found.rewritten.add(pathOf(list));
    return stored;
  } catch (thrown) {
    if (thrown instanceof QuantityError) throw new StructureError(thrown.message);
    throw thrown;
  }
}

const BINARY = /^(\d+)[KMGTPE]i$/;

/** Whether Go holds two spellings alike: it keeps a text that it thinks canonical, and of binary ones only where 8 does not divide the number (ParseQuantity). */
function isHeldAlike(text: string, stored: string): boolean {
  const kept = (spelling: string): boolean => BigInt(BINARY.exec(spelling)?.[1] ?? 1) % 8n !== 0n;
  return !kept(text) && !kept(stored);
}

/** The outermost atomic list that the place lies in. */
function atomicListAround(place: Place): Place | undefined {
  const outer = place.parent === undefined ? undefined : atomicListAround(place.parent);
  return outer ?? (place.atomic ? place.parent : undefined);
}

const NOT_BASE64 = /[^A-Za-z0-9+/]/;

/** Base64 with its padding; line breaks within it are ignored, as Go's decoder does. */
function checkBytes(schema: SchemaNode, value: Json, place: Place): Json {
  if (typeof value !== 'string') throw wrongType(schema, value, place);
  const digits = value.replaceAll(/[\r\n]/g, '');
  const unpadded = digits.replace(/={1,2}$/, '');
  const foreign = unpadded.search(NOT_BASE64);
  const at = foreign >= 0 ? foreign : digits.length % 4 === 0 ? -1 : unpadded.length - (unpadded.length % 4);
  if (at >= 0) throw new StructureError(`illegal base64 data at input byte ${String(at)}`);
  return value;
}

function checkTime(schema: SchemaNode, type: 'time' | 'micro-time', { value, place }: { value: Json; place: Place }): Json {
  if (typeof value !== 'string') throw wrongType(schema, value, place);
  const problem = timeProblem(value, type);
  if (problem !== undefined) throw new StructureError(problem);
  return value;
}

function membersOf(schema: SchemaNode, value: Json, place: Place): JsonObject {
  if (!isJsonObject(value)) throw wrongType(schema, value, place);
  return value;
}

/** What Go's decoder says of a value that its type cannot hold; `shown` is added to the word for the value. */
function wrongType(schema: Pick<SchemaNode, 'goType'>, value: Json, place: Place, shown = ''): StructureError {
  const { holder, field } = fieldOf(place);
  const where = holder === undefined ? 'Go value' : `Go struct field ${holder.goType.replace(/^.*\./, '')}.${field}`;
  return new StructureError(`json: cannot unmarshal ${goJsonType(value)}${shown} into ${where} of type ${schema.goType}`);
}

/** The 400 of a body that cannot be decoded as the kind of its endpoint; `given` is the kind that it names itself. */
export function undecodable(kind: string, version: string, why: string, given = kind): Error {
  return badRequest(`${given} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`);
}
