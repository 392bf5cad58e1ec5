/** What authorizers are asked and answer, and how a refusal is worded. */
import type { PolicyRule } from '#api';
import { type ApiError, type FieldRequirement, forbidden, goQuote, parseFieldSelector } from '#machinery';
import type { UserInfo } from '../http/message.ts';
import { refusal } from '../refusals.ts';

/** What is asked of an authorizer: a request on a resource, or on another path. */
export interface AuthorizationAttributes {
  readonly user: UserInfo;
  readonly verb: string;
  /** Set for requests that are not about a resource. */
  readonly path?: string | undefined;
  readonly group?: string | undefined;
  readonly resource?: string | undefined;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** What the field selector of a list, watch or deletecollection demands; nothing if it cannot be read: then the request fails by itself later. */
  readonly fields?: readonly FieldRequirement[] | undefined;
}

/** An authorizer's answer; the reason is appended to the text of a refusal. */
export interface AuthorizationDecision {
  readonly allowed: boolean;
  readonly reason?: string | undefined;
}

/** Decides requests of authenticated (or anonymous) users. */
export interface Authorizer {
  authorize(attributes: AuthorizationAttributes): AuthorizationDecision | Promise<AuthorizationDecision>;
  /** What the user may do in `namespace` ("": cluster-wide). */
  rulesFor(user: UserInfo, namespace: string): UserRules;
}

/** The rules that apply to a user. */
export interface UserRules {
  readonly rules: readonly PolicyRule[];
  /** Some of the user's rights are not expressed in rules. */
  readonly incomplete: boolean;
  /** What could not be found, as upstream words it. */
  readonly errors: readonly string[];
}

/** The group that may do everything (upstream: user.SystemPrivilegedGroup). */
export const MASTERS_GROUP = 'system:masters';
/** The group of everybody else. */
export const UNAUTHENTICATED_GROUP = 'system:unauthenticated';
/** The user of requests without credentials. */
export const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: [UNAUTHENTICATED_GROUP] };
/** The group of everybody who proved an identity. */
export const AUTHENTICATED_GROUP = 'system:authenticated';

/** The requirements of a field selector's text, none if it cannot be read. */
export function fieldsOfSelector(text: string): readonly FieldRequirement[] {
  if (text === '') return [];
  try {
    return parseFieldSelector(text);
  } catch {
    return [];
  }
}

/** The value that requirements demand of a field, undefined when they do not. */
export function requiredValue(fields: readonly FieldRequirement[], field: string): string | undefined {
  return fields.find((requirement) => requirement.field === field && requirement.op === '=')?.value;
}

/** The text of a refusal, as upstream's responsewriters.ForbiddenStatusError builds it (after `… is forbidden: `). */
export function refusalText(attributes: AuthorizationAttributes, reason?: string): string {
  const text = whatIsRefused(attributes).replaceAll(/[&<>]/g, (sign) => ENTITIES[sign] ?? sign);
  return reason === undefined || reason === '' ? text : `${text}: ${reason}`;
}

/** Upstream's sanitizer: refusals may end up in a browser. */
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function whatIsRefused({ user, verb, path, group = '', resource = '', subresource = '', namespace = '' }: AuthorizationAttributes): string {
  if (path !== undefined) return `User ${goQuote(user.name)} cannot ${verb} path ${goQuote(path)}`;
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${goQuote(namespace)}`;
  return `User ${goQuote(user.name)} cannot ${verb} resource ${goQuote(what)} in API group ${goQuote(group)} ${where}`;
}

/** The 403 of a request that no authorizer allows (upstream: responsewriters.ForbiddenStatusError). */
export function denied(attributes: AuthorizationAttributes, reason: string | undefined): ApiError {
  const text = refusalText(attributes, reason);
  const { path, group = '', resource = '', name = '' } = attributes;
  return path === undefined ? forbidden({ group, resource }, name, text) : refusal(403, 'Forbidden', `forbidden: ${text}`, {});
}
