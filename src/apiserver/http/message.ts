/** HTTP as the API server sees it: whole requests in, whole or streaming answers out. */
import { stringifyJson } from '#machinery';
import { type Pieces, utf8 } from './pieces.ts';

/** Who makes a request: upstream's user.Info. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string | undefined;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** One request, its body already read. */
export interface ServerRequest {
  readonly method: string;
  /** Path with query, as in the request line. */
  readonly path: string;
  /** Names in lower case. The values of an Impersonate-* header that came several times stand one a line. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Set when the caller is known already: by client certificate, or because it lives in this process. */
  readonly user?: UserInfo | undefined;
  /** The caller shows a client certificate that is no longer valid, or that nobody vouches for: who does that is nobody, not anonymous. */
  readonly distrusted?: boolean;
  /** From a component of this process: such requests are not limited. */
  readonly inProcess?: true;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

/** The answer; a body that is iterated comes in pieces and may never end by itself (watch, logs). */
export interface ServerResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** The body comes as things happen (watch, logs): it is neither compressed nor converted. */
  readonly live?: true;
  /** To be called when the body is out, or nobody wants it any more: until then the request counts as one that is being answered. */
  readonly sent?: (() => void) | undefined;
}

/** An answer in JSON. */
export function jsonResponse(status: number, value: unknown, contentType = 'application/json'): ServerResponse {
  return rawJsonResponse(status, stringifyJson(value), contentType);
}

/** An answer whose JSON text is there already. */
export function rawJsonResponse(status: number, json: string, contentType = 'application/json'): ServerResponse {
  return { status, headers: { 'content-type': contentType }, body: utf8(`${json}\n`) };
}

/** A body up to this size goes out whole, a longer one is put together while the client reads. */
const WHOLE_BYTES = 256 * 1024;

/** An answer whose JSON is encoded already, in pieces. */
export function encodedJsonResponse(status: number, pieces: Pieces, contentType = 'application/json'): ServerResponse {
  const headers = { 'content-type': contentType };
  const body = pieces.text('\n').body();
  return { status, headers, body: body.length > WHOLE_BYTES ? body : body.whole() };
}

/** An answer in plain text. */
export function textResponse(status: number, text: string): ServerResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }, body: utf8(text) };
}

/** An answer in plain text that comes without further headers. */
export function bareText(status: number, text: string): ServerResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: utf8(text) };
}

/** The same answer, which nobody may keep unless it says so itself (upstream: endpoints/filters/cachecontrol.go). */
export function uncached(response: ServerResponse): ServerResponse {
  if (response.headers['cache-control'] !== undefined) return response;
  return { ...response, headers: { ...response.headers, 'cache-control': 'no-cache, private' } };
}

/** Characters of all warnings of an answer; where they are more, each is cut to so many (upstream: endpoints/filters/warning.go). */
const WARNINGS_LENGTH_MAX = 4096;
const CUT_WARNING_LENGTH = 256;

/** The same answer with Warning headers added, as upstream writes them (RFC 7234 code 299). */
export function withWarnings(response: ServerResponse, warnings: readonly string[]): ServerResponse {
  if (warnings.length === 0) return response;
  const texts = shortened([...new Set(warnings)]).map((warning) => `299 - "${warning.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`);
  return { ...response, headers: { ...response.headers, warning: texts.join(', ') } };
}

function shortened(warnings: readonly string[]): readonly string[] {
  const lengthOf = (texts: readonly string[]): number => texts.reduce((length, warning) => length + warning.length, 0);
  if (lengthOf(warnings) <= WARNINGS_LENGTH_MAX) return warnings;
  const kept: string[] = [];
  for (const warning of warnings) {
    if (lengthOf(kept) >= WARNINGS_LENGTH_MAX) break;
    // By code points: half a character would be none.
    kept.push(
      Array.from(warning.slice(0, 2 * CUT_WARNING_LENGTH))
        .slice(0, CUT_WARNING_LENGTH)
        .join(''),
    );
  }
  return kept;
}
