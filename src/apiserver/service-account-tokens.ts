/** Tokens of service accounts: issued for a while and bound to an object, believed while all of that lasts (upstream: pkg/serviceaccount). */
import type { Pod } from '#api';
import { isJsonObject, type Json, type JsonObject } from '#machinery';
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

/** Who a token is, and for which of the audiences that were asked for. */
export interface TokenUser {
  readonly user: UserInfo;
  readonly audiences: readonly string[];
}

/** How long a token outlives an object that is being deleted (upstream: jwt.DefaultLeeway of the validator). */
const DELETION_LEEWAY_MS = 60_000;
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

/** The user of a token, undefined unless it is signed, timely, meant for one of `wanted` (none: this server), and all that it is bound to exists. */
export async function tokenUser(core: Core, token: string, wanted: readonly string[] = []): Promise<TokenUser | undefined> {
  const options = core.options.serviceAccounts;
  const claims = await options?.keys.verify(token);
  if (options === undefined || claims === undefined || claims['iss'] !== options.issuer) return undefined;
  const seconds = core.options.clock.nowMs() / 1000;
  if (!(Number(claims['exp']) > seconds) || !(Number(claims['nbf'] ?? 0) <= seconds + 1)) return undefined;
  const meant = wanted.length === 0 ? [options.issuer] : wanted;
  const audiences = audiencesOf(claims['aud']).filter((audience) => meant.includes(audience));
  if (audiences.length === 0) return undefined;
  const user = await boundUser(core, claims);
  return user === undefined ? undefined : { user, audiences };
}

function audiencesOf(aud: Json | undefined): readonly string[] {
  return Array.isArray(aud) ? aud.filter((value): value is string => typeof value === 'string') : typeof aud === 'string' ? [aud] : [];
}

async function boundUser(core: Core, claims: JsonObject): Promise<UserInfo | undefined> {
  const own = claims[PRIVATE_CLAIMS];
  if (!isJsonObject(own) || typeof own['namespace'] !== 'string') return undefined;
  const { namespace } = own;
  const account = referenceOf(own['serviceaccount']);
  const [pod, node, secret] = [referenceOf(own['pod']), referenceOf(own['node']), referenceOf(own['secret'])];
  if (account === undefined || !(await isAlive(core, 'serviceaccounts', namespace, account))) return undefined;
  if (pod !== undefined && !(await isAlive(core, 'pods', namespace, pod))) return undefined;
  if (secret !== undefined && !(await isAlive(core, 'secrets', namespace, secret))) return undefined;
  // A node that a pod's token merely mentions need not exist.
  if (pod === undefined && node !== undefined && !(await isAlive(core, 'nodes', '', node))) return undefined;
  const extra = {
    [`${EXTRA}credential-id`]: [`JTI=${String(claims['jti'] ?? '')}`],
    ...(pod !== undefined && { [`${EXTRA}pod-name`]: [pod.name], [`${EXTRA}pod-uid`]: [pod.uid] }),
    ...(node !== undefined && { [`${EXTRA}node-name`]: [node.name], [`${EXTRA}node-uid`]: [node.uid] }),
  };
  const name = `system:serviceaccount:${namespace}:${account.name}`;
  return { name, uid: account.uid, groups: [...serviceAccountGroups(namespace), AUTHENTICATED_GROUP], extra };
}

function referenceOf(value: Json | undefined): Reference | undefined {
  if (!isJsonObject(value)) return undefined;
  const { name, uid } = value;
  return typeof name === 'string' && typeof uid === 'string' ? { name, uid } : undefined;
}

async function isAlive(core: Core, plural: string, namespace: string, { name, uid }: Reference): Promise<boolean> {
  const scope = core.catalog.find('', 'v1', plural);
  const metadata = scope === undefined ? undefined : (await core.objects.get(scope, namespace, name))?.object.metadata;
  if (metadata?.uid !== uid) return false;
  const { deletionTimestamp } = metadata;
  return deletionTimestamp === undefined || Date.parse(deletionTimestamp) + DELETION_LEEWAY_MS > core.options.clock.nowMs();
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
