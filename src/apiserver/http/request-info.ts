/** Reads what a request is about from its method and path (upstream: apiserver/pkg/endpoints/request/requestinfo.go). */

/** A request on a resource: /api/v1/… or /apis/GROUP/VERSION/… with at least a plural. */
export interface ResourceTarget {
  /** get, list, watch, create, update, patch, delete or deletecollection. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  /** "" for cluster-scoped requests and for requests across all namespaces. */
  readonly namespace: string;
  readonly plural: string;
  /** "" for the collection. */
  readonly name: string;
  readonly subresource: string;
}

/** Path, query and, when the path names a resource, what is wanted of it. */
export interface RequestInfo {
  readonly method: string;
  /** Decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly target: ResourceTarget | undefined;
}

const VERBS: ReadonlyMap<string, string> = new Map(
  Object.entries({ POST: 'create', GET: 'get', HEAD: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }),
);
/** Subresources of a namespace itself; other names after /namespaces/NAME are resources in it. */
const NAMESPACE_SUBRESOURCES: ReadonlySet<string> = new Set(['status', 'finalize']);

/** Of all requests without one; nobody changes a query. */
const NO_QUERY = new URLSearchParams();

/** Parses method and path-with-query; undefined when the path is badly encoded, which has no answer but 400. */
export function parseRequestInfo(method: string, pathWithQuery: string): RequestInfo | undefined {
  const mark = pathWithQuery.indexOf('?');
  const path = decoded(mark < 0 ? pathWithQuery : pathWithQuery.slice(0, mark));
  if (path === undefined) return undefined;
  const query = mark < 0 ? NO_QUERY : parseQuery(pathWithQuery.slice(mark + 1));
  return { method, path, query, target: parseTarget(method, path, query) };
}

const ESCAPED_BADLY = /%(?![0-9A-Fa-f]{2})/;

/** Parameters that are badly encoded do not count, as in Go (url.Query). */
function parseQuery(text: string): URLSearchParams {
  if (!text.includes(';') && !ESCAPED_BADLY.test(text)) return new URLSearchParams(text);
  const readable = text.split('&').filter((pair) => !pair.includes(';') && !ESCAPED_BADLY.test(pair));
  return new URLSearchParams(readable.join('&'));
}

/** The path without its escapes, those of no UTF-8 replaced; undefined where an escape is none. */
function decoded(path: string): string | undefined {
  if (!path.includes('%')) return path;
  if (ESCAPED_BADLY.test(path)) return undefined;
  try {
    return decodeURIComponent(path);
  } catch {
    const bytes = path.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    return new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
  }
}

/** True when a boolean query parameter is on: present, and neither "false" nor "0" (upstream: Convert_Slice_string_To_bool). */
export function isOn(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

/** Slashes behind the last segment do not count; empty segments elsewhere do. */
function parseTarget(method: string, path: string, query: URLSearchParams): ResourceTarget | undefined {
  const segments = (path.endsWith('/') ? path.replace(/\/+$/, '') : path).slice(1).split('/');
  const root = segments.shift();
  if (root !== 'api' && root !== 'apis') return undefined;
  const group = root === 'api' ? '' : (segments.shift() ?? '');
  const version = segments.shift() ?? '';
  if (version === '' || (root === 'apis' && group === '')) return undefined;
  const legacyWatch = segments[0] === 'watch';
  if (legacyWatch) segments.shift();
  const place = parsePlace(segments);
  if (place === undefined) return undefined;
  return { group, version, ...place, verb: legacyWatch ? 'watch' : verbOf(method, place.name, isOn(query, 'watch')) };
}

function parsePlace(segments: readonly string[]): Pick<ResourceTarget, 'namespace' | 'plural' | 'name' | 'subresource'> | undefined {
  const [first, second, third] = segments;
  if (first === undefined) return undefined;
  if (first === 'namespaces' && second !== undefined && third !== undefined && !NAMESPACE_SUBRESOURCES.has(third)) {
    return { namespace: second, plural: third, name: segments[3] ?? '', subresource: segments.slice(4).join('/') };
  }
  return { namespace: '', plural: first, name: second ?? '', subresource: segments.slice(2).join('/') };
}

function verbOf(method: string, name: string, watch: boolean): string {
  const verb = VERBS.get(method) ?? '';
  if (name !== '') return verb;
  if (verb === 'get' && watch) return 'watch';
  if (verb === 'get') return 'list';
  return verb === 'delete' ? 'deletecollection' : verb;
}
