/** Asks for a token of a service account (authentication.k8s.io/v1 TokenRequest). */
import type { TokenRequest } from '#api';
import { parseJson, stringifyJson } from '#machinery';
import { pathOf, SERVICE_ACCOUNTS } from './resource.ts';
import { errorOfResponse, type RestClient } from './rest-client.ts';
import { readText } from './watch-stream.ts';

/** Whose token, and on which terms. */
export interface TokenTerms {
  readonly namespace: string;
  readonly account: string;
  readonly spec: TokenRequest['spec'];
}

/** A token and when it ends, RFC 3339. */
export interface IssuedToken {
  readonly token: string;
  readonly expirationTimestamp: string;
}

/** Resolves with a token of the account; rejects with the server's refusal, or when `signal` aborts. */
export async function requestToken(client: RestClient, { namespace, account, spec }: TokenTerms, signal: AbortSignal): Promise<IssuedToken> {
  const body = stringifyJson({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec });
  const path = pathOf(SERVICE_ACCOUNTS, namespace, account, 'token');
  const response = await client.raw({ method: 'POST', path, headers: { 'content-type': 'application/json' }, body }, signal);
  if (response.status !== 201) throw await errorOfResponse(response);
  // A server that answers 201 answers with the request that it has carried out.
  const { status } = parseJson(await readText(response.body)) as unknown as TokenRequest;
  const { token, expirationTimestamp } = status ?? {};
  if (token === undefined || expirationTimestamp === undefined) throw new Error(`the API server gave no token of ${namespace}/${account}`);
  return { token, expirationTimestamp };
}
