/** Where the next page of a list starts. Opaque to clients (upstream: storage/continue.go). */
import { badRequest, isJsonObject, type JsonObject } from '#machinery';
import { parseJsonOr } from './decode.ts';

/** A place in a list; without a revision the rest is read as it is now. */
export interface Continuation {
  readonly revision: number | undefined;
  readonly startKey: string;
}

/** The form of the token. */
const VERSION = 'meta.k8s.io/v1';
/** In a token: no revision is kept. */
const LATEST = -1;

/** The token of a place in the list of what lies below `prefix`. */
export function continueToken({ revision = LATEST, startKey }: Continuation, prefix: string): string {
  return btoa(latin1(JSON.stringify({ v: VERSION, rv: revision, start: startKey.slice(prefix.length) })))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** btoa takes Latin-1 only; keys may hold any character. */
function latin1(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

/** The place that a token names, seen from `prefix`; 400 for what is no token of a list. */
export function parseContinueToken(token: string, prefix: string): Continuation {
  const { v, rv, start } = decoded(token);
  if (v !== VERSION) throw invalid(`continue key is not valid: server does not recognize this encoded version ${typeof v === 'string' ? v : ''}`);
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0)
    throw invalid(`continue key is not valid: incorrect encoded start resourceVersion (version ${VERSION})`);
  if (typeof start !== 'string' || start === '') throw invalid(`continue key is not valid: encoded start key empty (version ${VERSION})`);
  // A key never leaves the list by way of its parent.
  if (`/${start}`.split('/').some((segment) => segment === '..' || segment === '.')) throw invalid(`continue key is not valid: ${start}`);
  return { revision: rv < 0 ? undefined : rv, startKey: `${prefix}${start}` };
}

function decoded(token: string): JsonObject {
  const foreign = token.search(/[^A-Za-z0-9_-]/);
  if (foreign >= 0) throw invalid(`continue key is not valid: illegal base64 data at input byte ${String(foreign)}`);
  const bytes = Uint8Array.from(bytesOf(token), (letter) => letter.charCodeAt(0));
  const parsed = parseJsonOr(new TextDecoder().decode(bytes), (why) => invalid(`continue key is not valid: ${why}`));
  return isJsonObject(parsed) ? parsed : {};
}

function bytesOf(token: string): string {
  try {
    return atob(token.replaceAll('-', '+').replaceAll('_', '/'));
  } catch {
    throw invalid(`continue key is not valid: illegal base64 data at input byte ${String(token.length - 1)}`);
  }
}

function invalid(why: string): Error {
  return badRequest(`invalid continue token: ${why}`);
}
