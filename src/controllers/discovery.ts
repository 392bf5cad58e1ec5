/** Asks the server which resources there are, for controllers that work on all kinds. */
import { readText, type Resource, type RestClient } from '#client';
import { type ApiObject, parseApiVersion, parseJson } from '#machinery';

interface ResourceList {
  readonly groupVersion: string;
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean; readonly verbs?: readonly string[] }[];
}

interface GroupList {
  readonly groups: readonly {
    readonly preferredVersion?: { readonly groupVersion: string };
    readonly versions: readonly { readonly groupVersion: string }[];
  }[];
}

const NEEDED_VERBS = ['list', 'watch', 'delete'];

/**
 * All resources that can be listed, watched and deleted, each once: in its group's preferred version, or else in the first that has it (upstream:
 * ServerPreferredResources). Rejects when the server does not answer.
 */
export async function deletableResources(client: RestClient, signal: AbortSignal): Promise<readonly Resource<ApiObject>[]> {
  const { groups } = await read<GroupList>(client, '/apis', signal);
  const preferredFirst = groups.map(({ preferredVersion, versions }) => [
    ...new Set([preferredVersion, ...versions].flatMap((version) => version?.groupVersion ?? [])),
  ]);
  const ofGroups = await Promise.all([['v1'], ...preferredFirst].map((versions) => resourcesOfGroup(client, versions, signal)));
  return ofGroups.flat();
}

async function resourcesOfGroup(client: RestClient, groupVersions: readonly string[], signal: AbortSignal): Promise<readonly Resource<ApiObject>[]> {
  const path = (groupVersion: string): string => (groupVersion.includes('/') ? `/apis/${groupVersion}` : `/api/${groupVersion}`);
  const lists = await Promise.all(groupVersions.map((groupVersion) => read<ResourceList>(client, path(groupVersion), signal)));
  const found = new Map<string, Resource<ApiObject>>();
  for (const resource of lists.flatMap(resourcesOf)) if (!found.has(resource.plural)) found.set(resource.plural, resource);
  return [...found.values()];
}

function resourcesOf(list: ResourceList): readonly Resource<ApiObject>[] {
  const { group, version } = parseApiVersion(list.groupVersion);
  return list.resources
    .filter(({ name, verbs = [] }) => !name.includes('/') && NEEDED_VERBS.every((verb) => verbs.includes(verb)))
    .map(({ name, kind, namespaced }) => ({ group, version, plural: name, kind, namespaced }));
}

async function read<T>(client: RestClient, path: string, signal: AbortSignal): Promise<T> {
  const response = await client.raw({ method: 'GET', path, headers: {} }, signal);
  const text = await readText(response.body);
  if (response.status !== 200) throw new Error(`discovery of ${path} was refused with ${response.status}`);
  // Discovery documents have fixed shapes; the field reads above tolerate absent optional members.
  return parseJson(text) as unknown as T;
}
