/** Finds the version in which a server serves a resource that has moved between versions. */
import type { DeviceTaintRule, PodGroup } from '#api';
import { type ApiObject, parseJson } from '#machinery';
import type { Resource } from './resource.ts';
import type { RestClient } from './rest-client.ts';
import { readText } from './watch-stream.ts';

interface ResourceList {
  readonly resources?: readonly { readonly name: string }[];
}

/** `resource` in the first of `versions` in which the server has it; undefined when in none. Rejects when the server does not answer. */
export async function servedIn<T extends ApiObject>(
  client: RestClient,
  resource: Omit<Resource<T>, 'version'>,
  versions: readonly string[],
  signal: AbortSignal,
): Promise<Resource<T> | undefined> {
  for (const version of versions) {
    const path = resource.group === '' ? `/api/${version}` : `/apis/${resource.group}/${version}`;
    const response = await client.raw({ method: 'GET', path, headers: {} }, signal);
    const text = await readText(response.body);
    if (response.status === 404) continue;
    if (response.status !== 200) throw new Error(`discovery of ${path} was refused with ${String(response.status)}`);
    // Discovery documents have a fixed shape.
    const { resources = [] } = parseJson(text) as ResourceList;
    if (resources.some(({ name }) => name === resource.plural)) return { ...resource, version };
  }
  return undefined;
}

/** resource.k8s.io DeviceTaintRules: v1 since 1.37, before that v1beta2 or v1alpha3, which are served on request only. */
export function deviceTaintRules(client: RestClient, signal: AbortSignal): Promise<Resource<DeviceTaintRule> | undefined> {
  const resource = { group: 'resource.k8s.io', plural: 'devicetaintrules', kind: 'DeviceTaintRule', namespaced: false };
  return servedIn<DeviceTaintRule>(client, resource, ['v1', 'v1beta2', 'v1alpha3'], signal);
}

/** scheduling.k8s.io PodGroups, served on request only. */
export function podGroups(client: RestClient, signal: AbortSignal): Promise<Resource<PodGroup> | undefined> {
  const resource = { group: 'scheduling.k8s.io', plural: 'podgroups', kind: 'PodGroup', namespaced: true };
  return servedIn<PodGroup>(client, resource, ['v1alpha2'], signal);
}
