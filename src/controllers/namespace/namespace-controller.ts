/** The namespace controller: empties a namespace that is to be deleted and then lets it go. */
import type { Namespace } from '#api';
import { asError } from '#base';
import { NAMESPACES, PODS, type Resource, type ResourceName, type RestClient, pathOf, readText } from '#client';
import { type ApiObject, errorFromStatus, isNotFound, keyOf, nameOf, parseJson, type Status, stringifyJson } from '#machinery';
import { Controller, type ReconcileResult } from '#reconcile';
import { type ControllerContext, queueFor, synced } from '../controller-context.ts';
import { deletableResources } from '../discovery.ts';
import { type DeletionProgress, namespaceConditions, type Remaining } from './conditions.ts';

/** The finalizer in a namespace's spec that stands for its contents (core/v1: FinalizerKubernetes). */
const CONTENT_FINALIZER = 'kubernetes';

/** How soon a namespace is looked at again while objects in it are still going. */
const REMAINING_RETRY_MS = 500;

/** Runs until `signal` aborts. */
export async function runNamespaceController(context: ControllerContext, signal: AbortSignal): Promise<void> {
  const { logger, informers } = context;
  const namespaces = informers.of(NAMESPACES);
  const queue = queueFor(context, 'namespace');
  const changed = (namespace: Namespace): void => {
    if (namespace.metadata.deletionTimestamp !== undefined) queue.add(keyOf(namespace));
  };
  namespaces.addHandler({ added: changed, updated: (_old, namespace) => changed(namespace) });
  await synced([namespaces], signal);
  const reconcile = (name: string): Promise<void | ReconcileResult> => syncNamespace(namespaces.lister.get(name), context, signal);
  await new Controller({ name: 'namespace', reconcile, queue, logger }).run(signal);
}

/** Deletes the contents of a terminating namespace and says how far that is; once nothing is left, finalizes it. */
export async function syncNamespace(namespace: Namespace | undefined, context: ControllerContext, signal: AbortSignal): Promise<void | ReconcileResult> {
  if (namespace?.metadata.deletionTimestamp === undefined || !(namespace.spec?.finalizers ?? []).includes(CONTENT_FINALIZER)) return undefined;
  const { client, clock } = context;
  const progress = await emptyNamespace(nameOf(namespace), client, signal);
  const isEmpty = progress.remaining.every(({ count }) => count === 0);
  if (isEmpty && progress.contentErrors.length === 0 && progress.discoveryError === undefined) {
    await finalize(namespace, client, signal);
    return undefined;
  }
  await report(namespace, progress, { client, nowMs: clock.nowMs() });
  return { requeueAfterMs: REMAINING_RETRY_MS };
}

/** One round over all resources. Pods go first: what they use (claims, secrets) must outlive them (KEP 5080). */
async function emptyNamespace(name: string, client: RestClient, signal: AbortSignal): Promise<DeletionProgress> {
  const pods = await empty(PODS, name, client);
  if (pods.count > 0) return { remaining: [pods], contentErrors: [] };
  const remaining: Remaining[] = [];
  const contentErrors: string[] = [];
  let resources: readonly Resource<ApiObject>[];
  try {
    resources = await deletableResources(client, signal);
  } catch (error) {
    return { remaining, contentErrors, discoveryError: asError(error).message };
  }
  for (const resource of resources) {
    if (!resource.namespaced || (resource.group === '' && resource.plural === PODS.plural)) continue;
    try {
      remaining.push(await empty(resource, name, client));
    } catch (error) {
      contentErrors.push(`${fullName(resource)}: ${asError(error).message}`);
    }
  }
  return { remaining, contentErrors };
}

function fullName({ group, plural }: ResourceName): string {
  return group === '' ? plural : `${plural}.${group}`;
}

/** Deletes what is there and not yet being deleted; returns what is left after that. */
async function empty<T extends ApiObject>(resource: Resource<T>, namespace: string, client: RestClient): Promise<Remaining> {
  const { items } = await client.list(resource, { namespace });
  for (const object of items) {
    if (object.metadata.deletionTimestamp !== undefined) continue;
    try {
      await client.delete(resource, nameOf(object), { namespace, propagationPolicy: 'Background' });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  const left = items.length === 0 ? [] : (await client.list(resource, { namespace })).items;
  const finalizers = new Map<string, number>();
  for (const object of left) for (const name of object.metadata.finalizers ?? []) finalizers.set(name, (finalizers.get(name) ?? 0) + 1);
  return { resource: fullName(resource), count: left.length, finalizers };
}

/** Writes the conditions that have changed. */
async function report(
  namespace: Namespace,
  progress: DeletionProgress,
  { client, nowMs }: { readonly client: RestClient; readonly nowMs: number },
): Promise<void> {
  const before = new Map((namespace.status?.conditions ?? []).map((known) => [known.type, known]));
  const lastTransitionTime = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  const changed = namespaceConditions(progress)
    .filter(({ type, status, reason, message }) => {
      const known = before.get(type);
      return known?.status !== status || known.reason !== reason || known.message !== message;
    })
    .map((condition) => ({ ...condition, lastTransitionTime }));
  if (changed.length === 0) return;
  const body = { metadata: { uid: namespace.metadata.uid ?? null }, status: { conditions: changed } };
  try {
    await client.patch(NAMESPACES, nameOf(namespace), { type: 'strategic', subresource: 'status', body });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
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
