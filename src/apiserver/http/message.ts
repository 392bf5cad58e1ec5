/** HTTP as the API server sees it: whole requests in, whole or streaming answers out. */
import { stringifyJson } from '#machinery';

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
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Set when the caller is known already: by client certificate, or because it lives in this process. */
  readonly user?: UserInfo | undefined;
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
}

const encoder = new TextEncoder();

/** UTF-8 of `text`. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Part of an answer: text, or bytes that are encoded already. */
export type Piece = string | Uint8Array;

/** The pieces one after the other, texts in UTF-8. */
export function joined(pieces: readonly Piece[]): Uint8Array {
  const parts = encodedTexts(pieces);
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Encodes all texts in one go where they are ASCII, as the heads of stored objects are: a list of thousands has as many of them. */
function encodedTexts(pieces: readonly Piece[]): readonly Uint8Array[] {
  const text = pieces.filter((piece) => typeof piece === 'string').join('');
  const encoded = utf8(text);
  if (encoded.length !== text.length) return pieces.map((piece) => (typeof piece === 'string' ? utf8(piece) : piece));
  let from = 0;
  return pieces.map((piece) => (typeof piece === 'string' ? encoded.subarray(from, (from += piece.length)) : piece));
}

/** An answer in JSON. */
export function jsonResponse(status: number, value: unknown, contentType = 'application/json'): ServerResponse {
  return rawJsonResponse(status, stringifyJson(value), contentType);
}

/** An answer whose JSON text is there already. */
export function rawJsonResponse(status: number, json: string, contentType = 'application/json'): ServerResponse {
  return { status, headers: { 'content-type': contentType }, body: utf8(`${json}\n`) };
}

/** A body up to this size goes out whole, a longer one in parts of about this size: they are made while the client reads. */
const PART_BYTES = 1024 * 1024;

/** An answer whose JSON is encoded already, in pieces. */
export function encodedJsonResponse(status: number, pieces: readonly Piece[], contentType = 'application/json'): ServerResponse {
  const headers = { 'content-type': contentType };
  const whole = [...pieces, '\n'];
  const long = pieces.reduce((length, piece) => length + piece.length, 0) > PART_BYTES;
  return { status, headers, body: long ? inParts(whole) : joined(whole) };
}

async function* inParts(pieces: readonly Piece[]): AsyncGenerator<Uint8Array> {
  for (let from = 0, to = 0; from < pieces.length; from = to) {
    for (let length = 0; to < pieces.length && length < PART_BYTES; to++) length += pieces[to]?.length ?? 0;
    yield joined(pieces.slice(from, to));
  }
}

/** An answer in plain text. */
export function textResponse(status: number, text: string): ServerResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }, body: utf8(text) };
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
