/** Who makes a request: certificate or in-process identity, bearer token, or nobody; and whom a caller stands in for. */
import { badRequest, forbidden, unauthorized } from '#machinery';
import { ANONYMOUS, AUTHENTICATED_GROUP, type AuthorizationAttributes, refusalText } from './authorization.ts';
import type { ServerRequest, UserInfo } from './http/message.ts';
import type { Core } from './options.ts';

const EXTRA_HEADER = 'impersonate-extra-';

/** The user of a request; 401 for a token that nobody has, and for no credentials where anonymous requests are off. */
export async function authenticate(core: Core, request: ServerRequest): Promise<UserInfo> {
  const user = identify(core, request);
  if (request.headers['impersonate-user'] !== undefined) return impersonate(core, request, user);
  const stray = Object.keys(request.headers).find((header) => header.startsWith('impersonate-'));
  if (stray !== undefined) throw badRequest(`requested impersonation without a user (${stray})`);
  return user;
}

function identify(core: Core, request: ServerRequest): UserInfo {
  if (request.user !== undefined) return authenticated(request.user);
  const token = /^bearer\s+(\S+)\s*$/i.exec(request.headers['authorization'] ?? '')?.[1];
  if (token !== undefined) {
    const user = core.options.authenticateToken?.(token);
    if (user === undefined) throw unauthorized();
    return authenticated(user);
  }
  if (core.options.anonymousAuth === false) throw unauthorized();
  return ANONYMOUS;
}

function authenticated(user: UserInfo): UserInfo {
  if (user.groups.includes(AUTHENTICATED_GROUP) || user.name === ANONYMOUS.name) return user;
  return { ...user, groups: [...user.groups, AUTHENTICATED_GROUP] };
}

/** The user of Impersonate-* headers; the caller must be allowed to impersonate it. */
async function impersonate(core: Core, request: ServerRequest, caller: UserInfo): Promise<UserInfo> {
  const name = request.headers['impersonate-user'] ?? '';
  const attributes: AuthorizationAttributes = { user: caller, verb: 'impersonate', group: '', resource: 'users', name };
  const decision = await core.authorizer.authorize(attributes);
  if (!decision.allowed) throw forbidden({ group: '', resource: 'users' }, name, refusalText(attributes, decision.reason));
  const groups = (request.headers['impersonate-group'] ?? '').split(',').map((group) => group.trim());
  const extra: Record<string, string[]> = {};
  for (const [header, value] of Object.entries(request.headers)) {
    if (header.startsWith(EXTRA_HEADER)) extra[decodeURIComponent(header.slice(EXTRA_HEADER.length))] = value.split(',').map((part) => part.trim());
  }
  const uid = request.headers['impersonate-uid'];
  return authenticated({
    name,
    groups: [...groups.filter((group) => group !== ''), ...serviceAccountGroups(name)],
    ...(uid === undefined ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  });
}

/** Groups that a service account's name implies. */
function serviceAccountGroups(name: string): string[] {
  const match = /^system:serviceaccount:([^:]+):[^:]+$/.exec(name);
  return match === null ? [] : ['system:serviceaccounts', `system:serviceaccounts:${match[1] ?? ''}`];
}
