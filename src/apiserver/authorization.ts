/** Who may do what: the port, and the simple policy that stands until RBAC rules are read. */
import type { UserInfo } from './http/message.ts';

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
}

/** An authorizer's answer; the reason is appended to the text of a refusal. */
export interface AuthorizationDecision {
  readonly allowed: boolean;
  readonly reason?: string | undefined;
}

/** Decides requests of authenticated (or anonymous) users. */
export interface Authorizer {
  authorize(attributes: AuthorizationAttributes): AuthorizationDecision | Promise<AuthorizationDecision>;
}

/** The group that may do everything (upstream: user.SystemPrivilegedGroup). */
export const MASTERS_GROUP = 'system:masters';
/** The user of requests without credentials. */
export const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
/** The group of everybody who proved an identity. */
export const AUTHENTICATED_GROUP = 'system:authenticated';

/** Identities under which control plane components run, in this process or beside it. */
const COMPONENT_USERS: ReadonlySet<string> = new Set(['system:apiserver', 'system:kube-scheduler', 'system:kube-controller-manager']);
const COMPONENT_GROUPS: readonly string[] = ['system:nodes', 'system:serviceaccounts:kube-system'];
/** Paths that upstream opens to everybody (ClusterRole system:public-info-viewer). */
const PUBLIC_PATH = /^\/(healthz|livez|readyz|version)(\/|$)/;
/** Paths that upstream opens to authenticated users (ClusterRole system:discovery). */
const DISCOVERY_PATH = /^\/(api|apis|openapi|version)(\/|$)/;
/** Reviews of oneself that upstream opens to authenticated users (ClusterRole system:basic-user). */
const SELF_REVIEWS: ReadonlySet<string> = new Set(['selfsubjectreviews', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews']);

/** system:masters and the components may do everything, others may look at themselves and at discovery. */
export class ComponentAuthorizer implements Authorizer {
  authorize({ user, verb, path, resource }: AuthorizationAttributes): AuthorizationDecision {
    if (user.groups.includes(MASTERS_GROUP) || COMPONENT_USERS.has(user.name)) return { allowed: true };
    if (COMPONENT_GROUPS.some((group) => user.groups.includes(group))) return { allowed: true };
    if (path !== undefined && verb === 'get' && PUBLIC_PATH.test(path)) return { allowed: true };
    if (!user.groups.includes(AUTHENTICATED_GROUP)) return { allowed: false };
    if (path !== undefined) return { allowed: verb === 'get' && DISCOVERY_PATH.test(path) };
    return { allowed: verb === 'create' && SELF_REVIEWS.has(resource ?? '') };
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
