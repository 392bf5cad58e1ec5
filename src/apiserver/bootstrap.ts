/** Objects that exist in every cluster, as data, and how the API server writes them when it starts. */
import { type PriorityClass, RBAC_GROUP, SYSTEM_PRIORITIES } from '#api';
import type { ApiObject, GroupVersionKind } from '#machinery';
import { defaultClusterRoleBindings, defaultClusterRoles, defaultRoleBindings, defaultRoles } from './authorization/default-roles.ts';
import { repairOf } from './authorization/reconcile-roles.ts';
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

/** All of them, as the gates leave them. */
function bootstrapObjects(gates: Core['options']['gates']): readonly Bootstrap[] {
  const rbac = (plural: string, objects: readonly ApiObject[]): Bootstrap => ({ resource: { group: RBAC_GROUP, version: 'v1', plural }, objects });
  return [
    NAMESPACES,
    PRIORITY_CLASSES,
    rbac('clusterroles', defaultClusterRoles(gates)),
    rbac('clusterrolebindings', defaultClusterRoleBindings(gates)),
    rbac('roles', defaultRoles(gates)),
    rbac('rolebindings', defaultRoleBindings()),
  ];
}

/**
 * Writes what is missing: absent objects, and what default roles and bindings lack of what this release expects of them.
 * The writes are handed to the store together and in order. Rejects when another writer came between, so that the caller
 * tries again.
 */
export async function createBootstrapObjects(core: Core): Promise<void> {
  const writes = await Promise.all(
    bootstrapObjects(core.options.gates).flatMap(({ resource, objects }) => {
      const scope = core.catalog.find(resource.group, resource.version, resource.plural);
      return scope === undefined ? [] : objects.map((manifest) => toWrite(core, scope, manifest));
    }),
  );
  const needed = writes.filter((write) => write !== undefined);
  const stored = await Promise.all(needed.map(async ({ scope, object, expected }) => core.objects.put(scope, object, expected)));
  if (stored.includes(undefined)) throw new Error('another API server is writing the first objects');
}

/** An object to write if its revision still is `expected` (0: absent). */
interface ObjectWrite {
  readonly scope: Scope;
  readonly object: ApiObject;
  readonly expected: number;
}

async function toWrite(core: Core, scope: Scope, manifest: ApiObject): Promise<ObjectWrite | undefined> {
  const { name = '', namespace = '' } = manifest.metadata;
  const live = await core.objects.get(scope, namespace, name);
  if (live === undefined) return { scope, object: prepared(core, scope, manifest), expected: 0 };
  const repair = repairOf(scope.kind.group, live.object, manifest);
  if (repair.kind === 'none') return undefined;
  if (repair.kind === 'update') return { scope, object: repair.object, expected: live.revision };
  // A binding cannot point elsewhere: it goes, and another one comes.
  if ((await core.objects.remove(scope, live.object, live.revision)) === undefined) throw new Error('another API server is writing the first objects');
  return { scope, object: prepared(core, scope, manifest), expected: 0 };
}

function prepared(core: Core, scope: Scope, manifest: ApiObject): ApiObject {
  const { clock, random, gates } = core.options;
  const now = timestamp(clock.nowMs());
  const context = { gates, subresource: '', now, checkSelector: () => [] };
  const defaulted = scope.version.defaults?.(manifest, context) ?? manifest;
  const fresh = withMetadata(toStorage(scope, defaulted), { uid: random.uuid(), creationTimestamp: now });
  return scope.kind.prepareForCreate?.(fresh, context) ?? fresh;
}
