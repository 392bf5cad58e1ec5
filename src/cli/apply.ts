/** Applies and deletes the objects of manifests. */
import type { RestClient } from '#client';
import { apiVersionOf, type ApiObject, isAlreadyExists, isNotFound, nameOf, parseApiVersion, parseJson, stringifyJson } from '#machinery';
import { resourcesOf, type ServedResource } from './discovery.ts';
import type { Manifest } from './manifests.ts';

/** Field manager of objects that dray's command line applies. */
const FIELD_MANAGER = 'dray';

const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

/** What happened to an object. */
export type Applied = 'created' | 'configured' | 'unchanged';

/** Applies manifests through one client; remembers discovery between objects. */
export class Applier {
  readonly #client: RestClient;
  readonly #namespace: string;
  readonly #discovered = new Map<string, Promise<readonly ServedResource[]>>();

  /** Objects that name no namespace go to `namespace`. */
  constructor(client: RestClient, namespace = 'default') {
    this.#client = client;
    this.#namespace = namespace;
  }

  /** Creates the object, or brings an existing one to what the manifest says by server-side apply. */
  async apply(manifest: Manifest): Promise<Applied> {
    const { resource, object } = await this.#locate(manifest);
    try {
      await this.#client.create(resource, object);
      return 'created';
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    const scope = { namespace: object.metadata.namespace };
    const before = await this.#client.get(resource, nameOf(object), scope.namespace);
    const body = parseJson(stringifyJson({ ...object, apiVersion: apiVersionOf(resource), kind: resource.kind }));
    const after = await this.#client.patch(resource, nameOf(object), { ...scope, type: 'apply', body, fieldManager: FIELD_MANAGER, force: true });
    return before.metadata.resourceVersion === after.metadata.resourceVersion ? 'unchanged' : 'configured';
  }

  /** Creates the object unless it exists, so that a restart finds what it made before and `kubectl apply` may go on from it. */
  async createIfAbsent(manifest: Manifest): Promise<boolean> {
    const { resource, object } = await this.#locate(manifest);
    try {
      await this.#client.create(resource, withLastApplied(object));
      return true;
    } catch (error) {
      if (isAlreadyExists(error)) return false;
      throw error;
    }
  }

  /** Deletes the object; false when it was not there. */
  async delete(manifest: Manifest): Promise<boolean> {
    const { resource, object } = await this.#locate(manifest);
    try {
      await this.#client.delete(resource, nameOf(object), { namespace: object.metadata.namespace });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** `pod/web`, `deviceclass.resource.k8s.io/gpu`: as kubectl names objects in its messages. */
  async describe(manifest: Manifest): Promise<string> {
    const { resource } = await this.#locate(manifest);
    return `${resource.kind.toLowerCase()}${resource.group === '' ? '' : `.${resource.group}`}/${nameOf(manifest)}`;
  }

  async #locate(manifest: Manifest): Promise<{ resource: ServedResource; object: ApiObject }> {
    const { apiVersion, kind, metadata } = manifest;
    const { group, version } = parseApiVersion(apiVersion);
    const resources = this.#discovered.get(apiVersion) ?? resourcesOf(this.#client, group, version);
    this.#discovered.set(apiVersion, resources);
    const served = await resources.catch((error: unknown) => {
      if (isNotFound(error)) return [];
      throw error;
    });
    const resource = served.find((each) => each.kind === kind);
    if (resource === undefined) throw new Error(`no matches for kind "${kind}" in version "${apiVersion}"`);
    const object = resource.namespaced ? { ...manifest, metadata: { ...metadata, namespace: metadata.namespace ?? this.#namespace } } : manifest;
    return { resource, object };
  }
}

/** kubectl's record of what was applied; without it a later `kubectl apply` warns at each object. */
function withLastApplied(object: ApiObject): ApiObject {
  const annotations = { ...object.metadata.annotations, [LAST_APPLIED_ANNOTATION]: `${stringifyJson(object)}\n` };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
