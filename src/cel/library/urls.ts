/** URLs (apiserver pkg/cel/library/urls.go). */
import { declare, type FunctionDeclaration, global, type Kind, member, str } from '../declarations.ts';
import * as t from '../types.ts';
import { CelError, CelMap, noSuchOverload, OpaqueValue, type Value } from '../values.ts';
import { checkUrl, parseQuery, parseUrl, splitHostPort, UrlError, type UrlParts } from './url-text.ts';

class UrlValue extends OpaqueValue {
  readonly typeName = t.URL.name;
  readonly goTypeName = 'cel.URL';
  readonly goNativeName = '*url.URL';
  readonly parts: UrlParts;

  constructor(parts: UrlParts) {
    super();
    this.parts = parts;
  }

  override toString(): string {
    const { scheme, userInfo, host, path, opaque, query, fragment } = this.parts;
    const authority = host === '' && userInfo === '' ? '' : `//${userInfo === '' ? '' : `${userInfo}@`}${host}`;
    return `${scheme === '' ? '' : `${scheme}:`}${opaque === '' ? authority + path : opaque}${query === '' ? '' : `?${query}`}${fragment === '' ? '' : `#${fragment}`}`;
  }

  equals(other: Value): boolean | CelError {
    if (!(other instanceof UrlValue)) return noSuchOverload();
    const { parts } = other;
    return Object.entries(this.parts).every(([name, part]) => Reflect.get(parts, name) === part);
  }
}

const url: Kind<UrlValue> = { type: t.URL, is: (value) => value instanceof UrlValue };

/** What the reading says, or what is wrong with the text. */
function attempt<T>(read: () => T): T | UrlError {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof UrlError) return thrown;
    throw thrown;
  }
}

/** Why the text is no URL; undefined when it is one. */
export function urlProblem(text: string): string | undefined {
  const outcome = attempt(() => checkUrl(text));
  return outcome instanceof UrlError ? outcome.message : undefined;
}

function readUrl(text: string): Value {
  const parts = attempt(() => parseUrl(text));
  return parts instanceof UrlError ? new CelError(`URL parse error during conversion from string: ${parts.message}`) : new UrlValue(parts);
}

function query({ parts }: UrlValue): CelMap {
  const map = new CelMap();
  for (const [key, values] of parseQuery(parts.query)) map.set(key, values);
  return map;
}

function getter(name: string, id: string, read: (parts: UrlParts) => string): FunctionDeclaration {
  return declare(
    name,
    member(`url_get_${id}`, [url], t.STRING, (value) => read(value.parts)),
  );
}

/** Everything on URLs. */
export const URLS: readonly FunctionDeclaration[] = [
  declare('url', global('string_to_url', [str], t.URL, readUrl)),
  declare(
    'isURL',
    global('is_url_string', [str], t.BOOL, (text) => urlProblem(text) === undefined),
  ),
  getter('getScheme', 'scheme', (parts) => parts.scheme),
  getter('getHost', 'host', (parts) => parts.host),
  getter('getHostname', 'hostname', (parts) => splitHostPort(parts.host)[0]),
  getter('getPort', 'port', (parts) => splitHostPort(parts.host)[1]),
  getter('getEscapedPath', 'escaped_path', (parts) => parts.path),
  declare('getQuery', member('url_get_query', [url], t.mapOf(t.STRING, t.listOf(t.STRING)), query)),
];
