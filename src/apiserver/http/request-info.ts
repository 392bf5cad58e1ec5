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

/** Parses method and path-with-query. */
export function parseRequestInfo(method: string, pathWithQuery: string): RequestInfo {
  const mark = pathWithQuery.indexOf('?');
  const path = mark < 0 ? pathWithQuery : pathWithQuery.slice(0, mark);
  const query = mark < 0 ? NO_QUERY : new URLSearchParams(pathWithQuery.slice(mark + 1));
  return { method, path, query, target: parseTarget(method, path, query) };
}

/** True when a boolean query parameter is on: present, and neither "false" nor "0". */
export function isOn(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== 'false' && value !== '0';
}

function parseTarget(method: string, path: string, query: URLSearchParams): ResourceTarget | undefined {
  const segments = path
    .split('/')
    .filter((segment) => segment !== '')
    .map(decode);
  const root = segments.shift();
  if (root !== 'api' && root !== 'apis') return undefined;
  const group = root === 'api' ? '' : (segments.shift() ?? '');
  const version = segments.shift();
  if (version === undefined || (root === 'apis' && group === '')) return undefined;
  const legacyWatch = segments[0] === 'watch';
  if (legacyWatch) segments.shift();
  const place = parsePlace(segments);
  if (place === undefined) return undefined;
  return { group, version, ...place, verb: verbOf(method, place.name, legacyWatch || isOn(query, 'watch')) };
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
  if (verb === 'get' && watch) return 'watch';
  if (name !== '') return verb;
  if (verb === 'get') return 'list';
  return verb === 'delete' ? 'deletecollection' : verb;
}

function decode(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
