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
  goJsonSyntaxError,
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
import { repeatsMembers, strictProblems } from './duplicate-fields.ts';
import { StructureError, checkStructure, undecodable } from './structure.ts';

/** Upstream: MaxRequestBodyBytes of the generic API server. */
export const MAX_REQUEST_BODY_BYTES = 3 * 1024 * 1024;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Media type without parameters, in lower case. */
export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The parameters of a media type; what is written otherwise is no media type (mime.ParseMediaType). */
const PARAMETERS = /^[^;]*(?:;\s*(?:[\w!#$%&'*+.^`|~-]+=(?:"[^"]*"|[\w!#$%&'*+.^`|~-]+)\s*)?)*$/;

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
  const header = request.headers['content-type'] ?? '';
  const type = PARAMETERS.test(header) ? mediaType(header) : undefined;
  if (type === PROTOBUF_TYPE) return { value: parseProtobuf(bounded(request.body), kind), repeated: () => notRepeated };
  const text = bodyText(request.body);
  if (type === YAML_TYPE) {
    const { value, repeated } = await boundedYaml(text).catch((thrown: unknown) => {
      throw thrown instanceof ApiError ? thrown : unreadable(text, kind, asError(thrown).message);
    });
    return { value, repeated: () => repeatedInYaml(repeated) };
  }
  if (type === '' || type === 'application/json') {
    const value = parseJsonOr(text, (why) => unreadable(text, kind, `${NO_TYPE_META}${why}`));
    if (value !== null && !isJsonObject(value)) {
      throw unreadable(text, kind, notAnObject(value));
    }
    return { value, repeated: () => repeatedInJson(text, value) };
  }
  throw unsupportedMediaType(
    'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
  );
}

const NO_TYPE_META = "couldn't get version/kind; json parse error: ";

/** The structure into which Go's decoder reads kind and apiVersion, as its text names it. */
const TYPE_META_STRUCT = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;

function notAnObject(value: Json): string {
  return `${NO_TYPE_META}json: cannot unmarshal ${goJsonType(value)} into Go value of type ${TYPE_META_STRUCT}`;
}

function parseProtobuf(bytes: Uint8Array, kind: string | undefined): Json {
  let body: Json | undefined;
  try {
    body = decodeProtobuf(bytes);
  } catch (thrown) {
    throw unreadable(decoder.decode(bytes), kind, asError(thrown).message);
  }
  if (body === undefined) throw unsupportedMediaType('this kind is accepted as application/json and application/yaml only');
  return body;
}

/** Parses JSON; `refuse` makes the error of what Go's decoder says of a text that is none. */
export function parseJsonOr(text: string, refuse: (why: string) => Error): Json {
  try {
    return parseJson(text);
  } catch (thrown) {
    throw refuse(goJsonSyntaxError(text) ?? asError(thrown).message);
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
  const why = typeMetaProblem(body);
  if (why !== undefined) throw unreadable(bodyText(call.request.body), scope.kind.kind, why);
  checkTypeMeta(scope, body);
  return structured(call, body, validation, validation === 'Ignore' ? notRepeated : repeated());
}

/** What strict decoding complains about, as a refusal and as warnings word it. */
interface StrictProblems {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** Adds what a body sets twice to the paths of its unknown fields. */
type Repeated = (unknown: readonly string[]) => StrictProblems;

const notRepeated: Repeated = (unknown) => alike(unknown.map(unknownField));

function unknownField(path: string): string {
  return `unknown field ${JSON.stringify(path)}`;
}

function alike(texts: readonly string[]): StrictProblems {
  return { errors: texts, warnings: texts };
}

function repeatedInJson(text: string, value: Json): Repeated {
  return repeatsMembers(text, value) ? (unknown) => alike(strictProblems(text, unknown)) : notRepeated;
}

function repeatedInYaml(repeated: readonly string[]): Repeated {
  if (repeated.length === 0) return notRepeated;
  return (unknown) => {
    const others = unknown.map(unknownField);
    return { errors: [`yaml: unmarshal errors:\n  ${repeated.join('\n  ')}`, ...others], warnings: [...repeated, ...others] };
  };
}

/** How upstream's texts name a registry of types that has no name. */
export const UNNAMED_SCHEME = '"pkg/runtime/scheme.go:111"';

/** What keeps Go from reading which kind a body is. */
function typeMetaProblem(body: JsonObject): string | undefined {
  for (const member of ['apiVersion', 'kind']) {
    const value = body[member] ?? '';
    if (typeof value !== 'string') return `${NO_TYPE_META}json: cannot unmarshal ${goJsonType(value)} into Go struct field .${member} of type string`;
  }
  const { apiVersion = '' } = body;
  return String(apiVersion).split('/').length > 2 ? `unexpected GroupVersion string: ${String(apiVersion)}` : undefined;
}

/** Kind and apiVersion of the body, where it names them, are those of the endpoint. */
function checkTypeMeta(scope: Scope, body: JsonObject): void {
  const [apiVersion, kind] = [String(body['apiVersion'] || scope.apiVersion), String(body['kind'] || scope.kind.kind)];
  if (apiVersion === scope.apiVersion && kind === scope.kind.kind) return;
  const version = apiVersion.replace(/^.*\//, '');
  if (isRegistered(apiVersion, kind)) {
    const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
    if (kind === scope.kind.kind && group === scope.kind.group) {
      throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${scope.apiVersion})`);
    }
    const conversion = `converting (${version}.${kind}) to (${internalPackage(scope)}.${scope.kind.kind}): unknown conversion`;
    throw undecodable(scope.kind.kind, version, conversion, kind);
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

/** Kinds of every version, and of v1 alone, that are no resources (upstream: metav1.AddToGroupVersion). */
const META_KINDS: ReadonlySet<string> = new Set(['ListOptions', 'GetOptions', 'DeleteOptions', 'CreateOptions', 'UpdateOptions', 'PatchOptions', 'WatchEvent']);
const UNVERSIONED_KINDS: ReadonlySet<string> = new Set(['Status', 'List', 'APIVersions', 'APIGroupList', 'APIGroup', 'APIResourceList']);

function isRegistered(apiVersion: string, kind: string): boolean {
  const isVersion = KINDS.some(({ group, versions }) => versions.some(({ version }) => apiVersionOf({ group, version }) === apiVersion));
  if (isVersion && META_KINDS.has(kind)) return true;
  if (apiVersion === 'v1' && UNVERSIONED_KINDS.has(kind)) return true;
  return [...KINDS, ...REVIEW_KINDS, TOKEN_REQUEST].some(
    (known) =>
      (known.kind === kind || `${known.kind}List` === kind) &&
      known.versions.some(({ version }) => apiVersionOf({ group: known.group, version }) === apiVersion),
  );
}

/** Checks a value's structure as the scope's version; unknown fields are refused, warned of or dropped in silence. */
export function structured(call: Call, value: Json, validation: FieldValidation, repeated: Repeated = notRepeated): ApiObject {
  const { kind, version, schema, apiVersion } = call.scope;
  const checked = structureOf(schema, value, kind.kind, version.version);
  call.rewritten.push(...checked.rewritten);
  const { errors, warnings } = repeated(checked.unknownFields);
  if (validation === 'Strict' && errors.length > 0) throw undecodable(kind.kind, version.version, `strict decoding error: ${errors.join(', ')}`);
  if (validation === 'Warn') call.warnings.push(...warnings);
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
  // An empty list of managers is a wish to have none.
  return Object.fromEntries(Object.entries(metadata).filter(([name, value]) => !isEmpty(value) || (name === 'managedFields' && Array.isArray(value))));
}

function isEmpty(value: Json | undefined): boolean {
  if (value === '' || value === undefined || value === null || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isJsonObject(value) && Object.keys(value).length === 0;
}
