/** Tokens of service accounts: issued for a while and bound to an object, believed while all of that lasts (upstream: pkg/serviceaccount). */
import type { Pod } from '#api';
import { goQuote, isJsonObject, type Json, type JsonObject, type ObjectMeta } from '#machinery';
import { quotedList } from './authorization/covers.ts';
import { AUTHENTICATED_GROUP } from './authorization/attributes.ts';
import type { UserInfo } from './http/message.ts';
import type { Core } from './options.ts';

/** Signs and checks JSON Web Tokens; the keys live outside of the API server. */
export interface TokenKeys {
  sign(claims: JsonObject): Promise<string>;
  /** The claims of a token that was signed with these keys, expired or not; undefined for any other. */
  verify(token: string): Promise<JsonObject | undefined>;
  /** The public keys as a JSON Web Key Set. */
  publicKeys(): Promise<JsonObject>;
}

/** How an API server issues tokens. */
export interface ServiceAccountOptions {
  readonly issuer: string;
  readonly keys: TokenKeys;
  /** Where clients outside find the public keys; by default below the issuer. */
  readonly jwksUri?: (() => string) | undefined;
}

/** What a token says: who, for whom, until when, and what must still exist. */
export interface TokenSubject {
  readonly namespace: string;
  readonly account: Reference;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly pod?: Reference | undefined;
  readonly node?: Reference | undefined;
  readonly secret?: Reference | undefined;
}

/** An object by name and uid. */
export interface Reference {
  readonly name: string;
  readonly uid: string;
}

/** Who a token is, and for which of the audiences that were asked for; or why it is nobody's, as far as it is one of this server's. */
export type TokenVerdict = { readonly user: UserInfo; readonly audiences: readonly string[] } | { readonly problem: string | undefined };

/** How far clocks may differ, and how long a token outlives an object that is being deleted (upstream: jwt.DefaultLeeway). */
const LEEWAY_MS = 60_000;
const EXTRA = 'authentication.kubernetes.io/';
/** Claims of Kubernetes' own. */
const PRIVATE_CLAIMS = 'kubernetes.io';

/** A signed token. */
export async function issueToken(core: Core, { keys, issuer }: ServiceAccountOptions, subject: TokenSubject): Promise<string> {
  const { clock, random } = core.options;
  const now = Math.floor(clock.nowMs() / 1000);
  const { namespace, account, audiences, expirationSeconds, pod, node, secret } = subject;
  const bound = Object.entries({ pod, node, secret }).flatMap(([kind, reference]) => (reference === undefined ? [] : [[kind, { ...reference }] as const]));
  return keys.sign({
    aud: [...audiences],
    exp: now + expirationSeconds,
    iat: now,
    iss: issuer,
    jti: random.uuid(),
    [PRIVATE_CLAIMS]: { namespace, ...Object.fromEntries(bound), serviceaccount: { ...account } },
    nbf: now,
    sub: `system:serviceaccount:${namespace}:${account.name}`,
  });
}

/** The user of a token that is signed, timely, meant for one of `wanted` (none: this server), and bound to what exists. */
export async function tokenUser(core: Core, token: string, wanted: readonly string[] = []): Promise<TokenVerdict> {
  const options = core.options.serviceAccounts;
  if (options === undefined) return { problem: undefined };
  const claims = await options.keys.verify(token);
  if (claims === undefined) return { problem: partOf(token, 1)?.['iss'] === options.issuer ? await signatureProblem(options.keys, token) : undefined };
  if (claims['iss'] !== options.issuer) return { problem: undefined };
  const [own, meant] = [audiencesOf(claims['aud']), wanted.length === 0 ? [options.issuer] : wanted];
  const audiences = meant.filter((audience) => own.includes(audience));
  if (audiences.length === 0) return { problem: `token audiences ${quotedList(own)} is invalid for the target audiences ${quotedList(meant)}` };
  const nowMs = core.options.clock.nowMs();
  if (nowMs - LEEWAY_MS > Number(claims['exp']) * 1000) return { problem: 'service account token has expired' };
  if (nowMs + LEEWAY_MS < Number(claims['nbf'] ?? 0) * 1000) return { problem: 'service account token is not valid yet' };
  const user = await boundUser(core, claims);
  return typeof user === 'string' ? { problem: user } : { user, audiences };
}

/** One of the first two parts of a token in compact form, unverified; undefined when it is none. */
function partOf(token: string, index: 0 | 1): JsonObject | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    const value: unknown = JSON.parse(atob((parts[index] ?? '').replaceAll('-', '+').replaceAll('_', '/')));
    return isJsonObject(value as Json) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

async function signatureProblem(keys: TokenKeys, token: string): Promise<string> {
  const { keys: known } = await keys.publicKeys();
  const kid = partOf(token, 0)?.['kid'];
  const isKnown = Array.isArray(known) && known.some((key: Json) => isJsonObject(key) && key['kid'] === kid);
  return isKnown ? 'go-jose/go-jose: error in cryptographic primitive' : 'invalid signature, no keys found';
}

function audiencesOf(aud: Json | undefined): readonly string[] {
  return Array.isArray(aud) ? aud.filter((value): value is string => typeof value === 'string') : typeof aud === 'string' ? [aud] : [];
}

/** The user, or why the token is void. */
async function boundUser(core: Core, claims: JsonObject): Promise<UserInfo | string> {
  const own = claims[PRIVATE_CLAIMS];
  const [namespace, account] = isJsonObject(own) ? [own['namespace'], referenceOf(own['serviceaccount'])] : [];
  if (!isJsonObject(own) || typeof namespace !== 'string' || account === undefined) return INVALIDATED;
  const [pod, node, secret] = [referenceOf(own['pod']), referenceOf(own['node']), referenceOf(own['secret'])];
  const problem =
    (await accountProblem(core, namespace, account)) ??
    (secret && (await bindingProblem(core, 'secret', namespace, secret))) ??
    (pod && (await bindingProblem(core, 'pod', namespace, pod))) ??
    // A node that a pod's token merely mentions need not exist.
    (pod === undefined && node && (await bindingProblem(core, 'node', '', node)));
  if (typeof problem === 'string') return problem;
  const extra = {
    [`${EXTRA}credential-id`]: [`JTI=${String(claims['jti'] ?? '')}`],
    ...(pod !== undefined && { [`${EXTRA}pod-name`]: [pod.name], [`${EXTRA}pod-uid`]: [pod.uid] }),
    ...(node !== undefined && { [`${EXTRA}node-name`]: [node.name] }),
    ...(node !== undefined && node.uid !== '' && { [`${EXTRA}node-uid`]: [node.uid] }),
  };
  const name = `system:serviceaccount:${namespace}:${account.name}`;
  return { name, uid: account.uid, groups: [...serviceAccountGroups(namespace), AUTHENTICATED_GROUP], extra };
}

const INVALIDATED = 'service account token has been invalidated';

async function accountProblem(core: Core, namespace: string, { name, uid }: Reference): Promise<string | undefined> {
  const metadata = await metadataOf(core, 'serviceaccounts', namespace, name);
  if (metadata === undefined) return `serviceaccounts ${goQuote(name)} not found`;
  if (metadata.uid !== uid) return `service account UID (${metadata.uid ?? ''}) does not match claim (${uid})`;
  return isLongDeleted(core, metadata) ? `service account ${namespace}/${name} has been deleted` : undefined;
}

async function bindingProblem(core: Core, kind: string, namespace: string, { name, uid }: Reference): Promise<string | undefined> {
  const metadata = await metadataOf(core, `${kind}s`, namespace, name);
  if (metadata === undefined) return INVALIDATED;
  if (metadata.uid !== uid) return `${kind} UID (${metadata.uid ?? ''}) does not match service account ${kind} ref claim (${uid})`;
  return isLongDeleted(core, metadata) ? INVALIDATED : undefined;
}

function referenceOf(value: Json | undefined): Reference | undefined {
  if (!isJsonObject(value)) return undefined;
  const { name, uid } = value;
  return typeof name === 'string' && typeof uid === 'string' ? { name, uid } : undefined;
}

async function metadataOf(core: Core, plural: string, namespace: string, name: string): Promise<ObjectMeta | undefined> {
  const scope = core.catalog.find('', 'v1', plural);
  return scope === undefined ? undefined : (await core.objects.get(scope, namespace, name))?.object.metadata;
}

function isLongDeleted(core: Core, { deletionTimestamp }: ObjectMeta): boolean {
  return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) + LEEWAY_MS < core.options.clock.nowMs();
}

/** The node that a pod is on, for the token that is bound to the pod. */
export async function nodeOfPod(core: Core, pod: Pod): Promise<Reference | undefined> {
  const name = pod.spec?.nodeName ?? '';
  const scope = core.catalog.find('', 'v1', 'nodes');
  if (name === '' || scope === undefined) return undefined;
  const uid = (await core.objects.get(scope, '', name))?.object.metadata.uid;
  return uid === undefined ? { name, uid: '' } : { name, uid };
}

/** The groups of every service account of a namespace. */
export function serviceAccountGroups(namespace: string): readonly string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
}
