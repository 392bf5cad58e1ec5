/**
 * Reads the Kubernetes protobuf encoding of the few small kinds that kubectl's own commands send in it (create namespace,
 * configmap, secret, serviceaccount; auth; eviction). Answers are always JSON, which those clients accept.
 */
import type { Json } from '#machinery';

/** The content type of the encoding. */
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

type FieldType = 'string' | 'strings' | 'int64' | 'bool' | 'time' | 'stringMap' | 'bytesMap' | Message | readonly [Message];
/** Fields by number, as the generated.proto files of k8s.io/api number them. */
interface Message {
  readonly [number: number]: readonly [name: string, type: FieldType];
}

const OWNER_REFERENCE: Message = {
  1: ['kind', 'string'],
  3: ['name', 'string'],
  4: ['uid', 'string'],
  5: ['apiVersion', 'string'],
  6: ['controller', 'bool'],
  7: ['blockOwnerDeletion', 'bool'],
};
const OBJECT_META: Message = {
  1: ['name', 'string'],
  2: ['generateName', 'string'],
  3: ['namespace', 'string'],
  5: ['uid', 'string'],
  6: ['resourceVersion', 'string'],
  7: ['generation', 'int64'],
  8: ['creationTimestamp', 'time'],
  9: ['deletionTimestamp', 'time'],
  10: ['deletionGracePeriodSeconds', 'int64'],
  11: ['labels', 'stringMap'],
  12: ['annotations', 'stringMap'],
  13: ['ownerReferences', [OWNER_REFERENCE]],
  14: ['finalizers', 'strings'],
};
const LOCAL_REFERENCE: Message = { 1: ['name', 'string'] };
const RESOURCE_ATTRIBUTES: Message = {
  1: ['namespace', 'string'],
  2: ['verb', 'string'],
  3: ['group', 'string'],
  4: ['version', 'string'],
  5: ['resource', 'string'],
  6: ['subresource', 'string'],
  7: ['name', 'string'],
};
const ACCESS_SPEC: Message = { 1: ['resourceAttributes', RESOURCE_ATTRIBUTES], 2: ['nonResourceAttributes', { 1: ['path', 'string'], 2: ['verb', 'string'] }] };
const DELETE_OPTIONS: Message = {
  1: ['gracePeriodSeconds', 'int64'],
  2: ['preconditions', { 1: ['uid', 'string'], 2: ['resourceVersion', 'string'] }],
  3: ['orphanDependents', 'bool'],
  4: ['propagationPolicy', 'string'],
  5: ['dryRun', 'strings'],
};

const KINDS: Readonly<Record<string, Message>> = {
  Namespace: { 1: ['metadata', OBJECT_META], 2: ['spec', { 1: ['finalizers', 'strings'] }], 3: ['status', { 1: ['phase', 'string'] }] },
  ConfigMap: { 1: ['metadata', OBJECT_META], 2: ['data', 'stringMap'], 3: ['binaryData', 'bytesMap'], 4: ['immutable', 'bool'] },
  Secret: { 1: ['metadata', OBJECT_META], 2: ['data', 'bytesMap'], 3: ['type', 'string'], 4: ['stringData', 'stringMap'], 5: ['immutable', 'bool'] },
  ServiceAccount: { 1: ['metadata', OBJECT_META], 3: ['imagePullSecrets', [LOCAL_REFERENCE]], 4: ['automountServiceAccountToken', 'bool'] },
  SelfSubjectReview: { 1: ['metadata', OBJECT_META] },
  SelfSubjectAccessReview: { 1: ['metadata', OBJECT_META], 2: ['spec', ACCESS_SPEC] },
  SelfSubjectRulesReview: { 1: ['metadata', OBJECT_META], 2: ['spec', { 1: ['namespace', 'string'] }] },
  Eviction: { 1: ['metadata', OBJECT_META], 2: ['deleteOptions', DELETE_OPTIONS] },
  DeleteOptions: DELETE_OPTIONS,
};

/** The four bytes before every message: "k8s" and a zero. */
const MAGIC = [0x6b, 0x38, 0x73, 0];
/** runtime.Unknown: the envelope of every object. */
const UNKNOWN: Message = { 1: ['typeMeta', { 1: ['apiVersion', 'string'], 2: ['kind', 'string'] }] };
/** Number of the envelope's field with the object itself. */
const RAW_FIELD = 2;

/** Thrown for bytes that are not this encoding, or hold a kind that is not read in it. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

type Decoded = Record<string, Json>;

/** Reads one object; undefined for a kind that is only taken as JSON. Throws ProtobufError for damaged bytes. */
export function decodeProtobuf(bytes: Uint8Array): Json | undefined {
  if (!MAGIC.every((byte, at) => bytes[at] === byte)) throw new ProtobufError('the body does not start with the protobuf magic number');
  const body = bytes.subarray(MAGIC.length);
  const { typeMeta } = decodeMessage(body, UNKNOWN);
  if (typeof typeMeta !== 'object' || typeMeta === null || !('kind' in typeMeta) || !('apiVersion' in typeMeta))
    throw new ProtobufError('the body names no kind');
  const { kind, apiVersion } = typeMeta;
  const message = KINDS[String(kind)];
  if (message === undefined) return undefined;
  const raw = [...fieldsOf(body)].find((field) => field.number === RAW_FIELD);
  return { apiVersion: String(apiVersion), kind: String(kind), ...decodeMessage(raw?.bytes ?? new Uint8Array(), message) };
}

interface Field {
  readonly number: number;
  /** Of a varint field. */
  readonly value: bigint;
  /** Of a length-delimited field. */
  readonly bytes: Uint8Array;
}

function decodeMessage(bytes: Uint8Array, message: Message): Decoded {
  const decoded: Decoded = {};
  for (const field of fieldsOf(bytes)) {
    const known = message[field.number];
    if (known === undefined) continue;
    const [name, type] = known;
    const value = decodeField(field, type, decoded[name]);
    if (value !== undefined) decoded[name] = value;
  }
  return decoded;
}

function decodeField(field: Field, type: FieldType, before: Json | undefined): Json | undefined {
  if (typeof type !== 'string') return isRepeated(type) ? [...listOf(before), decodeMessage(field.bytes, type[0])] : decodeMessage(field.bytes, type);
  switch (type) {
    case 'string':
      return text(field.bytes);
    case 'strings':
      return [...listOf(before), text(field.bytes)];
    case 'int64':
      return Number(BigInt.asIntN(64, field.value));
    case 'bool':
      return field.value !== 0n;
    case 'time':
      return decodeTime(field.bytes);
    case 'stringMap':
    case 'bytesMap':
      return { ...mapOf(before), ...decodeEntry(field.bytes, type === 'bytesMap') };
  }
}

function isRepeated(type: Message | readonly [Message]): type is readonly [Message] {
  return Array.isArray(type);
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function mapOf(value: Json | undefined): object {
  return typeof value === 'object' && value !== null ? value : {};
}

function decodeEntry(bytes: Uint8Array, binary: boolean): Decoded {
  let key = '';
  let value: Json = '';
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) key = text(field.bytes);
    if (field.number === 2) value = binary ? base64(field.bytes) : text(field.bytes);
  }
  return { [key]: value };
}

/** A zero time is no time: Go encodes it as an empty message. */
function decodeTime(bytes: Uint8Array): Json | undefined {
  const seconds = [...fieldsOf(bytes)].find((field) => field.number === 1)?.value;
  return seconds === undefined ? undefined : `${new Date(Number(BigInt.asIntN(64, seconds)) * 1000).toISOString().slice(0, 19)}Z`;
}

const decoder = new TextDecoder();

function text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;
const EMPTY = new Uint8Array();

/** The fields of a message in wire order. */
function* fieldsOf(bytes: Uint8Array): Iterable<Field> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new ProtobufError('a number breaks off');
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const [number, wire] = [tag >>> 3, tag & 7];
    if (wire === VARINT) yield { number, value: varint(), bytes: EMPTY };
    else if (wire === FIXED64 || wire === FIXED32) at += wire === FIXED64 ? 8 : 4;
    else if (wire === LENGTH_DELIMITED) {
      const length = Number(varint());
      if (at + length > bytes.length) throw new ProtobufError('a field breaks off');
      yield { number, value: 0n, bytes: bytes.subarray(at, at + length) };
      at += length;
    } else throw new ProtobufError(`wire type ${String(wire)} is not used`);
  }
}
