/** OpenID Connect discovery: how others check tokens of service accounts (upstream: pkg/serviceaccount/openidmetadata.go, KEP-1393). */
import { isJsonObject, methodNotAllowed } from '#machinery';
import { checkAnswerable } from './http/accept.ts';
import { jsonResponse, type ServerRequest, type ServerResponse } from './http/message.ts';
import type { Core } from './options.ts';
import type { ServiceAccountOptions } from './service-account-tokens.ts';

/** Where the issuer describes itself. */
export const CONFIGURATION_PATH = '/.well-known/openid-configuration';
/** Where the public keys are. */
export const JWKS_PATH = '/openid/v1/jwks';
const JWKS_TYPE = 'application/jwk-set+json';
/** Keys change seldom (upstream: cacheControl). */
const CACHE_CONTROL = 'public, max-age=3600';

/** Serves the two documents; undefined for other paths, and where the issuer is none that clients could discover. */
export async function openId({ options }: Core, path: string, { method, headers }: ServerRequest): Promise<ServerResponse | undefined> {
  const { serviceAccounts } = options;
  if (serviceAccounts === undefined || (path !== CONFIGURATION_PATH && path !== JWKS_PATH)) return undefined;
  if (!isDiscoverable(serviceAccounts.issuer)) return undefined;
  if (method !== 'GET') throw methodNotAllowed();
  checkAnswerable(headers['accept'], [path === JWKS_PATH ? JWKS_TYPE : 'application/json']);
  return cached(path === JWKS_PATH ? await keySet(serviceAccounts) : await configuration(serviceAccounts));
}

/** OpenID Connect Discovery 1.0, 3: https, without query and fragment. */
function isDiscoverable(issuer: string): boolean {
  const url = URL.parse(issuer);
  return url !== null && url.protocol === 'https:' && url.search === '' && url.hash === '';
}

async function keySet({ keys }: ServiceAccountOptions): Promise<ServerResponse> {
  return jsonResponse(200, await keys.publicKeys(), JWKS_TYPE);
}

async function configuration({ issuer, keys, jwksUri }: ServiceAccountOptions): Promise<ServerResponse> {
  const { keys: published } = await keys.publicKeys();
  const algorithms = (Array.isArray(published) ? published : []).map((key) => (isJsonObject(key) ? String(key['alg']) : ''));
  return jsonResponse(200, {
    issuer,
    jwks_uri: jwksUri?.() ?? `${issuer.replace(/\/$/, '')}${JWKS_PATH}`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...new Set(algorithms)].sort((a, b) => (a < b ? -1 : 1)),
  });
}

function cached(response: ServerResponse): ServerResponse {
  return { ...response, headers: { ...response.headers, 'cache-control': CACHE_CONTROL } };
}
