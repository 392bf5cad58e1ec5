/** URLs from text, with the verdicts and texts of Go's net/url. */
import { AddressError, parseAddress } from './address-text.ts';

/** A URL in parts, decoded except for `path` and `query`. */
export interface UrlParts {
  readonly scheme: string;
  readonly userInfo: string;
  readonly host: string;
  /** The path with its escapes. */
  readonly path: string;
  /** What stands instead of host and path, as in `mailto:a@b`. */
  readonly opaque: string;
  readonly query: string;
  readonly fragment: string;
}

/** Why a text is no URL. */
export class UrlError extends Error {}

function refuse(message: string): never {
  throw new UrlError(message);
}

/** Reads an absolute URL or path as a server would (ParseRequestURI), then its fragment (Parse); throws UrlError. */
export function parseUrl(text: string): UrlParts {
  checkUrl(text);
  const hash = text.indexOf('#');
  const whole = hash < 0 ? text : text.slice(0, hash);
  const fragment = hash < 0 ? '' : text.slice(hash + 1);
  return named(whole, () => {
    const parts = parse(whole, false);
    unescape(fragment);
    return { ...parts, fragment };
  });
}

/** Throws UrlError unless the text is a URL as a server would take it. */
export function checkUrl(text: string): void {
  named(text, () => parse(text, true));
}

function named<T>(text: string, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof UrlError) throw new UrlError(`parse ${JSON.stringify(text)}: ${thrown.message}`);
    throw thrown;
  }
}

const NOTHING: UrlParts = { scheme: '', userInfo: '', host: '', path: '', opaque: '', query: '', fragment: '' };

function parse(text: string, request: boolean): UrlParts {
  // eslint-disable-next-line no-control-regex -- exactly these are refused
  if (/[\u0000-\u001f\u007f]/.test(text)) refuse('net/url: invalid control character in URL');
  if (text === '' && request) refuse('empty url');
  if (text === '*') return { ...NOTHING, path: '*' };
  if (text.startsWith(':')) refuse('missing protocol scheme');
  const [prefix = '', scheme = ''] = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text) ?? [];
  const [, rest = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(text.slice(prefix.length)) ?? [];
  const start = { ...NOTHING, scheme: scheme.toLowerCase(), query };
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...start, opaque: rest };
    if (request) refuse('invalid URI for request');
    if (/^[^/]*:/.test(rest)) refuse('first path segment in URL cannot contain colon');
  }
  const hasAuthority = rest.startsWith('//') && (scheme !== '' || (!request && !rest.startsWith('///')));
  if (!hasAuthority) return { ...start, path: escapedPath(rest) };
  const [, authority = '', path = ''] = /^\/\/([^/]*)(.*)$/s.exec(rest) ?? [];
  return { ...start, ...parseAuthority(start.scheme, authority), path: escapedPath(path) };
}

function parseAuthority(scheme: string, authority: string): { readonly userInfo: string; readonly host: string } {
  const at = authority.lastIndexOf('@');
  const host = parseHost(scheme, authority.slice(at + 1));
  if (at < 0) return { host, userInfo: '' };
  const userInfo = authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(userInfo)) refuse('net/url: invalid userinfo');
  unescape(userInfo);
  return { host, userInfo };
}

function parseHost(scheme: string, host: string): string {
  const opening = host.lastIndexOf('[');
  if (opening > 0) refuse('invalid IP-literal');
  if (opening === 0) return parseBracketed(host);
  const first = host.indexOf(':');
  const strict = scheme === 'http' || scheme === 'https';
  if (first >= 0) checkPort(host.slice(strict ? first : host.lastIndexOf(':')));
  return unescapeHost(host);
}

function parseBracketed(host: string): string {
  const closing = host.lastIndexOf(']');
  if (closing < 0) refuse("missing ']' in host");
  const port = host.slice(closing + 1);
  checkPort(port);
  const inner = host.slice(1, closing);
  const zone = inner.indexOf('%25');
  const name = zone < 0 ? unescapeHost(inner) : unescapeHost(inner.slice(0, zone)) + text(unescape(inner.slice(zone)));
  try {
    if (parseAddress(name).width === 32) refuse('invalid IP-literal');
  } catch (thrown) {
    if (thrown instanceof AddressError) refuse(`invalid host: ${thrown.message}`);
    throw thrown;
  }
  return `[${name}]${port}`;
}

function checkPort(port: string): void {
  if (!isPort(port)) refuse(`invalid port ${JSON.stringify(port)} after host`);
}

const isPort = (port: string): boolean => /^(?::\d*)?$/.test(port);

/** Hosts may hold escapes only of what is not ASCII. */
function unescapeHost(host: string): string {
  const odd = /[^A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"%\u0080-\uffff]/.exec(host)?.[0];
  if (odd !== undefined) refuse(`invalid character ${JSON.stringify(odd)} in host name`);
  const ascii = /%(?!25)[0-7][0-9a-fA-F]/.exec(host)?.[0];
  if (ascii !== undefined) refuse(`invalid URL escape ${JSON.stringify(ascii)}`);
  return text(unescape(host));
}

/** The bytes that a text with %XX escapes stands for. */
function unescape(escaped: string): Uint8Array {
  const wrong = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(escaped)?.[0];
  if (wrong !== undefined) refuse(`invalid URL escape ${JSON.stringify(wrong)}`);
  const bytes: number[] = [];
  for (const part of escaped.split(/(%[0-9a-fA-F]{2})/)) {
    if (/^%[0-9a-fA-F]{2}$/.test(part)) bytes.push(Number.parseInt(part.slice(1), 16));
    else bytes.push(...new TextEncoder().encode(part));
  }
  return Uint8Array.from(bytes);
}

const text = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

/** The path as it was written when nothing in it had to be escaped, else escaped anew. */
function escapedPath(path: string): string {
  const bytes = unescape(path);
  if (/^[A-Za-z0-9\-_.~$&+,/:;=@!'()*[\]%]*$/.test(path)) return path;
  let out = '';
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    out += /[A-Za-z0-9\-_.~$&+,/:;=@]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** Host without port and brackets, and the port. */
export function splitHostPort(host: string): readonly [name: string, port: string] {
  const colon = host.lastIndexOf(':');
  const cut = colon >= 0 && isPort(host.slice(colon)) ? colon : host.length;
  const name = host.slice(0, cut);
  return [name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name, host.slice(cut + 1)];
}

/** The values by key of a query; pairs that cannot be read are left out. */
export function parseQuery(query: string): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const pair of query.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const equals = pair.indexOf('=');
    const key = queryText(equals < 0 ? pair : pair.slice(0, equals));
    const value = queryText(equals < 0 ? '' : pair.slice(equals + 1));
    if (key === undefined || value === undefined) continue;
    const known = values.get(key);
    if (known === undefined) values.set(key, [value]);
    else known.push(value);
  }
  return values;
}

function queryText(escaped: string): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(escaped)) return undefined;
  return text(unescape(escaped.replaceAll('+', ' ')));
}
