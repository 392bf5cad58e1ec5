/** Finds out from the server where a kind lives: by apiVersion and kind, or by the names people type. */
import { errorFromStatus, type Status } from '#machinery';
import type { RestClient } from '#client';

/** A resource as discovery lists it. */
export interface ServedResource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly kind: string;
  readonly namespaced: boolean;
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly singularName?: string;
    readonly namespaced: boolean;
    readonly kind: string;
    readonly shortNames?: readonly string[];
  }[];
}

interface GroupList {
  readonly groups?: readonly { readonly name: string; readonly preferredVersion?: { readonly groupVersion: string } }[];
}

const NEVER = new AbortController().signal;

/** GETs a path and parses its JSON; a refusal is thrown as the server's ApiError. */
export async function getJson(client: RestClient, path: string, accept = 'application/json'): Promise<unknown> {
  const response = await client.raw({ method: 'GET', path, headers: { accept } }, NEVER);
  const pieces: Uint8Array[] = await Array.fromAsync(response.body);
  const value: unknown = JSON.parse(Buffer.concat(pieces).toString());
  // A refusal's body is a Status by the API's contract.
  if (response.status > 299) throw errorFromStatus(value as Status);
  return value;
}

/** The resources of one group/version; none when the server does not know it. */
export async function resourcesOf(client: RestClient, group: string, version: string): Promise<readonly ServedResource[]> {
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  // Discovery documents have this shape by contract; missing members are handled.
  const list = (await getJson(client, path)) as ResourceList;
  return (list.resources ?? [])
    .filter((resource) => !resource.name.includes('/'))
    .map(({ name, singularName, namespaced, kind, shortNames }) => ({
      group,
      version,
      plural: name,
      singular: singularName ?? '',
      shortNames: shortNames ?? [],
      kind,
      namespaced,
    }));
}

/** The resource that `name` means: plural, singular, short name or kind, optionally followed by `.group`. */
export async function findResource(client: RestClient, name: string): Promise<ServedResource> {
  const wanted = name.toLowerCase();
  const groups = ((await getJson(client, '/apis')) as GroupList).groups ?? [];
  const versions = ['v1', ...groups.map((group) => group.preferredVersion?.groupVersion ?? '')];
  for (const groupVersion of versions) {
    const [first = '', second] = groupVersion.split('/');
    if (first === '') continue;
    const resources = await (second === undefined ? resourcesOf(client, '', first) : resourcesOf(client, first, second));
    const found = resources.find((resource) => namesOf(resource).some((each) => each === wanted || `${each}.${resource.group}` === wanted));
    if (found !== undefined) return found;
  }
  throw new Error(`the server doesn't have a resource type "${name}"`);
}

function namesOf(resource: ServedResource): readonly string[] {
  return [resource.plural, resource.singular, resource.kind.toLowerCase(), ...resource.shortNames];
}

/** Path of a collection, or of one object in it. */
export function pathOf(resource: ServedResource, namespace: string | undefined, name?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = resource.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${resource.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}
