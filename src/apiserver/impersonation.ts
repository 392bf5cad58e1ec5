/** Standing in for somebody else by Impersonate-* headers (upstream: endpoints/filters/impersonation, with the constrained modes of KEP 5284). */
import { dnsLabelProblems, dnsSubdomainProblems } from '#api';
import { type ApiError, badRequest, goQuote } from '#machinery';
import { ANONYMOUS, AUTHENTICATED_GROUP, type AuthorizationAttributes, denied, MASTERS_GROUP, UNAUTHENTICATED_GROUP } from './authorization/attributes.ts';
import { NODES_GROUP } from './authorization/node.ts';
import type { ServerRequest, UserInfo } from './http/message.ts';
import type { Core } from './options.ts';
import { refusal } from './refusals.ts';
import { serviceAccountGroups } from './service-account-tokens.ts';

const EXTRA_HEADER = 'impersonate-extra-';
const AUTHENTICATION = 'authentication.k8s.io';
const NODE_NAME_EXTRA = 'authentication.kubernetes.io/node-name';

/** Whom a request asks to be answered as; nothing is filled in yet. */
interface Wanted {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** A way of standing in: whether it can serve the request at all, and the part of its verbs that names it. */
interface Mode {
  readonly name: string;
  readonly applies: (wanted: Wanted, requestor: UserInfo) => boolean;
}

const CONSTRAINED_MODES: readonly Mode[] = [
  { name: 'associated-node', applies: (wanted, requestor) => isNameOnly(wanted) && isOnNode(requestor, nodeNameIn(wanted.name)) },
  { name: 'arbitrary-node', applies: (wanted) => isNameOnly(wanted) && nodeNameIn(wanted.name) !== undefined },
  { name: 'serviceaccount', applies: (wanted) => isNameOnly(wanted) && serviceAccountIn(wanted.name) !== undefined },
  { name: 'user-info', applies: ({ name }) => nodeNameIn(name) === undefined && serviceAccountIn(name) === undefined },
];
/** The mode of old: its verb names none, and the request itself is not asked about. */
const LEGACY: Mode = { name: '', applies: () => true };

/** Which mode served a user last, so that it is tried first (upstream: modeIndexCache). */
const lastModes = new WeakMap<Core, Map<string, Mode>>();
/** Upstream: the size of that cache. */
const LAST_MODES_MAX = 10_000;

/**
 * The user that the headers ask for, the requestor where they ask for none. `attributes` are those of the request as the
 * requestor's own. Throws ApiError 403 when no mode allows it: with the refusal of the mode that was tried first.
 */
export async function impersonated(core: Core, { headers }: ServerRequest, attributes: AuthorizationAttributes): Promise<UserInfo> {
  const wanted = wantedUser(headers);
  if (wanted === undefined) return attributes.user;
  const requestor = attributes.user;
  const known = lastModes.get(core) ?? new Map<string, Mode>();
  lastModes.set(core, known);
  const modes = core.options.gates.get('ConstrainedImpersonation') === true ? [...CONSTRAINED_MODES, LEGACY] : [LEGACY];
  const last = known.get(requestor.name);
  let refused: ApiError | undefined;
  for (const mode of last === undefined ? modes : [last, ...modes.filter((other) => other !== last)]) {
    if (!mode.applies(wanted, requestor)) continue;
    const outcome = await tryMode(core, mode, wanted, attributes);
    if ('groups' in outcome) {
      known.delete(requestor.name);
      if (known.size >= LAST_MODES_MAX) known.delete(known.keys().next().value ?? '');
      known.set(requestor.name, mode);
      return outcome;
    }
    refused ??= outcome;
  }
  throw refused ?? refusal(403, 'Forbidden', 'all impersonation modes failed', {});
}

function wantedUser(headers: ServerRequest['headers']): Wanted | undefined {
  const asked = Object.keys(headers).filter((name) => name.startsWith('impersonate-'));
  if (asked.length === 0) return undefined;
  const [[name = ''], [uid = '']] = [valuesOf(headers['impersonate-user']), valuesOf(headers['impersonate-uid'])];
  const wanted = { name, uid, groups: valuesOf(headers['impersonate-group']), extra: extraOf(headers) };
  if (name !== '') return wanted;
  if (uid === '' && wanted.groups.length === 0 && !asked.some((header) => header.startsWith(EXTRA_HEADER))) return undefined;
  throw badRequest(`requested ${describe(wanted)} without impersonating a user name`);
}

/** The values of a header that came once or several times, one a line. */
function valuesOf(header: string | undefined): readonly string[] {
  return header === undefined ? [] : header.split('\n');
}

function extraOf(headers: ServerRequest['headers']): Wanted['extra'] {
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

/** What is asked for besides a user, as Go prints it. */
function describe({ name, uid, groups, extra }: Wanted): string {
  const strings = (values: readonly string[]): string => `[]string{${values.map(goQuote).join(', ')}}`;
  const pairs = Object.entries(extra).map(([key, values]) => `${goQuote(key)}:${strings(values)}`);
  const shown = [
    `Name:${goQuote(name)}, UID:${goQuote(uid)}`,
    `Groups:${groups.length === 0 ? '[]string(nil)' : strings(groups)}`,
    `Extra:${pairs.length === 0 ? 'map[string][]string(nil)' : `map[string][]string{${pairs.join(', ')}}`}`,
  ];
  return `&user.DefaultInfo{${shown.join(', ')}}`;
}

/** The user, or why not. */
async function tryMode(core: Core, mode: Mode, wanted: Wanted, attributes: AuthorizationAttributes): Promise<UserInfo | ApiError> {
  const constrained = mode !== LEGACY;
  const ask = async (asked: AuthorizationAttributes): Promise<ApiError | undefined> => {
    const { allowed, reason } = await core.authorizer.authorize(asked);
    return allowed ? undefined : denied(asked, reason);
  };
  const onRequest = constrained ? await ask({ ...attributes, verb: `impersonate-on:${mode.name}:${attributes.verb}` }) : undefined;
  if (onRequest !== undefined) return onRequest;
  const base = { user: attributes.user, verb: constrained ? `impersonate:${mode.name}` : 'impersonate' };
  for (const part of partsOf(mode, wanted)) {
    const problem = part.problem === undefined ? undefined : denied({ ...base, ...part.asked }, part.problem);
    if (problem !== undefined) return problem;
    if (part.wildcard !== undefined && (await ask({ ...base, ...part.wildcard })) === undefined) continue;
    for (const each of part.each) {
      const refused = await ask({ ...base, ...each });
      if (refused !== undefined) return refused;
    }
  }
  return actualUser(constrained, wanted);
}

type Asked = Pick<AuthorizationAttributes, 'group' | 'resource' | 'subresource' | 'namespace' | 'name'>;

/** A member of the wanted user: every value must be allowed, or all at once. */
interface Part {
  readonly each: readonly Asked[];
  readonly wildcard?: Asked | undefined;
  /** Why it is refused whatever the rights. */
  readonly problem?: string | undefined;
  /** What a refusal for that names. */
  readonly asked?: Asked | undefined;
}

/** Upstream: manyAuthorizationChecksInLoop; so many values are first asked for by a wildcard. */
const MANY = 4;

function partsOf(mode: Mode, wanted: Wanted): readonly Part[] {
  const { uid, groups, extra } = wanted;
  const constrained = mode !== LEGACY;
  const group = constrained ? AUTHENTICATION : '';
  const groupParts: Part = {
    each: groups.map((name) => ({ group, resource: 'groups', name })),
    ...(constrained && groups.length >= MANY && { wildcard: { group, resource: 'groups', name: '*' } }),
    ...(constrained && groupProblem(groups)),
  };
  const userExtras = { group: AUTHENTICATION, resource: 'userextras' };
  const extras = Object.entries(extra).flatMap(([subresource, values]) => values.map((name) => ({ ...userExtras, subresource, name })));
  const manyExtras = Object.keys(extra).length >= MANY || extras.length >= MANY;
  return [
    { each: [nameAsked(mode, wanted)] },
    { each: uid === '' ? [] : [{ group: AUTHENTICATION, resource: 'uids', name: uid }] },
    groupParts,
    {
      each: extras,
      ...(constrained && manyExtras && { wildcard: { ...userExtras, subresource: '*', name: '*' } }),
      ...(constrained && { problem: extraProblem(extra), asked: { ...userExtras, name: '' } }),
    },
  ];
}

function nameAsked(mode: Mode, { name }: Wanted): Asked {
  const constrained = mode !== LEGACY;
  const group = constrained ? AUTHENTICATION : '';
  const node = constrained ? nodeNameIn(name) : undefined;
  // The right to stand in for the node on which one runs is not one for a certain node.
  if (node !== undefined) return { group, resource: 'nodes', name: mode.name === 'associated-node' ? '*' : node };
  const account = serviceAccountIn(name);
  return account === undefined ? { group, resource: 'users', name } : { group, resource: 'serviceaccounts', ...account };
}

function groupProblem(groups: readonly string[]): Pick<Part, 'problem' | 'asked'> {
  const asked = { group: AUTHENTICATION, resource: 'groups', name: '' };
  if (groups.includes('')) return { problem: 'impersonating the empty string group is not allowed', asked };
  if (groups.includes(MASTERS_GROUP)) return { problem: 'impersonating the system:masters group is not allowed', asked: { ...asked, name: MASTERS_GROUP } };
  return {};
}

/** Upstream: validateExtra. */
function extraProblem(extra: Wanted['extra']): string | undefined {
  for (const [key, values] of Object.entries(extra)) {
    if (key === '') return 'impersonating the empty string key in extra is not allowed';
    const problem = pathProblem(key);
    if (problem !== undefined) return `impersonating an invalid key in extra is not allowed: extra.key: Invalid value: ${problem}`;
    if (key !== key.toLowerCase()) return `impersonating a non-lowercase key in extra is not allowed: ${goQuote(key)}`;
    if (values.includes('')) return 'impersonating the empty string value in extra is not allowed';
  }
  return undefined;
}

/** Upstream: IsDomainPrefixedPath. */
function pathProblem(key: string): string | undefined {
  const slash = key.indexOf('/');
  const [host, path] = [key.slice(0, slash), key.slice(slash + 1)];
  if (slash <= 0 || path === '') return `${goQuote(key)}: must be a domain-prefixed path (such as "acme.io/foo")`;
  const [problem] = dnsSubdomainProblems(host);
  if (problem !== undefined) return `${goQuote(host)}: ${problem}`;
  if (HTTP_PATH.test(path)) return undefined;
  return `${goQuote(path)}: Invalid path (regex used for validation is '${HTTP_PATH.source.slice(1, -1)}')`;
}

/** Upstream: httpPathFmt. */
const HTTP_PATH = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;

/** The wanted user with the groups that follow from its name. */
function actualUser(constrained: boolean, { name, uid, groups, extra }: Wanted): UserInfo {
  const account = serviceAccountIn(name);
  const implied = constrained && nodeNameIn(name) !== undefined ? [NODES_GROUP] : account === undefined ? [] : serviceAccountGroups(account.namespace);
  const own = groups.length > 0 ? groups : implied;
  return {
    name,
    groups: withEverybody(name, own),
    ...(uid !== '' && { uid }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}

/** Somebody is in the group of all who are somebody, unless the groups say otherwise. */
function withEverybody(name: string, groups: readonly string[]): readonly string[] {
  const everybody = name === ANONYMOUS.name || groups.includes(UNAUTHENTICATED_GROUP) ? UNAUTHENTICATED_GROUP : AUTHENTICATED_GROUP;
  return groups.includes(everybody) ? groups : [...groups, everybody];
}

function isNameOnly({ uid, groups, extra }: Wanted): boolean {
  return uid === '' && groups.length === 0 && Object.keys(extra).length === 0;
}

const NODE_USER_PREFIX = 'system:node:';

function nodeNameIn(user: string): string | undefined {
  const name = user.slice(NODE_USER_PREFIX.length);
  return user.startsWith(NODE_USER_PREFIX) && dnsSubdomainProblems(name).length === 0 ? name : undefined;
}

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]*):([^:]*)$/;

function serviceAccountIn(user: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace = '', name = ''] = SERVICE_ACCOUNT.exec(user) ?? [];
  return dnsLabelProblems(namespace).length === 0 && dnsSubdomainProblems(name).length === 0 ? { namespace, name } : undefined;
}

/** Whether the requestor is a service account whose token is bound to this node. */
function isOnNode({ name, extra }: UserInfo, node: string | undefined): boolean {
  const names = extra?.[NODE_NAME_EXTRA] ?? [];
  return node !== undefined && serviceAccountIn(name) !== undefined && names.length === 1 && names[0] === node;
}
