/** Who makes a request: certificate or in-process identity, bearer token, or nobody; and whom a caller stands in for. */
import { badRequest, forbidden, goQuote, unauthorized } from '#machinery';
import { ANONYMOUS, AUTHENTICATED_GROUP, type AuthorizationAttributes, refusalText } from './authorization/attributes.ts';
import type { ServerRequest, UserInfo } from './http/message.ts';
import type { Core } from './options.ts';
import { serviceAccountGroups, tokenUser } from './service-account-tokens.ts';

const EXTRA_HEADER = 'impersonate-extra-';
const AUTHENTICATION = 'authentication.k8s.io';
const UNAUTHENTICATED_GROUP = 'system:unauthenticated';

/** The user of a request; 401 for a token that nobody has, and for no credentials where anonymous requests are off. */
export async function authenticate(core: Core, request: ServerRequest): Promise<UserInfo> {
  const user = await identify(core, request);
  if (request.headers['impersonate-user'] !== undefined) return impersonate(core, request, user);
  const stray = Object.keys(request.headers).find((header) => header.startsWith('impersonate-'));
  if (stray !== undefined) throw badRequest(`requested ${describePartial(request.headers)} without impersonating a user name`);
  return user;
}

/** What is asked for besides a user, as Go prints it. */
function describePartial(headers: ServerRequest['headers']): string {
  const strings = (values: readonly string[]): string => `[]string{${values.map(goQuote).join(', ')}}`;
  const groups = valuesOf(headers['impersonate-group']);
  const extra = Object.entries(extraOf(headers)).map(([key, values]) => `${goQuote(key)}:${strings(values)}`);
  const shown = [
    `Name:"", UID:${goQuote(headers['impersonate-uid'] ?? '')}`,
    `Groups:${groups.length === 0 ? '[]string(nil)' : strings(groups)}`,
    `Extra:${extra.length === 0 ? 'map[string][]string(nil)' : `map[string][]string{${extra.join(', ')}}`}`,
  ];
  return `&user.DefaultInfo{${shown.join(', ')}}`;
}

async function identify(core: Core, request: ServerRequest): Promise<UserInfo> {
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
  return audiences.length === 0 || (issuer !== undefined && audiences.includes(issuer)) ? { user } : undefined;
}

function authenticated(user: UserInfo): UserInfo {
  if (user.groups.includes(AUTHENTICATED_GROUP) || user.name === ANONYMOUS.name) return user;
  return { ...user, groups: [...user.groups, AUTHENTICATED_GROUP] };
}

/** The user of Impersonate-* headers; the caller must be allowed to impersonate each part of it (upstream: endpoints/filters/impersonation). */
async function impersonate(core: Core, { headers }: ServerRequest, caller: UserInfo): Promise<UserInfo> {
  const name = headers['impersonate-user'] ?? '';
  const [, namespace, account] = SERVICE_ACCOUNT.exec(name) ?? [];
  const asked = valuesOf(headers['impersonate-group']);
  const uid = headers['impersonate-uid'];
  const extra = extraOf(headers);
  const parts: readonly Impersonated[] = [
    namespace === undefined ? { resource: 'users', name } : { resource: 'serviceaccounts', namespace, name: account ?? '' },
    ...asked.map((group) => ({ resource: 'groups', name: group })),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value) => ({ group: AUTHENTICATION, resource: 'userextras', subresource: key, name: value })),
    ),
    ...(uid === undefined ? [] : [{ group: AUTHENTICATION, resource: 'uids', name: uid }]),
  ];
  for (const part of parts) await checkImpersonation(core, caller, part);
  const groups = namespace === undefined || asked.length > 0 ? asked : serviceAccountGroups(namespace);
  return {
    name,
    groups: withEverybody(name, groups),
    ...(uid === undefined ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

type Impersonated = Required<Pick<AuthorizationAttributes, 'resource' | 'name'>> & Pick<AuthorizationAttributes, 'group' | 'subresource' | 'namespace'>;

async function checkImpersonation(core: Core, user: UserInfo, part: Impersonated): Promise<void> {
  const attributes: AuthorizationAttributes = { group: '', ...part, user, verb: 'impersonate' };
  const { allowed, reason } = await core.authorizer.authorize(attributes);
  const { group = '', resource = '', name = '' } = attributes;
  if (!allowed) throw forbidden({ group, resource }, name, refusalText(attributes, reason));
}

/** The values of a header that came once or several times. */
function valuesOf(header: string | undefined): string[] {
  return (header ?? '')
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '');
}

function extraOf(headers: ServerRequest['headers']): Readonly<Record<string, string[]>> {
  const named = Object.entries(headers).filter(([header]) => header.startsWith(EXTRA_HEADER));
  return Object.fromEntries(named.map(([header, value]) => [unescaped(header.slice(EXTRA_HEADER.length)), valuesOf(value)]));
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

/** A user who is somebody is in the group of all who are, unless the groups speak of that themselves. */
function withEverybody(name: string, groups: readonly string[]): readonly string[] {
  const everybody = name === ANONYMOUS.name ? UNAUTHENTICATED_GROUP : AUTHENTICATED_GROUP;
  return groups.includes(AUTHENTICATED_GROUP) || groups.includes(UNAUTHENTICATED_GROUP) ? groups : [...groups, everybody];
}
