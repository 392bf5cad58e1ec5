/** What surrounds a write besides the kind itself: namespaces must exist and live, pods get their fixed defaults. */
import type { Namespace } from '#api';
import { type ApiObject, forbidden, notFound } from '#machinery';
import { refusal } from '../refusals.ts';
import type { Core } from '../options.ts';
import type { Call } from './call.ts';
import type { StoredObject } from './object-store.ts';

/** Namespaces that upstream never deletes (admission plugin NamespaceLifecycle). */
export const IMMORTAL_NAMESPACES: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

/** The namespace of a write, undefined for cluster-scoped kinds; refuses writes into one that is absent, and creates in one that is being deleted. */
export async function checkNamespace(core: Core, call: Call, name = call.target.name): Promise<ApiObject | undefined> {
  const { scope, target } = call;
  if (!scope.kind.namespaced) return undefined;
  const namespace = await namespaceNamed(core, target.namespace);
  if (namespace === undefined) throw notFound({ group: '', resource: 'namespaces' }, target.namespace);
  if (target.verb !== 'create' || target.subresource !== '' || namespace.object.metadata.deletionTimestamp === undefined) return namespace.object;
  const why = `unable to create new content in namespace ${target.namespace} because it is being terminated`;
  const error = forbidden(scope.groupResource, name, why);
  const causes = [{ reason: 'NamespaceTerminating', message: `namespace ${target.namespace} is being terminated`, field: 'metadata.namespace' }];
  throw refusal(403, 'Forbidden', error.message, { ...error.status.details, causes });
}

/** A stored namespace. */
export async function namespaceNamed(core: Core, name: string): Promise<StoredObject | undefined> {
  const scope = core.catalog.find('', 'v1', 'namespaces');
  return scope === undefined ? undefined : core.objects.get(scope, '', name);
}

/** Fills what upstream's default admission plugins fill: the priority of pods, the finalizer and label of namespaces. */
export function admitCreate(object: ApiObject): ApiObject {
  if (object.kind === 'Namespace' && object.apiVersion === 'v1') return admitNamespace(object);
  if (object.kind === 'Pod' && object.apiVersion === 'v1') return admitPod(object);
  return object;
}

function admitNamespace(object: ApiObject): ApiObject {
  // Narrowed by kind above; members are checked by the schema.
  const namespace = object as Namespace;
  const finalizers = namespace.spec?.finalizers ?? [];
  const labels = { ...namespace.metadata.labels, 'kubernetes.io/metadata.name': namespace.metadata.name ?? '' };
  const admitted: Namespace = {
    ...namespace,
    metadata: { ...namespace.metadata, labels },
    spec: { ...namespace.spec, finalizers: finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes'] },
    status: { phase: 'Active' },
  };
  return admitted;
}

/** Tolerations that plugin DefaultTolerationSeconds adds. */
const DEFAULT_TOLERATIONS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].map((key) => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 300,
}));

interface PodLike extends ApiObject {
  readonly spec?: {
    readonly priority?: number;
    readonly preemptionPolicy?: string;
    readonly tolerations?: readonly { readonly key?: string; readonly effect?: string; readonly operator?: string }[];
  };
}

function admitPod(object: ApiObject): ApiObject {
  // Narrowed by kind above; members are checked by the schema.
  const pod = object as PodLike;
  const present = pod.spec?.tolerations ?? [];
  const tolerates = (key: string): boolean =>
    present.some((toleration) => (toleration.key === key || (toleration.key ?? '') === '') && ['NoExecute', ''].includes(toleration.effect ?? ''));
  const missing = DEFAULT_TOLERATIONS.filter(({ key }) => !tolerates(key));
  const spec = { ...pod.spec, priority: pod.spec?.priority ?? 0, preemptionPolicy: pod.spec?.preemptionPolicy ?? 'PreemptLowerPriority' };
  const admitted: ApiObject & { spec: unknown } = { ...pod, spec: { ...spec, tolerations: [...present, ...missing] } };
  return admitted;
}
