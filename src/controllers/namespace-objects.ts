/** Keeps one object of a fixed name in every namespace: what the service account and the root certificate controllers have in common. */
import type { Namespace } from '#api';
import { NAMESPACES, type Resource } from '#client';
import { type ApiObject, isAlreadyExists, nameOf, namespaceOf } from '#machinery';
import { Controller } from '#reconcile';
import { type ControllerContext, queueFor, synced } from './controller-context.ts';

/** What every namespace shall have. */
export interface NamespaceObject<T extends ApiObject> {
  /** Names the queue in metrics and logs. */
  readonly controller: string;
  readonly resource: Resource<T>;
  /** As a manifest would give it, with a name and without a namespace. */
  readonly wanted: T;
  /** The object as it should be; undefined when it is so already. */
  readonly mended?: ((live: T) => T | undefined) | undefined;
}

/** Creates and mends the objects until `signal` aborts. A namespace that is on its way out gets none. */
export async function keepInNamespaces<T extends ApiObject>(context: ControllerContext, kept: NamespaceObject<T>, signal: AbortSignal): Promise<void> {
  const { client, logger, informers } = context;
  const { controller, resource, wanted, mended } = kept;
  const name = nameOf(wanted);
  const namespaces = informers.of(NAMESPACES);
  const objects = informers.named(resource, name);
  const queue = queueFor(context, controller);
  const changed = (namespace: Namespace): void => queue.add(nameOf(namespace));
  const touched = (object: T): void => queue.add(namespaceOf(object));
  namespaces.addHandler({ added: changed, updated: (_old, namespace) => changed(namespace) });
  await synced([namespaces, objects], signal);
  // Also those that somebody else made a moment before, whose creation here was refused.
  objects.addHandler({ added: touched, updated: (_old, object) => touched(object), deleted: touched });
  const reconcile = async (namespace: string): Promise<void> => {
    if (!isActive(namespaces.lister.get(namespace))) return;
    const live = objects.lister.get(`${namespace}/${name}`);
    const better = live === undefined ? undefined : mended?.(live);
    if (better !== undefined) await client.update(resource, better);
    if (live !== undefined) return;
    await client.create(resource, { ...wanted, metadata: { ...wanted.metadata, namespace } }).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
  };
  await new Controller({ name: controller, reconcile, queue, logger }).run(signal);
}

function isActive(namespace: Namespace | undefined): boolean {
  return namespace !== undefined && namespace.metadata.deletionTimestamp === undefined && namespace.status?.phase !== 'Terminating';
}
