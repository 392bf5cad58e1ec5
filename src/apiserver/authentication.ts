/** Who makes a request: certificate or in-process identity, bearer token, or nobody. */
import { unauthorized } from '#machinery';
import { ANONYMOUS, AUTHENTICATED_GROUP } from './authorization/attributes.ts';
import type { ServerRequest, UserInfo } from './http/message.ts';
import type { Core } from './options.ts';
import { tokenUser } from './service-account-tokens.ts';

/** Who makes a request; 401 for a token that nobody has, and for no credentials where anonymous requests are off. */
export async function authenticate(core: Core, request: ServerRequest): Promise<UserInfo> {
  if (request.user !== undefined) return authenticated(request.user);
  const token = /^bearer\s+(\S+)\s*$/i.exec(request.headers['authorization'] ?? '')?.[1];
  if (token !== undefined) {
    const user = (await userOfToken(core, token))?.user;
    if (user === undefined) throw unauthorized();
    return authenticated(user);
  }
  if (core.options.anonymousAuth === false) throw unauthorized();
  return ANONYMOUS;
}

/** Who shows a token to one of `audiences` (none: this server): one of the static ones, which are for this server only, or a service account. */
export async function userOfToken(
  core: Core,
  token: string,
  audiences: readonly string[] = [],
): Promise<{ readonly user: UserInfo; readonly audiences?: readonly string[] } | undefined> {
  const user = core.options.authenticateToken?.(token);
  if (user === undefined) return tokenUser(core, token, audiences);
  const { issuer } = core.options.serviceAccounts ?? {};
  if (issuer === undefined) return audiences.length === 0 ? { user } : undefined;
  return audiences.length === 0 || audiences.includes(issuer) ? { user, audiences: [issuer] } : undefined;
}

function authenticated(user: UserInfo): UserInfo {
  if (user.groups.includes(AUTHENTICATED_GROUP) || user.name === ANONYMOUS.name) return user;
  return { ...user, groups: [...user.groups, AUTHENTICATED_GROUP] };
}
