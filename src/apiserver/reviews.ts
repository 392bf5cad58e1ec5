/** Reviews: kinds that are never stored, only answered (authentication.k8s.io and authorization.k8s.io). */
import type { FieldError, PolicyRule } from '#api';
import { type Json, aggregateText, badRequest, isJsonObject, stringifyJson } from '#machinery';
import { userOfToken } from './authentication.ts';
import { AUTHENTICATED_GROUP, type AuthorizationAttributes } from './authorization/attributes.ts';
import { type ServerRequest, type ServerResponse, type UserInfo, jsonResponse } from './http/message.ts';
import type { ResourceTarget } from './http/request-info.ts';
import { type Core, timestamp } from './options.ts';
import { invalidObject } from './refusals.ts';
import { parseBody } from './registry/decode.ts';

type JsonObject = { readonly [key: string]: Json | undefined };

/** A review resource. */
export interface Review {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly answer: (core: Core, input: ReviewInput) => Promise<JsonObject>;
}

interface ReviewInput {
  readonly user: UserInfo;
  readonly body: JsonObject;
  readonly spec: JsonObject;
  readonly namespace: string;
}

const AUTHENTICATION = 'authentication.k8s.io';
const AUTHORIZATION = 'authorization.k8s.io';

/** All reviews, by plural. */
export const REVIEWS: readonly Review[] = [
  { group: AUTHENTICATION, plural: 'selfsubjectreviews', kind: 'SelfSubjectReview', namespaced: false, answer: selfSubjectReview },
  { group: AUTHENTICATION, plural: 'tokenreviews', kind: 'TokenReview', namespaced: false, answer: tokenReview },
  { group: AUTHORIZATION, plural: 'localsubjectaccessreviews', kind: 'LocalSubjectAccessReview', namespaced: true, answer: subjectAccessReview },
  { group: AUTHORIZATION, plural: 'selfsubjectaccessreviews', kind: 'SelfSubjectAccessReview', namespaced: false, answer: selfSubjectAccessReview },
  { group: AUTHORIZATION, plural: 'selfsubjectrulesreviews', kind: 'SelfSubjectRulesReview', namespaced: false, answer: selfSubjectRulesReview },
  { group: AUTHORIZATION, plural: 'subjectaccessreviews', kind: 'SubjectAccessReview', namespaced: false, answer: subjectAccessReview },
];

/** The review that a request is about. */
export function findReview({ group, version, plural, name, namespace }: ResourceTarget): Review | undefined {
  if (version !== 'v1' || name !== '') return undefined;
  const found = REVIEWS.find((review) => review.group === group && review.plural === plural);
  // Elsewhere the right to everything in a namespace would be one to learn of the whole cluster.
  return found?.namespaced === (namespace !== '') ? found : undefined;
}

/** Answers a review. */
export async function handleReview(
  core: Core,
  review: Review,
  { request, target, user }: { request: ServerRequest; target: ResourceTarget; user: UserInfo },
): Promise<ServerResponse> {
  const body = await parseBody(request, review.kind);
  if (!isJsonObject(body)) throw badRequest(`the object provided is unrecognized (must be of type ${review.kind})`);
  const spec = isJsonObject(body['spec']) ? body['spec'] : {};
  const answer = await review.answer(core, { user, body, spec, namespace: target.namespace });
  const metadata = isJsonObject(body['metadata']) ? body['metadata'] : {};
  const head = {
    kind: review.kind,
    apiVersion: `${review.group}/v1`,
    metadata: { ...metadata, ...(review.namespaced ? { namespace: target.namespace } : {}) },
  };
  return jsonResponse(201, { ...head, ...answer });
}

async function selfSubjectReview(core: Core, { user }: ReviewInput): Promise<JsonObject> {
  return { metadata: { creationTimestamp: timestamp(core.options.clock.nowMs()) }, status: { userInfo: userJson(user) } };
}

function userJson(user: UserInfo): JsonObject {
  return { username: user.name, uid: user.uid, groups: user.groups, extra: user.extra };
}

async function tokenReview(core: Core, { spec }: ReviewInput): Promise<JsonObject> {
  const token = spec['token'];
  if (typeof token !== 'string' || token === '') throw badRequest('token is required for TokenReview in authentication');
  const wanted = Array.isArray(spec['audiences']) ? spec['audiences'].map(String) : [];
  const found = await userOfToken(core, token, wanted);
  if (found === undefined) return { spec, status: { user: {}, error: 'invalid bearer token' } };
  const groups = [...new Set([...found.user.groups, AUTHENTICATED_GROUP])];
  const audiences = found.audiences === undefined ? {} : { audiences: found.audiences };
  return { spec, status: { authenticated: true, user: userJson({ ...found.user, groups }), ...audiences } };
}

async function selfSubjectAccessReview(core: Core, { user, spec }: ReviewInput): Promise<JsonObject> {
  check(attributeErrors(spec));
  return { spec, status: await decide(core, user, spec) };
}

/** In a namespace: only about resources of it. */
async function subjectAccessReview(core: Core, { spec, namespace }: ReviewInput): Promise<JsonObject> {
  const { user, groups, uid } = spec;
  const name = typeof user === 'string' ? user : '';
  const groupNames = Array.isArray(groups) ? groups.map(String) : [];
  const nobody = name === '' && groupNames.length === 0;
  check([
    ...attributeErrors(spec),
    ...(nobody ? [invalid('spec.user', 'Invalid value: "": at least one of user or group must be specified')] : []),
    ...(namespace === '' ? [] : localErrors(spec, namespace)),
  ]);
  const subject: UserInfo = { name, groups: groupNames, ...(typeof uid === 'string' ? { uid } : {}) };
  return { spec, status: await decide(core, subject, spec) };
}

/** Upstream: ValidateLocalSubjectAccessReview. */
function localErrors({ resourceAttributes, nonResourceAttributes }: JsonObject, namespace: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (isJsonObject(resourceAttributes) && resourceAttributes['namespace'] !== namespace) {
    const value = JSON.stringify(resourceAttributes['namespace'] ?? '');
    errors.push(invalid('spec.resourceAttributes.namespace', `Invalid value: ${value}: must match metadata.namespace`));
  }
  if (isJsonObject(nonResourceAttributes)) errors.push(invalidPath(nonResourceAttributes, 'disallowed on this kind of request'));
  return errors;
}

/** Exactly one of both is asked about. */
function attributeErrors({ resourceAttributes, nonResourceAttributes }: JsonObject): readonly FieldError[] {
  const onResource = isJsonObject(resourceAttributes);
  if (isJsonObject(nonResourceAttributes)) {
    return onResource ? [invalidPath(nonResourceAttributes, 'cannot be specified in combination with resourceAttributes')] : [];
  }
  if (onResource) return [];
  return [invalid('spec.resourceAttributes', 'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified')];
}

function invalidPath({ path = '', verb = '' }: JsonObject, why: string): FieldError {
  return invalid('spec.nonResourceAttributes', `Invalid value: ${stringifyJson({ Path: path, Verb: verb })}: ${why}`);
}

function invalid(path: string, message: string): FieldError {
  return { path, reason: 'FieldValueInvalid', message };
}

function check(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidObject({ group: AUTHORIZATION, kind: '' }, '', errors);
}

async function decide(core: Core, user: UserInfo, spec: JsonObject): Promise<JsonObject> {
  const { allowed, reason } = await core.authorizer.authorize(attributesOf(user, spec));
  return reason === undefined ? { allowed } : { allowed, reason };
}

function attributesOf(user: UserInfo, spec: JsonObject): AuthorizationAttributes {
  const source = spec['nonResourceAttributes'] ?? spec['resourceAttributes'];
  const members = isJsonObject(source) ? source : {};
  const read = (name: string): string => (typeof members[name] === 'string' ? members[name] : '');
  if (isJsonObject(spec['nonResourceAttributes'])) return { user, verb: read('verb'), path: read('path') };
  return {
    user,
    verb: read('verb'),
    group: read('group'),
    resource: read('resource'),
    subresource: read('subresource'),
    namespace: read('namespace'),
    name: read('name'),
  };
}

/** The rules that apply to the caller in a namespace (upstream: registry/authorization/selfsubjectrulesreview). */
async function selfSubjectRulesReview(core: Core, { user, spec }: ReviewInput): Promise<JsonObject> {
  const { namespace } = spec;
  if (typeof namespace !== 'string' || namespace === '') throw badRequest('no namespace on request');
  const { rules, incomplete, errors } = core.authorizer.rulesFor(user, namespace);
  const resourceRules = rules.filter((rule) => (rule.resources ?? []).length > 0).map(resourceRule);
  const nonResourceRules = rules
    .filter((rule) => (rule.nonResourceURLs ?? []).length > 0)
    .map(({ verbs, nonResourceURLs = [] }) => ({ verbs, nonResourceURLs }));
  const evaluationError = errors.length === 0 ? {} : { evaluationError: aggregateText(errors) };
  return { spec: {}, status: { resourceRules, nonResourceRules, incomplete, ...evaluationError } };
}

function resourceRule({ verbs, apiGroups = [], resources = [], resourceNames = [] }: PolicyRule): JsonObject {
  return { verbs, apiGroups, resources, ...(resourceNames.length > 0 && { resourceNames }) };
}
