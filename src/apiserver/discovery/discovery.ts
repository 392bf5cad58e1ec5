/** /api, /apis and below: which groups, versions and resources there are, in both forms that clients ask for. */
import type { Json } from '#machinery';
import { apiVersionOf } from '#machinery';
import { parseAccept } from '../http/accept.ts';
import { type ServerResponse, jsonResponse, textResponse } from '../http/message.ts';
import type { Core } from '../options.ts';
import { unknownResource } from '../refusals.ts';
import { type ServedResource, type ServedSubresource, servedGroups, servedResources, servedVersions } from './resources.ts';

const AGGREGATED_V2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Serves a discovery path, undefined for paths that are not discovery's. */
export function discovery(core: Core, path: string, accept: string | undefined): ServerResponse | undefined {
  const [root, group, version, ...rest] = path.split('/').filter((segment) => segment !== '');
  if (rest.length > 0) return undefined;
  if (root === 'api') {
    if (group === undefined) return wantsAggregated(accept) ? aggregated(core, ['']) : legacyVersions();
    return version === undefined ? resourceList(core, '', group) : undefined;
  }
  if (root !== 'apis') return undefined;
  const groups = servedGroups(core.catalog).filter((name) => name !== '');
  if (group === undefined) return wantsAggregated(accept) ? aggregated(core, groups) : groupList(core, groups);
  if (!groups.includes(group)) return textResponse(404, '404 page not found\n');
  return version === undefined ? jsonResponse(200, { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(core, group) }) : resourceList(core, group, version);
}

/** True when aggregated discovery v2 comes before plain JSON among what the client accepts. */
function wantsAggregated(accept: string | undefined): boolean {
  for (const { type, parameters } of parseAccept(accept)) {
    if (type !== 'application/json') continue;
    const as = parameters.get('as');
    if (as === undefined) return false;
    if (as === 'APIGroupDiscoveryList' && parameters.get('g') === 'apidiscovery.k8s.io' && parameters.get('v') === 'v2') return true;
  }
  return false;
}

function legacyVersions(): ServerResponse {
  return jsonResponse(200, {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:6443' }],
  });
}

function groupList(core: Core, groups: readonly string[]): ServerResponse {
  return jsonResponse(200, { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map((group) => groupEntry(core, group)) });
}

function groupEntry(core: Core, group: string): { readonly [key: string]: Json | undefined } {
  const versions = servedVersions(core.catalog, group).map((version) => ({ groupVersion: apiVersionOf({ group, version }), version }));
  return { name: group, versions, preferredVersion: versions[0] };
}

function resourceList(core: Core, group: string, version: string): ServerResponse {
  const resources = servedResources(core.catalog, group, version);
  if (resources.length === 0) throw unknownResource();
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

function aggregated(core: Core, groups: readonly string[]): ServerResponse {
  const items = groups.map((group) => ({
    metadata: group === '' ? {} : { name: group },
    versions: servedVersions(core.catalog, group).map((version) => ({
      version,
      freshness: 'Current',
      resources: servedResources(core.catalog, group, version).map(aggregatedResource),
    })),
  }));
  return jsonResponse(200, { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items }, AGGREGATED_V2);
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
