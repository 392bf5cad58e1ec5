/** Finds out from the server where a kind lives: by apiVersion and kind, or by the names people type. */
import type { ResourceName, RestClient } from '#client';
import { groupResourceText, isNotFound } from '#machinery';
import { exchange } from './exchange.ts';

/** A resource as discovery lists it. */
export interface ServedResource extends ResourceName {
  readonly singular: string;
  readonly shortNames: readonly string[];
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
  readonly groups?: readonly {
    readonly preferredVersion?: { readonly groupVersion: string };
    readonly versions?: readonly { readonly groupVersion: string }[];
  }[];
}

const CORE_VERSION = 'v1';

/** What one server serves; every document is fetched once, when it is first needed. */
export class Discovery {
  readonly #client: RestClient;
  readonly #resources = new Map<string, Promise<readonly ServedResource[]>>();
  #groups: Promise<GroupList> | undefined;

  constructor(client: RestClient) {
    this.#client = client;
  }

  /** The resource whose objects are of `kind`; throws kubectl's sentence when the server does not serve it. */
  async byKind(apiVersion: string, kind: string): Promise<ServedResource> {
    const found = (await this.#resourcesOf(apiVersion)).find((each) => each.kind === kind);
    if (found === undefined) throw new Error(`no matches for kind "${kind}" in version "${apiVersion}"`);
    return found;
  }

  /** The resource that `name` means: plural, singular, short name or kind, optionally followed by `.group` or `.version.group`. */
  async byName(name: string): Promise<ServedResource> {
    const wanted = name.toLowerCase();
    // GET /apis has this shape by contract; missing members are handled.
    this.#groups ??= exchange(this.#client, '/apis') as Promise<GroupList>;
    const groups = (await this.#groups).groups ?? [];
    const preferred = groups.flatMap((group) => group.preferredVersion?.groupVersion ?? []);
    const others = groups.flatMap((group) => (group.versions ?? []).map((each) => each.groupVersion)).filter((each) => !preferred.includes(each));
    const versions = wanted.includes('.') ? [...preferred, ...others] : preferred;
    for (const groupVersion of [CORE_VERSION, ...versions]) {
      const found = (await this.#resourcesOf(groupVersion)).find((resource) => namesOf(resource).includes(wanted));
      if (found !== undefined) return found;
    }
    throw new Error(`the server doesn't have a resource type "${name}"`);
  }

  /** The resources of one group/version; none when the server does not know it. */
  #resourcesOf(groupVersion: string): Promise<readonly ServedResource[]> {
    const known = this.#resources.get(groupVersion);
    if (known !== undefined) return known;
    const fetched = this.#fetch(groupVersion).catch((error: unknown) => {
      if (isNotFound(error)) return [];
      throw error;
    });
    this.#resources.set(groupVersion, fetched);
    return fetched;
  }

  async #fetch(groupVersion: string): Promise<readonly ServedResource[]> {
    const [first = '', second] = groupVersion.split('/');
    const [group, version] = second === undefined ? ['', first] : [first, second];
    // Discovery documents have this shape by contract; missing members are handled.
    const list = (await exchange(this.#client, group === '' ? `/api/${version}` : `/apis/${group}/${version}`)) as ResourceList;
    return (list.resources ?? [])
      .filter((resource) => !resource.name.includes('/'))
      .map(({ name, singularName = '', shortNames = [], kind, namespaced }) => ({
        group,
        version,
        plural: name,
        singular: singularName,
        shortNames,
        kind,
        namespaced,
      }));
  }
}

function namesOf({ group, version, plural, singular, kind, shortNames }: ServedResource): readonly string[] {
  const bare = [plural, singular, kind.toLowerCase(), ...shortNames];
  return group === '' ? bare : bare.flatMap((name) => [name, `${name}.${group}`, `${name}.${version}.${group}`]);
}

/** `pod/web`, `deviceclass.resource.k8s.io/gpu`: as kubectl names objects in its messages. */
export function objectText(resource: ResourceName, name: string): string {
  return `${kindText(resource)}/${name}`;
}

/** `pod`, `deviceclass.resource.k8s.io`. */
export function kindText({ group, kind }: ResourceName): string {
  return groupResourceText({ group, resource: kind.toLowerCase() });
}
