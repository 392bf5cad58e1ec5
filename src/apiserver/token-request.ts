/** POST serviceaccounts/NAME/token: a token for the account (upstream: registry/core/serviceaccount/storage/token.go). */
import { type BoundObjectReference, type Pod, TOKEN_REQUEST, type TokenRequest } from '#api';
import { type ApiObject, badRequest, conflict, goQuote, notFound } from '#machinery';
import { onlyScopeOf } from './catalog.ts';
import { type ServerResponse, jsonResponse } from './http/message.ts';
import { type Core, timestamp } from './options.ts';
import { invalidObject, unknownResource } from './refusals.ts';
import { type Call, admissionRequest, strategyContext } from './registry/call.ts';
import { withRequestNamespace } from './registry/create.ts';
import { decodeObject } from './registry/decode.ts';
import { ownership } from './registry/managed.ts';
import { withMetadata } from './registry/object-store.ts';
import { fieldValidationOf } from './registry/write-options.ts';
import { issueToken, nodeOfPod, type Reference, type TokenSubject } from './service-account-tokens.ts';

const SCOPE = onlyScopeOf(TOKEN_REQUEST);

/** Answers a TokenRequest; 404 where the server issues no tokens. */
export async function requestToken(core: Core, call: Call): Promise<ServerResponse> {
  const options = core.options.serviceAccounts;
  if (options === undefined) throw unknownResource();
  const asked = await readRequest(core, call);
  const { namespace, name } = call.target;
  const account = (await core.objects.get(call.scope, namespace, name))?.object;
  if (account === undefined) throw notFound(call.scope.groupResource, name);
  const { uid = '' } = account.metadata;
  const wanted = asked.metadata.uid ?? uid;
  if (wanted !== uid) {
    const why = `the UID in the token request (${wanted}) does not match the UID of the service account (${uid})`;
    throw conflict({ group: SCOPE.kind.group, resource: SCOPE.kind.kind }, name, why);
  }
  const errors = SCOPE.kind.validateCreate?.(asked, strategyContext(core, call)) ?? [];
  if (errors.length > 0) throw invalidObject(SCOPE.gvk, '', errors);
  await core.admission.validate(core, admissionRequest(call, asked));
  const { expirationSeconds = 0 } = asked.spec ?? {};
  // Null where the request names none, as its kind prints it.
  const reference = asked.spec?.boundObjectRef ?? undefined;
  const audiences = asked.spec?.audiences ?? [options.issuer];
  const bound = reference === undefined ? {} : await boundObject(core, call, reference);
  const token = await issueToken(core, options, { namespace, account: { name, uid }, audiences, expirationSeconds, ...bound });
  const nowMs = core.options.clock.nowMs();
  return jsonResponse(201, {
    kind: SCOPE.kind.kind,
    apiVersion: SCOPE.apiVersion,
    metadata: { ...asked.metadata, uid, creationTimestamp: timestamp(nowMs) },
    spec: { audiences, expirationSeconds, boundObjectRef: reference ?? null },
    status: { token, expirationTimestamp: timestamp(nowMs + expirationSeconds * 1000) },
  });
}

/** The request of the body, admitted, with the name of its account. */
async function readRequest(core: Core, call: Call): Promise<TokenRequest> {
  const { target } = call;
  const inScope: Call = { ...call, scope: SCOPE };
  const decoded = withRequestNamespace(inScope, await decodeObject(inScope, fieldValidationOf(inScope)));
  const filled: ApiObject = SCOPE.version.defaults?.(decoded, strategyContext(core, call)) ?? decoded;
  const fresh = withMetadata(filled, { creationTimestamp: undefined, deletionTimestamp: undefined, deletionGracePeriodSeconds: undefined });
  const owned = withMetadata(fresh, { managedFields: ownership(core, inScope, undefined, fresh) });
  const admitted = await core.admission.admit(core, { ...admissionRequest(call, owned), name: target.name });
  const { name = target.name } = admitted.metadata;
  if (name !== target.name) {
    const message = `Invalid value: ${goQuote(name)}: must match the service account name if specified`;
    throw invalidObject(SCOPE.gvk, target.name, [{ path: 'metadata.name', reason: 'FieldValueInvalid', message }]);
  }
  // Decoded as one.
  return withMetadata(admitted, { name }) as TokenRequest;
}

/** Plurals of the kinds to which a token may be bound. */
const BINDABLE: Readonly<Record<string, string>> = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' };

async function boundObject(core: Core, call: Call, reference: BoundObjectReference): Promise<Pick<TokenSubject, 'pod' | 'node' | 'secret'>> {
  const { kind = '', name = '', uid: wanted = '' } = reference;
  const [group, version] = groupAndVersion(reference.apiVersion ?? '');
  const plural = group === '' ? BINDABLE[kind] : undefined;
  const scope = plural === undefined ? undefined : core.catalog.find('', 'v1', plural);
  if (scope === undefined) throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
  if (name === '') throw badRequest('Name parameter required.');
  const object = (await core.objects.get(scope, scope.kind.namespaced ? call.target.namespace : '', name))?.object;
  if (object === undefined) throw notFound(scope.groupResource, name);
  // Narrowed by kind.
  if (kind === 'Pod' && (object as Pod).spec?.serviceAccountName !== call.target.name)
    throw badRequest(`cannot bind token for serviceaccount ${goQuote(call.target.name)} to pod running with different serviceaccount name.`);
  const { uid = '' } = object.metadata;
  if (wanted !== '' && wanted !== uid) {
    const why = `the UID in the bound object reference (${wanted}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: '', resource: kind }, name, why);
  }
  const bound: Reference = { name, uid };
  if (kind !== 'Pod') return kind === 'Node' ? { node: bound } : { secret: bound };
  const node = await nodeOfPod(core, object as Pod);
  return { pod: bound, ...(node !== undefined && { node }) };
}

/** Upstream: FromAPIVersionAndKind; what cannot be read is of the core group. */
function groupAndVersion(apiVersion: string): readonly [group: string, version: string] {
  const parts = apiVersion.split('/');
  const [first = '', second] = parts;
  if (parts.length > 2) return ['', ''];
  return second === undefined ? ['', first] : [first, second];
}
