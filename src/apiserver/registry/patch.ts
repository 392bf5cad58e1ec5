/** PATCH: JSON patch, merge patch, strategic merge patch and server-side apply. */
import { asError } from '#base';
import {
  type ApiObject,
  ApiError,
  type Json,
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  badRequest,
  goQuote,
  checkConfiguration,
  conflict,
  isJsonObject,
  type JsonObject,
  serverSideApply,
  stringifyJson,
  unsupportedMediaType,
} from '#machinery';
import { type Core, timestamp } from '../options.ts';
import { invalidObject } from '../refusals.ts';
import type { Call } from './call.ts';
import { type FieldValidation, fieldManagerOf, fieldValidationOf } from './write-options.ts';
import { withRequestNamespace } from './create.ts';
import { bodyText, boundedYaml, mediaType, parseJsonOr, structured } from './decode.ts';
import { type Lens, shownCall, through } from './lens.ts';
import { asJson, asObject, resetFieldsOf } from './managed.ts';
import { withMetadata } from './object-store.ts';
import { checkName, type Transformation, type UpdateResult, updateWith } from './update.ts';

/** The content type of server-side apply. */
export const APPLY_TYPE = 'application/apply-patch+yaml';

/** Content types of patches. */
export const PATCH_TYPES = ['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json', APPLY_TYPE] as const;

/** Patches the named object, as `lens` shows it; apply creates it when it is absent. */
export async function patch(core: Core, call: Call, lens?: Lens): Promise<UpdateResult> {
  const type = mediaType(call.request.headers['content-type']);
  const applies = type === APPLY_TYPE;
  const shown = shownCall(call, lens);
  const transform = applies ? await application(core, shown, fieldValidationOf(call)) : change(shown, type, fieldValidationOf(call));
  return updateWith(core, call, through(lens, transform), applies);
}

function change(call: Call, type: string, validation: FieldValidation): Transformation {
  const body = parsePatch(call);
  const apply = patchFunction(call, type, body);
  return (live) => {
    if (live === undefined) throw badRequest('there is no object to patch');
    const wanted = patched(call, apply(asJson(live)), validation);
    checkName(call, wanted);
    return { wanted: withRequestNamespace(call, wanted) };
  };
}

const EMPTY_OBJECT: ApiObject = { apiVersion: '', kind: '', metadata: {} };

/** The outcome of a patch as an object; one that is no longer of the kind is the patch's fault: 422 (upstream: patchResource). */
function patched(call: Call, outcome: Json, validation: FieldValidation): ApiObject {
  const { kind, apiVersion } = call.scope;
  const refuse = (why: string): Error => {
    const message = `Invalid value: ${goQuote(stringifyJson(sorted(outcome)))}: ${why}`;
    return invalidObject({ group: '', kind: '' }, '', [{ path: 'patch', reason: 'FieldValueInvalid', message }]);
  };
  // Upstream reads what says no version as nothing at all.
  if (isJsonObject(outcome) && outcome['apiVersion'] === undefined) checkName(call, EMPTY_OBJECT);
  // What says no kind is of the kind that was patched.
  const named: Json = isJsonObject(outcome) ? { ...outcome, kind: outcome['kind'] ?? kind.kind } : outcome;
  if (isJsonObject(named) && (named['kind'] !== kind.kind || named['apiVersion'] !== apiVersion)) {
    throw refuse(`the patch makes a ${String(named['kind'])} of ${String(named['apiVersion'])} out of a ${kind.kind} of ${apiVersion}`);
  }
  try {
    return structured(call, named, validation);
  } catch (thrown) {
    if (thrown instanceof ApiError && thrown.code === 400) throw refuse(thrown.message);
    throw thrown;
  }
}

/** Members by name, as Go prints what it patched. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, sorted(member)]));
}

function patchFunction(call: Call, type: string, body: Json): (live: Json) => Json {
  switch (type) {
    case 'application/json-patch+json':
      return (live) => applyJsonPatch(live, body);
    case 'application/merge-patch+json':
      return (live) => applyMergePatch(live, body);
    case 'application/strategic-merge-patch+json':
      return (live) => applyStrategicMergePatch(live, body, call.scope.schema);
    default:
      throw unsupportedMediaType();
  }
}

function parsePatch(call: Call): Json {
  return parseJsonOr(bodyText(call.request.body), (why) => badRequest(`error decoding patch: ${why}`));
}

/** A patch may not rename: the name of another object is refused, and where kinds are namespaced so is another namespace. */
function keepIdentity(call: Call, object: ApiObject): ApiObject {
  const { name } = object.metadata;
  if (name !== undefined && name !== call.target.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.target.name})`);
  }
  return withRequestNamespace(call, withMetadata(object, { name: call.target.name }));
}

async function application(core: Core, call: Call, validation: FieldValidation): Promise<Transformation> {
  const body = await parseApplied(call, validation);
  // Nobody can own what the kind does not have, so that an unknown field is refused whatever the validation.
  checkConfiguration({ applied: body, apiVersion: call.scope.apiVersion, schema: call.scope.schema });
  const checked = asJson(keepIdentity(call, structured(call, body, validation)));
  return (live) => {
    if (live === undefined) checkMayBeMade(call, body);
    const { object } = serverSideApply({
      live: live === undefined ? undefined : asJson(live),
      applied: checked,
      manager: fieldManagerOf(call),
      force: call.info.query.get('force') === 'true',
      apiVersion: call.scope.apiVersion,
      subresource: call.target.subresource,
      now: timestamp(core.options.clock.nowMs()),
      schema: call.scope.schema,
      resetFields: resetFieldsOf(call),
    });
    const result = keepIdentity(call, asObject(object));
    return { wanted: result, managed: result };
  };
}

/** What is made by an apply has its name in the body, too, and no uid yet. */
function checkMayBeMade(call: Call, body: JsonObject): void {
  const metadata = isJsonObject(body['metadata']) ? body['metadata'] : {};
  checkName(call, { ...EMPTY_OBJECT, metadata });
  const { uid = '' } = metadata;
  if (uid === '' || uid === null) return;
  const why = `uid mismatch: the provided object specified uid ${String(uid)}, and no existing object was found`;
  throw conflict(call.scope.groupResource, call.target.name, why);
}

async function parseApplied(call: Call, validation: FieldValidation): Promise<JsonObject> {
  const text = bodyText(call.request.body);
  let body: Json;
  try {
    const { value, repeated } = await boundedYaml(text);
    body = value;
    if (repeated.length > 0 && validation === 'Strict') {
      throw badRequest(`error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  ${repeated.join('\n  ')}`);
    }
    if (validation === 'Warn') call.warnings.push(...repeated);
  } catch (thrown) {
    if (thrown instanceof ApiError) throw thrown;
    throw badRequest(`error decoding YAML: error converting YAML to JSON: ${asError(thrown).message}`);
  }
  if (!isJsonObject(body)) throw badRequest('error decoding YAML: the body is not an object');
  const {
    apiVersion,
    kind: { kind },
  } = call.scope;
  if (body['apiVersion'] !== apiVersion || body['kind'] !== kind) {
    const [version = '', group = ''] = String(body['apiVersion'] ?? '')
      .split('/')
      .reverse();
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${String(body['kind'] ?? '')}`);
  }
  return body;
}
