/** The namespace controller: empties a namespace that is to be deleted and then lets it go. */
import type { Namespace } from '#api';
import { NAMESPACES, PODS, type Resource, type RestClient, pathOf, readText } from '#client';
import { type ApiObject, errorFromStatus, isNotFound, keyOf, nameOf, parseJson, type Status, stringifyJson } from '#machinery';
import { Controller, type ReconcileResult, WorkQueue } from '#reconcile';
import { type ControllerContext, synced } from '../controller-context.ts';
import { deletableResources } from '../discovery.ts';

/** The finalizer in a namespace's spec that stands for its contents (core/v1: FinalizerKubernetes). */
const CONTENT_FINALIZER = 'kubernetes';

/** How soon a namespace is looked at again while objects in it are still going. */
const REMAINING_RETRY_MS = 500;

/** Runs until `signal` aborts. */
export async function runNamespaceController(context: ControllerContext, signal: AbortSignal): Promise<void> {
  const { client, clock, logger, informers } = context;
  const namespaces = informers.of(NAMESPACES);
  const queue = new WorkQueue(clock);
  const changed = (namespace: Namespace): void => {
    if (namespace.metadata.deletionTimestamp !== undefined) queue.add(keyOf(namespace));
  };
  namespaces.addHandler({ added: changed, updated: (_old, namespace) => changed(namespace) });
  await synced([namespaces], signal);
  const reconcile = (name: string): Promise<void | ReconcileResult> => syncNamespace(namespaces.lister.get(name), client, signal);
  await new Controller({ name: 'namespace', reconcile, queue, logger }).run(signal);
}

/** Deletes the contents of a terminating namespace; once nothing is left, finalizes it. */
export async function syncNamespace(namespace: Namespace | undefined, client: RestClient, signal: AbortSignal): Promise<void | ReconcileResult> {
  if (namespace?.metadata.deletionTimestamp === undefined || !(namespace.spec?.finalizers ?? []).includes(CONTENT_FINALIZER)) return undefined;
  const name = nameOf(namespace);
  // Pods go first: what they use (claims, secrets) must outlive them (KEP 5080).
  if ((await empty(PODS, name, client)) > 0) return { requeueAfterMs: REMAINING_RETRY_MS };
  let remaining = 0;
  for (const resource of await deletableResources(client, signal)) {
    if (resource.namespaced && !(resource.group === '' && resource.plural === PODS.plural)) remaining += await empty(resource, name, client);
  }
  if (remaining > 0) return { requeueAfterMs: REMAINING_RETRY_MS };
  await finalize(namespace, client, signal);
  return undefined;
}

/** Deletes what is there and not yet being deleted; returns how many objects are left after that. */
async function empty<T extends ApiObject>(resource: Resource<T>, namespace: string, client: RestClient): Promise<number> {
  const { items } = await client.list(resource, { namespace });
  for (const object of items) {
    if (object.metadata.deletionTimestamp !== undefined) continue;
    try {
      await client.delete(resource, nameOf(object), { namespace, propagationPolicy: 'Background' });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  return items.length === 0 ? 0 : (await client.list(resource, { namespace })).items.length;
}

/** Removes the content finalizer through the subresource that exists for it alone. */
async function finalize(namespace: Namespace, client: RestClient, signal: AbortSignal): Promise<void> {
  const finalizers = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== CONTENT_FINALIZER);
  const body = { ...namespace, apiVersion: 'v1', kind: 'Namespace', spec: { ...namespace.spec, finalizers } };
  const path = pathOf(NAMESPACES, undefined, nameOf(namespace), 'finalize');
  const response = await client.raw({ method: 'PUT', path, headers: { 'content-type': 'application/json' }, body: stringifyJson(body) }, signal);
  const text = await readText(response.body);
  if (response.status === 404 || (response.status >= 200 && response.status <= 299)) return;
  // A refusal of the API server is a Status.
  throw errorFromStatus(parseJson(text) as Status);
}
