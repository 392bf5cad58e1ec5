/** POST serviceaccounts/NAME/token: a token for the account (upstream: registry/core/serviceaccount/storage/token.go). */
import type { FieldError, Pod } from '#api';
import { type ApiObject, badRequest, conflict, isJsonObject, type JsonObject, notFound } from '#machinery';
import { type ServerResponse, jsonResponse } from './http/message.ts';
import { type Core, timestamp } from './options.ts';
import { invalidObject, unknownResource } from './refusals.ts';
import { type Call, admissionRequest } from './registry/call.ts';
import { parseBody } from './registry/decode.ts';
import { issueToken, nodeOfPod, type Reference, type TokenSubject } from './service-account-tokens.ts';

const KIND = { group: 'authentication.k8s.io', kind: 'TokenRequest' };
/** Seconds of a request that names none. */
const DEFAULT_EXPIRATION_SECONDS = 3600;
/** Upstream: ValidateTokenRequest. */
const MIN_EXPIRATION_SECONDS = 600;
const MAX_EXPIRATION_SECONDS = 2 ** 32;

/** Answers a TokenRequest; 404 where the server issues no tokens. */
export async function requestToken(core: Core, call: Call): Promise<ServerResponse> {
  const options = core.options.serviceAccounts;
  if (options === undefined) throw unknownResource();
  const { namespace, name } = call.target;
  const account = await core.objects.get(call.scope, namespace, name);
  if (account === undefined) throw notFound(call.scope.groupResource, name);
  const body = await parseBody(call.request, KIND.kind);
  if (!isJsonObject(body)) throw badRequest('the object provided is unrecognized (must be of type TokenRequest)');
  const spec = isJsonObject(body['spec']) ? body['spec'] : {};
  const expirationSeconds = expirationOf(spec);
  const asked = Array.isArray(spec['audiences']) ? spec['audiences'].map(String) : [];
  const audiences = asked.length === 0 ? [options.issuer] : asked;
  const reference = isJsonObject(spec['boundObjectRef']) ? spec['boundObjectRef'] : undefined;
  await core.admission.admit(core, admissionRequest(call, { ...tokenObject(namespace, name), spec } as ApiObject));
  const bound = reference === undefined ? {} : await boundObject(core, call, reference);
  const uid = account.object.metadata.uid ?? '';
  const token = await issueToken(core, options, { namespace, account: { name, uid }, audiences, expirationSeconds, ...bound });
  const nowMs = core.options.clock.nowMs();
  const { metadata } = tokenObject(namespace, name);
  return jsonResponse(201, {
    kind: KIND.kind,
    apiVersion: `${KIND.group}/v1`,
    metadata: { ...metadata, uid: core.options.random.uuid(), creationTimestamp: timestamp(nowMs) },
    spec: { audiences, expirationSeconds, boundObjectRef: reference ?? null },
    status: { token, expirationTimestamp: timestamp(nowMs + expirationSeconds * 1000) },
  });
}

function tokenObject(namespace: string, name: string): ApiObject {
  return { apiVersion: `${KIND.group}/v1`, kind: KIND.kind, metadata: { name, namespace } };
}

function expirationOf(spec: JsonObject): number {
  const asked = spec['expirationSeconds'] ?? DEFAULT_EXPIRATION_SECONDS;
  const seconds = Number(asked);
  const refuse = (why: string): Error => {
    const error: FieldError = { path: 'spec.expirationSeconds', reason: 'FieldValueInvalid', message: `Invalid value: ${String(asked)}: ${why}` };
    return invalidObject(KIND, '', [error]);
  };
  if (!(seconds >= MIN_EXPIRATION_SECONDS)) throw refuse('may not specify a duration less than 10 minutes');
  if (seconds > MAX_EXPIRATION_SECONDS) throw refuse('may not specify a duration larger than 2^32 seconds');
  return seconds;
}

/** Plurals of the kinds to which a token may be bound. */
const BINDABLE: Readonly<Record<string, string>> = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' };

async function boundObject(core: Core, call: Call, reference: JsonObject): Promise<Pick<TokenSubject, 'pod' | 'node' | 'secret'>> {
  const kind = String(reference['kind'] ?? '');
  const plural = BINDABLE[kind];
  const scope = plural === undefined ? undefined : core.catalog.find('', 'v1', plural);
  if (scope === undefined) throw badRequest(`cannot bind token to object of type ${String(reference['apiVersion'] ?? '')}, Kind=${kind}`);
  const [name, wanted] = [String(reference['name'] ?? ''), String(reference['uid'] ?? '')];
  const object = (await core.objects.get(scope, scope.kind.namespaced ? call.target.namespace : '', name))?.object;
  if (object === undefined) throw notFound(scope.groupResource, name);
  const { uid = '' } = object.metadata;
  if (wanted !== '' && wanted !== uid) {
    const why = `the UID in the bound object reference (${wanted}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict(scope.groupResource, name, why);
  }
  const bound: Reference = { name, uid };
  if (kind !== 'Pod') return kind === 'Node' ? { node: bound } : { secret: bound };
  // Narrowed by kind.
  const pod = object as Pod;
  const account = call.target.name;
  if (pod.spec?.serviceAccountName !== account)
    throw badRequest(`cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`);
  const node = await nodeOfPod(core, pod);
  return { pod: bound, ...(node !== undefined && { node }) };
}
