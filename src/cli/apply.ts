/** Applies the objects of manifests. */
import { pathOf, type ResourceName, type RestClient } from '#client';
import { type ApiObject, apiVersionOf, isAlreadyExists, isNotFound, nameOf, stringifyJson } from '#machinery';
import { Discovery, objectText } from './discovery.ts';
import { exchange, queryOf } from './exchange.ts';
import type { Manifest } from './manifests.ts';

/** Field manager of objects that dray's command line applies. */
const FIELD_MANAGER = 'dray';

const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

/** What happened to an object, and how it is called: `pod/web`. */
export interface Applied {
  readonly text: string;
  readonly outcome: 'created' | 'configured' | 'unchanged';
}

/** An object and where it lives; a namespaced one names its namespace. */
export interface Located {
  readonly resource: ResourceName;
  readonly object: ApiObject;
}

/** Applies manifests through one client; remembers discovery between objects. */
export class Applier {
  readonly #client: RestClient;
  readonly #namespace: string;
  readonly #exclusive: boolean;
  readonly #discovery: Discovery;

  /** Objects that name no namespace go to `namespace`; with `exclusive` those that name another are refused. */
  constructor(client: RestClient, { namespace = 'default', exclusive = false }: { readonly namespace?: string; readonly exclusive?: boolean } = {}) {
    this.#client = client;
    this.#namespace = namespace;
    this.#exclusive = exclusive;
    this.#discovery = new Discovery(client);
  }

  /**
   * Server-side apply: creates the object or brings it to what the manifest says, also where another manager said otherwise; fields that a manifest
   * no longer has go away. Unknown fields are refused. A manifest with generateName is created.
   */
  async apply(manifest: Manifest): Promise<Applied> {
    const { resource, object } = await this.locate(manifest);
    if (object.metadata.name === undefined) {
      const created = await this.#client.create(resource, object);
      return { text: objectText(resource, nameOf(created)), outcome: 'created' };
    }
    const { namespace } = object.metadata;
    const before = await this.#client.get(resource, nameOf(object), namespace).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    const query = queryOf({ fieldManager: FIELD_MANAGER, force: 'true', fieldValidation: 'Strict' });
    const after = await exchange(this.#client, pathOf(resource, namespace, nameOf(object)) + query, {
      method: 'PATCH',
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: stringifyJson({ ...object, apiVersion: apiVersionOf(resource), kind: resource.kind }),
    });
    const text = objectText(resource, nameOf(object));
    if (before === undefined) return { text, outcome: 'created' };
    // The answer to a patch is the object.
    const { resourceVersion } = (after as unknown as ApiObject).metadata;
    return { text, outcome: before.metadata.resourceVersion === resourceVersion ? 'unchanged' : 'configured' };
  }

  /** Creates the object unless it exists, so that a restart finds what it made before and `kubectl apply` may go on from it. */
  async createIfAbsent(manifest: Manifest): Promise<boolean> {
    const { resource, object } = await this.locate(manifest);
    try {
      await this.#client.create(resource, withLastApplied(object));
      return true;
    } catch (error) {
      if (isAlreadyExists(error)) return false;
      throw error;
    }
  }

  /** Where the manifest's object lives; throws when the server does not serve its kind. */
  async locate(manifest: Manifest): Promise<Located> {
    const { apiVersion, kind, metadata } = manifest;
    const resource = await this.#discovery.byKind(apiVersion, kind);
    if (!resource.namespaced) return { resource, object: manifest };
    const { namespace = this.#namespace } = metadata;
    if (this.#exclusive && namespace !== this.#namespace) {
      throw new Error(`${objectText(resource, metadata.name ?? '')} is of namespace "${namespace}", not "${this.#namespace}" as --namespace says`);
    }
    return { resource, object: { ...manifest, metadata: { ...metadata, namespace } } };
  }
}

/** kubectl's record of what was applied; without it a later `kubectl apply` warns at each object. */
function withLastApplied(object: ApiObject): ApiObject {
  const annotations = { ...object.metadata.annotations, [LAST_APPLIED_ANNOTATION]: `${stringifyJson(object)}\n` };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
