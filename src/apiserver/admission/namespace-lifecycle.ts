/** NamespaceLifecycle: objects are made in namespaces that exist and live on, and some namespaces never end (upstream: plugin/namespace/lifecycle). */
import { forbidden, notFound } from '#machinery';
import type { Core } from '../options.ts';
import { refusal } from '../refusals.ts';
import type { StoredObject } from '../registry/object-store.ts';
import { type AdmissionPlugin, type AdmissionRequest, isAbout, refused } from './plugin.ts';

/** Namespaces that upstream never deletes. */
const IMMORTAL_NAMESPACES: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

/** The plugin. */
export const NAMESPACE_LIFECYCLE: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  admit: async (core, request) => {
    await checkNamespace(core, request);
    return request.object;
  },
  validate: (_core, request) => {
    if (request.operation !== 'delete' || !isAbout(request, '', 'namespaces') || !IMMORTAL_NAMESPACES.has(request.name)) return;
    throw refused(request, 'this namespace may not be deleted');
  },
};

async function checkNamespace(core: Core, request: AdmissionRequest): Promise<void> {
  const { scope, namespace: name, operation, subresource } = request;
  if (!scope.kind.namespaced) return;
  const namespace = await namespaceNamed(core, name);
  if (namespace === undefined) throw notFound({ group: '', resource: 'namespaces' }, name);
  if (operation === 'create' && subresource === '' && namespace.object.metadata.deletionTimestamp !== undefined) throw terminating(request);
}

function terminating({ scope, name, namespace, object }: AdmissionRequest): Error {
  const shown = name === '' ? (object?.metadata.generateName ?? '') : name;
  const error = forbidden(scope.groupResource, shown, `unable to create new content in namespace ${namespace} because it is being terminated`);
  const causes = [{ reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' }];
  return refusal(403, 'Forbidden', error.message, { ...error.status.details, causes });
}

/** A stored namespace. */
export async function namespaceNamed(core: Core, name: string): Promise<StoredObject | undefined> {
  const scope = core.catalog.find('', 'v1', 'namespaces');
  return scope === undefined ? undefined : core.objects.get(scope, '', name);
}
