/** The garbage collector: deletes objects whose owners are gone, and carries foreground and orphan deletion out. */
import type { Informer, Resource, RestClient } from '#client';
import { type ApiObject, apiVersionOf, isNotFound, keyOf, nameOf, namespaceOf, type OwnerReference, parseApiVersion } from '#machinery';
import { Controller, type WorkQueue } from '#reconcile';
import { type ControllerContext, queueFor, synced } from '../controller-context.ts';
import { deletableResources } from '../discovery.ts';
import { blocks, FOREGROUND_FINALIZER, hasFinalizer, judge, ORPHAN_FINALIZER, ownerState } from './owners.ts';

/** Kinds that own nothing and are owned by nothing, yet come in great numbers (upstream ignores events too). */
const IGNORED = new Set(['events']);

const BY_UID = 'uid';
const BY_OWNER = 'owner';

interface Watched {
  readonly resource: Resource<ApiObject>;
  readonly informer: Informer<ApiObject>;
}

/** Runs until `signal` aborts. Kinds that the server begins to serve later are not followed. */
export async function runGarbageCollector(context: ControllerContext, signal: AbortSignal): Promise<void> {
  const resources = (await deletableResources(context.client, signal)).filter((resource) => !IGNORED.has(resource.plural));
  const watched = resources.map((resource) => ({ resource, informer: context.informers.of(resource) }));
  for (const { informer } of watched) {
    informer.addIndex(BY_UID, (object) => [object.metadata.uid ?? '']);
    informer.addIndex(BY_OWNER, (object) => (object.metadata.ownerReferences ?? []).map((reference) => reference.uid));
  }
  await synced(
    watched.map(({ informer }) => informer),
    signal,
  );
  await new GarbageCollector(context, watched).run(signal);
}

class GarbageCollector {
  readonly #client: RestClient;
  readonly #watched: readonly Watched[];
  readonly #queue: WorkQueue;
  readonly #context: ControllerContext;

  constructor(context: ControllerContext, watched: readonly Watched[]) {
    this.#context = context;
    this.#client = context.client;
    this.#watched = watched;
    this.#queue = queueFor(context, 'garbage_collector');
  }

  run(signal: AbortSignal): Promise<void> {
    for (const watched of this.#watched) {
      const changed = (object: ApiObject): void => this.#changed(watched, object);
      watched.informer.addHandler({ added: changed, updated: (_old, object) => changed(object), deleted: (object) => this.#deleted(object) });
    }
    return new Controller({ name: 'garbage_collector', reconcile: (key) => this.#reconcile(key), queue: this.#queue, logger: this.#context.logger }).run(
      signal,
    );
  }

  /** Work keys name the resource and the object: `apps/v1 replicasets default/web`. */
  #changed(watched: Watched, object: ApiObject): void {
    const owners = object.metadata.ownerReferences ?? [];
    const isGoing = object.metadata.deletionTimestamp !== undefined;
    if (owners.length > 0 || isGoing) this.#queue.add(keyFor(watched.resource, object));
    // An owner that is being deleted in the foreground waits for this one.
    if (isGoing) for (const { uid } of owners) this.#queueByUid(uid);
  }

  #deleted(object: ApiObject): void {
    for (const dependent of this.#dependentsOf(object.metadata.uid ?? '')) this.#queue.add(keyFor(dependent.watched.resource, dependent.object));
    for (const { uid } of object.metadata.ownerReferences ?? []) this.#queueByUid(uid);
  }

  #queueByUid(uid: string): void {
    const found = this.#find(uid);
    if (found !== undefined) this.#queue.add(keyFor(found.watched.resource, found.object));
  }

  async #reconcile(key: string): Promise<void> {
    const [apiVersion, plural, name] = key.split(' ');
    const watched = this.#watched.find(({ resource }) => apiVersionOf(resource) === apiVersion && resource.plural === plural);
    const object = watched?.informer.lister.get(name ?? '');
    if (watched === undefined || object === undefined) return;
    if (object.metadata.deletionTimestamp !== undefined) await this.#finishDeletion(watched, object);
    else await this.#checkOwners(watched, object);
  }

  /** The object is being deleted: its dependents are orphaned or deleted as its finalizers ask for. */
  async #finishDeletion(watched: Watched, object: ApiObject): Promise<void> {
    const uid = object.metadata.uid ?? '';
    const dependents = this.#dependentsOf(uid);
    if (hasFinalizer(object, ORPHAN_FINALIZER)) {
      for (const dependent of dependents) {
        await this.#setOwners(
          dependent.watched,
          dependent.object,
          (dependent.object.metadata.ownerReferences ?? []).filter((reference) => reference.uid !== uid),
        );
      }
      await this.#removeFinalizer(watched, object, ORPHAN_FINALIZER);
    } else if (hasFinalizer(object, FOREGROUND_FINALIZER)) {
      for (const dependent of dependents) this.#queue.add(keyFor(dependent.watched.resource, dependent.object));
      if (!dependents.some((dependent) => blocks(dependent.object, uid))) await this.#removeFinalizer(watched, object, FOREGROUND_FINALIZER);
    }
  }

  async #checkOwners(watched: Watched, object: ApiObject): Promise<void> {
    const references = object.metadata.ownerReferences ?? [];
    const owners = await Promise.all(references.map((reference) => this.#owner(reference, object)));
    const hasDependents = this.#dependentsOf(object.metadata.uid ?? '').length > 0;
    const verdict = judge(
      object,
      owners.map((owner) => (owner === 'unknown' ? 'solid' : ownerState(owner))),
      hasDependents,
    );
    if (verdict.kind === 'dropReferences') await this.#setOwners(watched, object, verdict.keep);
    else if (verdict.kind === 'delete') await this.#delete(watched, object, verdict.propagationPolicy);
  }

  /** The owner itself; undefined when the server says that it is gone; unknown when its kind is not served. */
  async #owner(reference: OwnerReference, dependent: ApiObject): Promise<ApiObject | undefined | 'unknown'> {
    const known = this.#find(reference.uid);
    if (known !== undefined) return known.object;
    const { group } = parseApiVersion(reference.apiVersion);
    const resource = this.#watched.find((watched) => watched.resource.group === group && watched.resource.kind === reference.kind)?.resource;
    if (resource === undefined) return 'unknown';
    if (resource.namespaced && namespaceOf(dependent) === '') return 'unknown';
    try {
      const live = await this.#client.get(resource, reference.name, resource.namespaced ? namespaceOf(dependent) : undefined);
      return live.metadata.uid === reference.uid ? live : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #setOwners(watched: Watched, object: ApiObject, ownerReferences: readonly OwnerReference[]): Promise<void> {
    const { uid, resourceVersion } = object.metadata;
    const body = {
      metadata: { uid, resourceVersion, ownerReferences: ownerReferences.length === 0 ? null : ownerReferences.map((reference) => ({ ...reference })) },
    };
    await ignoringNotFound(this.#client.patch(watched.resource, nameOf(object), { namespace: object.metadata.namespace, type: 'merge', body }));
  }

  async #removeFinalizer(watched: Watched, object: ApiObject, finalizer: string): Promise<void> {
    const { uid, resourceVersion } = object.metadata;
    const finalizers = (object.metadata.finalizers ?? []).filter((candidate) => candidate !== finalizer);
    const body = { metadata: { uid, resourceVersion, finalizers } };
    await ignoringNotFound(this.#client.patch(watched.resource, nameOf(object), { namespace: object.metadata.namespace, type: 'merge', body }));
  }

  async #delete(watched: Watched, object: ApiObject, propagationPolicy: 'Background' | 'Foreground' | 'Orphan'): Promise<void> {
    const { namespace, uid, resourceVersion } = object.metadata;
    // The resource version guards against owners added since the judgement.
    await ignoringNotFound(this.#client.delete(watched.resource, nameOf(object), { namespace, uid, resourceVersion, propagationPolicy }));
  }

  #find(uid: string): { readonly watched: Watched; readonly object: ApiObject } | undefined {
    for (const watched of this.#watched) {
      const object = watched.informer.lister.byIndex(BY_UID, uid)[0];
      if (object !== undefined) return { watched, object };
    }
    return undefined;
  }

  #dependentsOf(uid: string): readonly { readonly watched: Watched; readonly object: ApiObject }[] {
    return this.#watched.flatMap((watched) => watched.informer.lister.byIndex(BY_OWNER, uid).map((object) => ({ watched, object })));
  }
}

function keyFor(resource: Resource<ApiObject>, object: ApiObject): string {
  return `${apiVersionOf(resource)} ${resource.plural} ${keyOf(object)}`;
}

async function ignoringNotFound(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
