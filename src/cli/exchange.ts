/** One exchange with the server, read to its end. */
import { errorOfResponse, readText, type RestClient, type TransportRequest } from '#client';
import { type Json, parseJson } from '#machinery';

const NEVER = new AbortController().signal;

/** What a request may carry beyond its method and path. */
export type ExchangeOptions = Partial<Pick<TransportRequest, 'method' | 'body' | 'headers'>>;

/** Sends a request (a GET unless told otherwise) and parses its JSON answer; a refusal is thrown as the server's ApiError. */
export async function exchange(client: RestClient, path: string, options: ExchangeOptions = {}): Promise<Json> {
  const response = await client.raw({ method: 'GET', headers: {}, ...options, path }, NEVER);
  if (response.status < 200 || response.status > 299) throw await errorOfResponse(response);
  return parseJson(await readText(response.body));
}

/** `?a=b&c=d` of those parameters that are set, "" when none is. */
export function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
  return query.size === 0 ? '' : `?${query.toString()}`;
}
