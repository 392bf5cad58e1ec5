/** Objects that exist in every cluster, as data, and how the API server writes them when it starts. */
import { type PriorityClass, SYSTEM_PRIORITIES } from '#api';
import type { ApiObject, GroupVersionKind } from '#machinery';
import type { Scope } from './catalog.ts';
import { type Core, timestamp } from './options.ts';
import { toStorage, withMetadata } from './registry/object-store.ts';

/** An object as a manifest would give it, under the name of its resource. */
interface Bootstrap {
  readonly resource: Pick<GroupVersionKind, 'group' | 'version'> & { readonly plural: string };
  readonly objects: readonly ApiObject[];
}

/** The four namespaces that upstream's controlplane creates. */
const NAMESPACES: Bootstrap = {
  resource: { group: '', version: 'v1', plural: 'namespaces' },
  objects: ['default', 'kube-system', 'kube-public', 'kube-node-lease'].map((name) => ({ metadata: { name } })),
};

/** What pods of the system classes are for; the values stand in the kind. */
const SYSTEM_CLASS_DESCRIPTIONS: Readonly<Record<string, string>> = {
  'system-node-critical': 'Used for system critical pods that must not be moved from their current node.',
  'system-cluster-critical': 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
};

const PRIORITY_CLASSES: Bootstrap = {
  resource: { group: 'scheduling.k8s.io', version: 'v1', plural: 'priorityclasses' },
  objects: [...SYSTEM_PRIORITIES].map(([name, value]) => systemClass({ metadata: { name }, value, description: SYSTEM_CLASS_DESCRIPTIONS[name] })),
};

function systemClass(priorityClass: PriorityClass): ApiObject {
  return priorityClass;
}

/** Writes what is missing; rejects when another writer came between, so that the caller tries again. */
export async function createBootstrapObjects(core: Core): Promise<void> {
  const objects = [NAMESPACES, PRIORITY_CLASSES].flatMap(({ resource, objects: manifests }) => {
    const scope = core.catalog.find(resource.group, resource.version, resource.plural);
    return scope === undefined ? [] : manifests.map((manifest) => ({ scope, object: prepared(core, scope, manifest) }));
  });
  if (!(await core.objects.putMissing(objects))) throw new Error('another API server is writing the first objects');
}

function prepared(core: Core, scope: Scope, manifest: ApiObject): ApiObject {
  const { clock, random, gates } = core.options;
  const now = timestamp(clock.nowMs());
  const context = { gates, subresource: '', now, checkSelector: () => [] };
  const defaulted = scope.version.defaults?.(manifest, context) ?? manifest;
  const fresh = withMetadata(toStorage(scope, defaulted), { uid: random.uuid(), creationTimestamp: now });
  return scope.kind.prepareForCreate?.(fresh, context) ?? fresh;
}
