/** Decodes request bodies into objects of a kind. */
import { KINDS, REVIEW_KINDS, TOKEN_REQUEST } from '#api';
import { asError } from '#base';
import {
  ApiError,
  type ApiObject,
  type Json,
  type JsonObject,
  type OwnerReference,
  type SchemaNode,
  badRequest,
  goJsonType,
  isJsonObject,
  parseJson,
  parseYaml,
  requestEntityTooLarge,
  unsupportedMediaType,
  apiVersionOf,
  YamlTooLongError,
} from '#machinery';
import type { Scope } from '../catalog.ts';
import type { ServerRequest } from '../http/message.ts';
import { YAML_TYPE } from '../http/accept.ts';
import { PROTOBUF_TYPE, decodeProtobuf } from '../http/protobuf.ts';
import type { Call } from './call.ts';
import type { FieldValidation } from './write-options.ts';
import { duplicateFields } from './duplicate-fields.ts';
import { StructureError, checkStructure, undecodable } from './structure.ts';

/** Upstream: MaxRequestBodyBytes of the generic API server. */
export const MAX_REQUEST_BODY_BYTES = 3 * 1024 * 1024;

const decoder = new TextDecoder();

/** Media type without parameters, in lower case. */
export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The text of the body; 413 when it is too large. */
export function bodyText(body: Uint8Array): string {
  return decoder.decode(bounded(body));
}

function bounded(body: Uint8Array): Uint8Array {
  if (body.length > MAX_REQUEST_BODY_BYTES) throw requestEntityTooLarge(`limit is ${String(MAX_REQUEST_BODY_BYTES)}`);
  return body;
}

/** Reading YAML takes long, and meanwhile nobody else is answered: half a second for so much. What is JSON is read as such, whatever it is called. */
export const YAML_TOKENS_MAX = 250_000;

/** Parses YAML; 413 when it is too much. Throws YamlError. */
export async function boundedYaml(text: string): ReturnType<typeof parseYaml> {
  try {
    return await parseYaml(text, YAML_TOKENS_MAX);
  } catch (thrown) {
    if (!(thrown instanceof YamlTooLongError)) throw thrown;
    throw requestEntityTooLarge(`limit of YAML is ${String(YAML_TOKENS_MAX)} tokens; JSON may be longer`);
  }
}

/** A body as a value, and the members that it sets twice. */
interface ParsedBody {
  readonly value: Json;
  readonly repeated: () => Repeated;
}

/** Parses a JSON, YAML or protobuf body by its content type; 415 for others. Refusals name the `kind`, and show the body, where there is one. */
export async function parseBody(request: ServerRequest, kind?: string): Promise<Json> {
  return (await readBody(request, kind)).value;
}

async function readBody(request: ServerRequest, kind: string | undefined): Promise<ParsedBody> {
  const type = mediaType(request.headers['content-type']);
  if (type === PROTOBUF_TYPE) return { value: parseProtobuf(bounded(request.body)), repeated: () => NOT_REPEATED };
  const text = bodyText(request.body);
  if (type === YAML_TYPE) {
    const { value, repeated } = await boundedYaml(text).catch((thrown: unknown) => {
      throw thrown instanceof ApiError ? thrown : unreadable(text, kind, asError(thrown).message);
    });
    return { value, repeated: () => repeatedInYaml(repeated) };
  }
  if (type === '' || type === 'application/json' || type === '*/*') {
    const value = parseOr(
      () => parseJson(text),
      (why) => unreadable(text, kind, `${NO_TYPE_META}${goSyntaxError(text, why)}`),
    );
    if (value !== null && !isJsonObject(value)) {
      throw unreadable(text, kind, notAnObject(value));
    }
    return { value, repeated: () => (type === 'application/json' ? repeatedInJson(text, value) : NOT_REPEATED) };
  }
  throw unsupportedMediaType(
    'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
  );
}

const NO_TYPE_META = "couldn't get version/kind; json parse error: ";

/** What Go's decoder says of a text that is no JSON, as far as this platform's parser tells where it stopped; otherwise the platform's own words. */
export function goSyntaxError(text: string, why: string): string {
  const position = / at position (\d+)/.exec(why)?.[1];
  if (/^Unexpected end|^Unterminated/.test(why) || Number(position) === text.length) return 'unexpected end of JSON input';
  if (position !== undefined && why.includes('after JSON')) return `invalid character '${text.charAt(Number(position))}' after top-level value`;
  const token = /^Unexpected token '(.)'/u.exec(why)?.[1];
  return token === undefined ? why : `invalid character '${token}' looking for beginning of value`;
}

/** The structure into which Go's decoder reads kind and apiVersion, as its text names it. */
const TYPE_META_STRUCT = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;

function notAnObject(value: Json): string {
  return `${NO_TYPE_META}json: cannot unmarshal ${goJsonType(value)} into Go value of type ${TYPE_META_STRUCT}`;
}

function parseProtobuf(bytes: Uint8Array): Json {
  let body: Json | undefined;
  try {
    body = decodeProtobuf(bytes);
  } catch (thrown) {
    throw badRequest(`the protobuf body cannot be read: ${asError(thrown).message}`);
  }
  if (body === undefined) throw unsupportedMediaType('this kind is accepted as application/json and application/yaml only');
  return body;
}

function parseOr<T>(parse: () => T, refuse: (why: string) => Error): T {
  try {
    return parse();
  } catch (thrown) {
    throw refuse(asError(thrown).message);
  }
}

/** The 400 for a text that cannot be parsed. It shows how a JSON text begins, the bytes of any other (upstream: summarizeData). */
function unreadable(text: string, kind: string | undefined, why: string): Error {
  if (kind === undefined) return badRequest(why);
  const start = text.startsWith('{') ? text.slice(0, SHOWN_BODY_LENGTH) : hexOf(text);
  const shown = text === '' ? '<empty>' : text.length > SHOWN_BODY_LENGTH ? `${start} ...` : start;
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${shown})`);
}

function hexOf(text: string): string {
  return [...new TextEncoder().encode(text).subarray(0, SHOWN_BODY_LENGTH)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** How much of an unreadable body an error shows. */
const SHOWN_BODY_LENGTH = 30;

/** The body as an object of the scope's version: type meta checked, structure checked, defaults not yet filled. */
export async function decodeObject(call: Call, validation: FieldValidation): Promise<ApiObject> {
  const { scope } = call;
  const { value, repeated } = await readBody(call.request, scope.kind.kind);
  const body = value === null ? {} : value;
  if (!isJsonObject(body)) throw unreadable(bodyText(call.request.body), scope.kind.kind, notAnObject(body));
  checkTypeMeta(scope, body);
  return structured(call, body, validation, validation === 'Ignore' ? NOT_REPEATED : repeated());
}

/** Members that a body sets twice, in the words of a refusal and of warnings. */
interface Repeated {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

const NOT_REPEATED: Repeated = { errors: [], warnings: [] };

function repeatedInJson(text: string, value: Json): Repeated {
  const texts = duplicateFields(text, value).map((path) => `duplicate field ${JSON.stringify(path)}`);
  return texts.length === 0 ? NOT_REPEATED : { errors: texts, warnings: texts };
}

function repeatedInYaml(repeated: readonly string[]): Repeated {
  return repeated.length === 0 ? NOT_REPEATED : { errors: [`yaml: unmarshal errors:\n  ${repeated.join('\n  ')}`], warnings: repeated };
}

/** How upstream's texts name a registry of types that has no name. */
export const UNNAMED_SCHEME = '"pkg/runtime/scheme.go:111"';

/** Kind and apiVersion of the body, where it names them, are those of the endpoint. */
function checkTypeMeta(scope: Scope, body: { readonly [key: string]: Json | undefined }): void {
  const [apiVersion, kind] = [String(body['apiVersion'] || scope.apiVersion), String(body['kind'] || scope.kind.kind)];
  if (apiVersion === scope.apiVersion && kind === scope.kind.kind) return;
  const version = apiVersion.replace(/^.*\//, '');
  if (isRegistered(apiVersion, kind)) {
    const conversion = `converting (${version}.${kind}) to (${internalPackage(scope)}.${scope.kind.kind}): unknown conversion`;
    if (apiVersion === scope.apiVersion) throw undecodable(scope.kind.kind, version, conversion, kind);
    throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${scope.apiVersion})`);
  }
  throw undecodable(
    scope.kind.kind,
    version,
    `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme ${UNNAMED_SCHEME}`,
    kind,
  );
}

/** The Go package of upstream's internal type, as its texts name it. */
function internalPackage({ kind: { group, storedAs } }: Scope): string {
  return (storedAs?.group ?? group).split('.')[0] || 'core';
}

function isRegistered(apiVersion: string, kind: string): boolean {
  return [...KINDS, ...REVIEW_KINDS, TOKEN_REQUEST].some(
    (known) => known.kind === kind && known.versions.some(({ version }) => apiVersionOf({ group: known.group, version }) === apiVersion),
  );
}

/** Checks a value's structure as the scope's version; unknown fields are refused, warned of or dropped in silence. */
export function structured(call: Call, value: Json, validation: FieldValidation, repeated: Repeated = NOT_REPEATED): ApiObject {
  const { kind, version, schema, apiVersion } = call.scope;
  const checked = structureOf(schema, value, kind.kind, version.version);
  call.rewritten.push(...checked.rewritten);
  const unknown = checked.unknownFields.map((path) => `unknown field ${JSON.stringify(path)}`);
  const errors = [...repeated.errors, ...unknown];
  if (validation === 'Strict' && errors.length > 0) throw undecodable(kind.kind, version.version, `strict decoding error: ${errors.join(', ')}`);
  if (validation === 'Warn') call.warnings.push(...repeated.warnings, ...unknown);
  const object = isJsonObject(checked.value) ? checked.value : {};
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  return { ...object, kind: kind.kind, apiVersion, metadata: withUniqueOwners(call, withoutEmptyMembers(metadata)) };
}

/** Owners that are named twice alike count once, with a warning (handlers.dedupOwnerReferencesAndAddWarning). */
function withUniqueOwners(call: Call, metadata: ApiObject['metadata']): ApiObject['metadata'] {
  const { ownerReferences: owners = [] } = metadata;
  const unique = new Map(owners.map((owner) => [ownerKey(owner), owner]));
  if (unique.size === owners.length) return metadata;
  const repeated = [...Map.groupBy(owners, ownerKey).values()].flatMap(([, ...others]) => others);
  const uids = [...new Set(repeated.map(({ uid }) => uid))].join(', ');
  call.warnings.push(
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids}`,
  );
  return { ...metadata, ownerReferences: [...unique.values()] };
}

/** The same for owners that are named alike. */
function ownerKey({ apiVersion, kind, name, uid, controller, blockOwnerDeletion }: OwnerReference): string {
  return JSON.stringify([apiVersion, kind, name, uid, controller, blockOwnerDeletion]);
}

function structureOf(schema: SchemaNode, value: Json, kind: string, version: string): ReturnType<typeof checkStructure> {
  try {
    return checkStructure(schema, value);
  } catch (thrown) {
    if (thrown instanceof StructureError) throw undecodable(kind, version, thrown.message);
    throw thrown;
  }
}

/** Metadata members that Go leaves out when they are empty (omitempty of ObjectMeta). */
function withoutEmptyMembers(metadata: JsonObject): ApiObject['metadata'] {
  if (!Object.values(metadata).some(isEmpty)) return metadata;
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: Json | undefined): boolean {
  if (value === '' || value === undefined || value === null || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isJsonObject(value) && Object.keys(value).length === 0;
}
