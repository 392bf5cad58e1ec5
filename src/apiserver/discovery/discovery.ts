/** /api, /apis and below: which groups, versions and resources there are, in both forms that clients ask for. */
import { apiVersionOf, type Json, methodNotAllowed, stringifyJson } from '#machinery';
import { checkAnswerable, JSON_AND_YAML, negotiate, NO_SHAPE, parseAccept } from '../http/accept.ts';
import { hashOf, tagged } from '../http/entity-tag.ts';
import { type ServerRequest, type ServerResponse, jsonResponse, rawJsonResponse } from '../http/message.ts';
import type { Core } from '../options.ts';
import { refusal } from '../refusals.ts';
import { type ServedResource, type ServedSubresource, servedGroups, servedResources, servedVersions } from './resources.ts';

const AGGREGATED_V2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Serves a discovery path, undefined for paths that are not discovery's. */
export function discovery(core: Core, path: string, request: ServerRequest): ServerResponse | undefined {
  if (path === '/apis' || path === '/apis/') return groups(core, request);
  const [empty, root, group = '', version = '', ...rest] = path.replace(/\/+$/, '').split('/');
  if (empty !== '' || rest.length > 0) return undefined;
  if (root === 'api' && version === '') return group === '' ? coreVersions(core, request) : resourceList(core, request, { group: '', version: group });
  if (root !== 'apis' || !servedGroups(core.catalog).includes(group) || group === '') return undefined;
  if (version !== '') return resourceList(core, request, { group, version });
  checkNegotiable(request);
  return jsonResponse(200, { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(core, group) });
}

/** Upstream's aggregator answers these whatever the method. */
function groups(core: Core, request: ServerRequest): ServerResponse {
  const names = servedGroups(core.catalog).filter((name) => name !== '');
  if (wantsAggregated(request)) return aggregated(core, request, names);
  checkNegotiable(request);
  return jsonResponse(200, { kind: 'APIGroupList', apiVersion: 'v1', groups: names.map((group) => groupEntry(core, group)) });
}

/** True when aggregated discovery v2 is among what the client accepts. */
function wantsAggregated({ headers }: ServerRequest): boolean {
  return parseAccept(headers['accept']).some(({ type, parameters }) => {
    const [as, group, version] = ['as', 'g', 'v'].map((name) => parameters.get(name));
    return (type === 'application/json' || type === '*/*') && as === 'APIGroupDiscoveryList' && group === 'apidiscovery.k8s.io' && version === 'v2';
  });
}

/** What upstream's router checks, and then what its handlers do. */
function checkRouted(request: ServerRequest): void {
  if (request.method !== 'GET') throw methodNotAllowed();
  checkAnswerable(request.headers['accept'], JSON_AND_YAML);
  checkNegotiable(request);
}

function checkNegotiable({ headers }: ServerRequest): void {
  if (negotiate(headers['accept'], NO_SHAPE) !== undefined) return;
  throw refusal(406, 'NotAcceptable', `only the following media types are accepted: ${JSON_AND_YAML.join(', ')}`);
}

function coreVersions(core: Core, request: ServerRequest): ServerResponse {
  if (wantsAggregated(request) && request.method === 'GET') return aggregated(core, request, ['']);
  checkRouted(request);
  return legacyVersions();
}

function legacyVersions(): ServerResponse {
  return jsonResponse(200, {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:6443' }],
  });
}

function groupEntry(core: Core, group: string): { readonly [key: string]: Json | undefined } {
  const versions = servedVersions(core.catalog, group).map((version) => ({ groupVersion: apiVersionOf({ group, version }), version }));
  return { name: group, versions, preferredVersion: versions[0] };
}

function resourceList(core: Core, request: ServerRequest, { group, version }: { group: string; version: string }): ServerResponse | undefined {
  const resources = servedResources(core.catalog, group, version);
  if (resources.length === 0) return undefined;
  checkRouted(request);
  const entries = resources.flatMap((resource) => [resourceEntry(resource), ...resource.subresources.map((sub) => subresourceEntry(resource, sub))]);
  // Upstream leaves apiVersion out of the core list.
  const typeMeta = group === '' ? { kind: 'APIResourceList' } : { kind: 'APIResourceList', apiVersion: 'v1' };
  return jsonResponse(200, { ...typeMeta, groupVersion: apiVersionOf({ group, version }), resources: entries });
}

function resourceEntry({ plural, singular, namespaced, kind, verbs, shortNames, categories }: ServedResource): Json {
  return { name: plural, singularName: singular, namespaced, kind, verbs, ...nonEmpty({ shortNames, categories }) };
}

function subresourceEntry(resource: ServedResource, { name, kind, verbs, group, version }: ServedSubresource): Json {
  return { name: `${resource.plural}/${name}`, singularName: '', namespaced: resource.namespaced, kind, verbs, group, version };
}

function nonEmpty(lists: Readonly<Record<string, readonly string[]>>): { readonly [key: string]: Json | undefined } {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0));
}

function aggregated(core: Core, request: ServerRequest, names: readonly string[]): ServerResponse {
  const items = names.map((group) => ({
    metadata: group === '' ? {} : { name: group },
    versions: servedVersions(core.catalog, group).map((version) => ({
      version,
      freshness: 'Current',
      resources: servedResources(core.catalog, group, version).map(aggregatedResource),
    })),
  }));
  const text = stringifyJson({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items });
  const response = rawJsonResponse(200, text, AGGREGATED_V2);
  return tagged(request, { ...response, headers: { ...response.headers, 'cache-control': 'public' } }, hashOf(text));
}

function aggregatedResource({ plural, singular, kind, namespaced, verbs, shortNames, categories, subresources }: ServedResource): Json {
  const nested = subresources.map((sub) => ({
    subresource: sub.name,
    responseKind: { group: sub.group ?? '', version: sub.version ?? '', kind: sub.kind },
    verbs: sub.verbs,
  }));
  return {
    resource: plural,
    responseKind: { group: '', version: '', kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...nonEmpty({ shortNames, categories }),
    ...(nested.length === 0 ? {} : { subresources: nested }),
  };
}
