/** Who makes a request: certificate or in-process identity, bearer token, or nobody. */
import { oncePer } from '#base';
import { unauthorized } from '#machinery';
import { ANONYMOUS, AUTHENTICATED_GROUP } from './authorization/attributes.ts';
import type { ServerRequest, UserInfo } from './http/message.ts';
import type { Core } from './options.ts';
import { tokenUser, type TokenVerdict } from './service-account-tokens.ts';

/** Who makes a request; 401 for a token that nobody has, for a certificate that is void, and for no credentials where anonymous requests are off. */
export async function authenticate(core: Core, request: ServerRequest, warnings: string[]): Promise<UserInfo> {
  if (request.user !== undefined) return authenticated(request.user);
  const token = bearerToken(request.headers['authorization'] ?? '', warnings);
  if (token !== undefined) {
    const verdict = await userOfToken(core, token);
    if (!('user' in verdict)) throw unauthorized();
    return authenticated(verdict.user);
  }
  if (core.options.anonymousAuth === false || request.distrusted === true) throw unauthorized();
  return ANONYMOUS;
}

/** The token of an Authorization header, if it is one (upstream: request/bearertoken). */
function bearerToken(header: string, warnings: string[]): string | undefined {
  const [scheme = '', token, rest] = header.trim().split(' ');
  if (scheme.toLowerCase() !== 'bearer' || token === undefined) return undefined;
  if (token === '' && rest !== undefined) warnings.push('the provided Authorization header contains extra space before the bearer token, and is ignored');
  return token === '' ? undefined : token;
}

/** Who shows a token to one of `audiences` (none: this server): one of the static ones, which are for this server only, or a service account. */
export async function userOfToken(
  core: Core,
  token: string,
  audiences: readonly string[] = [],
): Promise<TokenVerdict | { readonly user: UserInfo; readonly audiences?: undefined }> {
  const user = core.options.authenticateToken?.(token);
  if (user === undefined) return tokenUser(core, token, audiences);
  const { issuer } = core.options.serviceAccounts ?? {};
  if (issuer === undefined) return audiences.length === 0 ? { user } : { problem: undefined };
  return audiences.length === 0 || audiences.includes(issuer) ? { user, audiences: [issuer] } : { problem: undefined };
}

/** A connection has one user for all its requests. */
const authenticated = oncePer((user: UserInfo): UserInfo => {
  if (user.groups.includes(AUTHENTICATED_GROUP) || user.name === ANONYMOUS.name) return user;
  return { ...user, groups: [...user.groups, AUTHENTICATED_GROUP] };
});
