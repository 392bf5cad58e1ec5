/**
 * Reads the Kubernetes protobuf encoding, in which client-go sends the kinds of k8s.io/api by default.
 *
 * What a field is comes from the OpenAPI definitions, by which number it goes from its field numbers. Answers are always JSON,
 * which those clients accept.
 */
import { definitions, type NumberedField, numberedFields, numberedTypes, type OpenApiSchema } from '#api';
import { define, type Json, parseJson } from '#machinery';
import { fieldsOf, packedNumbers, ProtobufError, type WireField } from './protobuf-wire.ts';

/** The content type of the encoding. */
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

/** The four bytes before every message: "k8s" and a zero. */
const MAGIC = [0x6b, 0x38, 0x73, 0];
/** runtime.Unknown, the envelope of every object, and its TypeMeta. */
const UNKNOWN = { typeMeta: 1, raw: 2 } as const;
const TYPE_META = { apiVersion: 1, kind: 2 } as const;

/** Reads one object; undefined for a kind that is only taken as JSON. Throws ProtobufError for damaged bytes. */
export function decodeProtobuf(bytes: Uint8Array): Json | undefined {
  if (!MAGIC.every((byte, at) => bytes[at] === byte))
    throw new ProtobufError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  const envelope = bytes.subarray(MAGIC.length);
  const typeMeta = bytesOf(envelope, UNKNOWN.typeMeta);
  const [apiVersion, kind] = [text(bytesOf(typeMeta, TYPE_META.apiVersion)), text(bytesOf(typeMeta, TYPE_META.kind))];
  if (apiVersion === '' || kind === '') throw new ProtobufError('the body names no kind');
  const definition = definitionOf(apiVersion, kind);
  return definition === undefined ? undefined : { apiVersion, kind, ...decodeDefinition(bytesOf(envelope, UNKNOWN.raw), definition) };
}

function bytesOf(message: Uint8Array, number: number): Uint8Array {
  return [...fieldsOf(message)].findLast((field) => field.number === number)?.bytes ?? new Uint8Array();
}

let definitionsByKind: ReadonlyMap<string, string> | undefined;

/** The definition with field numbers that stands for a group, version and kind. */
function definitionOf(apiVersion: string, kind: string): string | undefined {
  definitionsByKind ??= new Map(
    numberedTypes.flatMap((name) =>
      (definitions[name]?.['x-kubernetes-group-version-kind'] ?? []).map((other): [string, string] => [
        `${other.group === '' ? '' : `${other.group}/`}${other.version} ${other.kind}`,
        name,
      ]),
    ),
  );
  return kind === 'DeleteOptions' ? DELETE_OPTIONS : definitionsByKind.get(`${apiVersion} ${kind}`);
}

/** Go's clients send it as of the group and version of what is to be deleted. */
const DELETE_OPTIONS = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';

type Decoded = Record<string, Json>;

const tables = new Map<string, ReadonlyMap<number, NumberedField>>();

function tableOf(message: string): ReadonlyMap<number, NumberedField> {
  const known = tables.get(message);
  if (known !== undefined) return known;
  const table = new Map(numberedFields(message).map((field) => [field.number, field]));
  tables.set(message, table);
  return table;
}

function decodeDefinition(bytes: Uint8Array, name: string): Decoded {
  const decoded: Decoded = {};
  decodeInto(decoded, { bytes, message: name, schema: definitions[name] ?? {} });
  return decoded;
}

interface Source {
  readonly bytes: Uint8Array;
  /** Its name in the table of numbers. */
  readonly message: string;
  /** The definition whose members it fills: not its own when it is embedded. */
  readonly schema: OpenApiSchema;
}

/** Adds the members of a message. Unknown fields are skipped, as Go skips them. */
function decodeInto(decoded: Decoded, { bytes, message, schema }: Source): void {
  const table = tableOf(message);
  for (const field of fieldsOf(bytes)) {
    const known = table.get(field.number);
    if (known === undefined) continue;
    if (known.embedded) {
      decodeInto(decoded, { bytes: field.bytes, message: known.name, schema });
      continue;
    }
    const { name } = known;
    const use = schema.properties?.[name];
    const value = use === undefined ? undefined : decodeField(field, use, decoded[name]);
    // Go writes an empty string for a field that is not set; JSON leaves it out.
    const unset = value === undefined || (value === '' && schema.required?.includes(name) !== true);
    if (!unset) decoded[name] = value;
  }
}

/** The value of a member after one more field of it; repeated fields and maps are added to `before` in place, since there may be a million of them. */
function decodeField(field: WireField, use: OpenApiSchema, before: Json | undefined): Json | undefined {
  if (use.items !== undefined) {
    // What is there was made here, by the field before.
    const list = (before ?? []) as Json[];
    for (const element of decodeElements(field, use.items)) list.push(element);
    return list;
  }
  if (use.additionalProperties !== undefined) {
    const map = (before ?? {}) as Decoded;
    for (const [key, value] of Object.entries(decodeEntry(field.bytes, use.additionalProperties))) define(map, key, value);
    return map;
  }
  return decodeValue(field, use);
}

function decodeElements(field: WireField, use: OpenApiSchema): readonly Json[] {
  const packed = use.type === 'integer' && field.value === undefined;
  if (packed) return packedNumbers(field.bytes).map(integer);
  const value = decodeValue(field, use);
  return value === undefined ? [] : [value];
}

function decodeEntry(bytes: Uint8Array, use: OpenApiSchema): Decoded {
  const fields = [...fieldsOf(bytes)];
  const key = fields.find((field) => field.number === 1);
  const field = fields.find((other) => other.number === 2);
  // A map of lists is a map of messages with one repeated field.
  const value =
    use.items === undefined
      ? decodeValue(field ?? { number: 2, value: undefined, bytes: new Uint8Array() }, use)
      : [...fieldsOf(field?.bytes ?? new Uint8Array())].flatMap((item) => decodeElements(item, use.items ?? {}));
  return value === undefined ? {} : { [text(key?.bytes ?? new Uint8Array())]: value };
}

function decodeValue(field: WireField, use: OpenApiSchema): Json | undefined {
  const reference = (use.$ref ?? use.allOf?.[0]?.$ref)?.slice('#/components/schemas/'.length);
  if (reference !== undefined) return (SPECIAL[reference] ?? decodeDefinition)(field.bytes, reference);
  if (use.type === 'integer') return integer(field.value ?? 0n);
  if (use.type === 'boolean') return field.value === 1n;
  if (use.type === 'number') return new DataView(field.bytes.buffer, field.bytes.byteOffset).getFloat64(0, true);
  if (use.type === 'string') return use.format === 'byte' ? field.bytes.toBase64() : text(field.bytes);
  return undefined;
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.';

/** Definitions whose JSON is no object with the message's fields. */
const SPECIAL: Readonly<Record<string, (bytes: Uint8Array) => Json | undefined>> = {
  [`${META}Time`]: (bytes) => decodeTime(bytes, 0),
  [`${META}MicroTime`]: (bytes) => decodeTime(bytes, 6),
  [`${META}FieldsV1`]: decodeRaw,
  'io.k8s.apimachinery.pkg.runtime.RawExtension': decodeRaw,
  'io.k8s.apimachinery.pkg.api.resource.Quantity': (bytes) => text(bytesOf(bytes, 1)),
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': decodeIntOrString,
};

function decodeRaw(bytes: Uint8Array): Json | undefined {
  const raw = bytesOf(bytes, 1);
  return raw.length === 0 ? undefined : parseJson(text(raw));
}

/** A zero time is no time: Go encodes it as an empty message. */
function decodeTime(bytes: Uint8Array, digits: number): Json | undefined {
  const fields = [...fieldsOf(bytes)];
  const seconds = fields.find((field) => field.number === 1)?.value;
  if (seconds === undefined) return undefined;
  const nanoseconds = fields.find((field) => field.number === 2)?.value ?? 0n;
  const whole = new Date(Number(BigInt.asIntN(64, seconds)) * 1000).toISOString().slice(0, 19);
  return digits === 0 ? `${whole}Z` : `${whole}.${String(nanoseconds).padStart(9, '0').slice(0, digits)}Z`;
}

function decodeIntOrString(bytes: Uint8Array): Json {
  const fields = [...fieldsOf(bytes)];
  const isText = fields.find((field) => field.number === 1)?.value === 1n;
  return isText ? text(bytesOf(bytes, 3)) : integer(fields.find((field) => field.number === 2)?.value ?? 0n);
}

/** A number where it is exact, otherwise a bigint: both are written as JSON integers. */
function integer(value: bigint): Json {
  const signed = BigInt.asIntN(64, value);
  const number = Number(signed);
  return Number.isSafeInteger(number) ? number : signed;
}

const decoder = new TextDecoder();

function text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
