/** Where the next page of a list starts. Opaque to clients (upstream: storage/continue.go). */
import { asError } from '#base';
import { badRequest, isJsonObject, parseJson } from '#machinery';

/** A place in a list; without a revision the rest is read as it is now. */
export interface Continuation {
  readonly revision: number | undefined;
  readonly startKey: string;
}

/** In a token: no revision is kept. */
const LATEST = -1;

/** The token of a place. */
export function continueToken({ revision = LATEST, startKey }: Continuation): string {
  return btoa(latin1(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: startKey })))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** btoa takes Latin-1 only; keys may hold any character. */
function latin1(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

/** The place that a token names, which must lie below `prefix`; 400 for what is no token of such a list. */
export function parseContinueToken(token: string, prefix: string): Continuation {
  try {
    const bytes = Uint8Array.from(atob(token.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
    const parsed = parseJson(new TextDecoder().decode(bytes));
    if (!isJsonObject(parsed) || typeof parsed['rv'] !== 'number' || !Number.isSafeInteger(parsed['rv']) || typeof parsed['start'] !== 'string')
      throw new Error('members are missing');
    if (!parsed['start'].startsWith(prefix)) throw new Error('it belongs to another list');
    return { revision: parsed['rv'] < 0 ? undefined : parsed['rv'], startKey: parsed['start'] };
  } catch (thrown) {
    throw badRequest(`invalid continue token: continue key is not valid: ${asError(thrown).message}`);
  }
}
