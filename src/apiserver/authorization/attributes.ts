/** What authorizers are asked and answer, and how a refusal is worded. */
import type { PolicyRule } from '#api';
import { parseFieldSelector } from '#machinery';
import type { UserInfo } from '../http/message.ts';

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
  /** The raw field selector of a list, watch or deletecollection. */
  readonly fieldSelector?: string | undefined;
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
  /** Some of the user's rights are not expressed in rules, or some roles could not be found. */
  readonly incomplete: boolean;
  /** What could not be found, as upstream words it. */
  readonly errors: readonly string[];
}

/** The group that may do everything (upstream: user.SystemPrivilegedGroup). */
export const MASTERS_GROUP = 'system:masters';
/** The user of requests without credentials. */
export const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
/** The group of everybody who proved an identity. */
export const AUTHENTICATED_GROUP = 'system:authenticated';

/** The value that a raw field selector demands of a field; undefined when it does not, or cannot be read: then the request fails by itself later. */
export function requiredValue(fieldSelector: string, field: string): string | undefined {
  if (!fieldSelector.includes(field)) return undefined;
  try {
    return parseFieldSelector(fieldSelector).find((requirement) => requirement.field === field && requirement.op === '=')?.value;
  } catch {
    return undefined;
  }
}

/** The text of a refusal, as upstream's responsewriters.Forbidden builds it (after `… is forbidden: `). */
export function refusalText({ user, verb, path, group, resource, subresource, namespace }: AuthorizationAttributes, reason?: string): string {
  const suffix = reason === undefined || reason === '' ? '' : `: ${reason}`;
  if (path !== undefined) return `User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(path)}${suffix}`;
  const what = subresource === undefined || subresource === '' ? (resource ?? '') : `${resource ?? ''}/${subresource}`;
  const where = namespace === undefined || namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return `User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group ?? '')} ${where}${suffix}`;
}
