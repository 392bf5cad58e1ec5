/** Names of the resources that dray's own components use, each tied to the type of its objects. */
import type {
  Deployment,
  ReplicaSet,
  ClusterRole,
  DeviceClass,
  Event,
  ConfigMap,
  Lease,
  Namespace,
  Node,
  Pod,
  ResourceClaim,
  ResourceClaimTemplate,
  ResourceQuota,
  ResourceSlice,
  Secret,
  ServiceAccount,
} from '#api';
import type { ApiObject } from '#machinery';

/** Where objects live in the API: group ("" for core), version and plural; `kind` is what they are called. */
export interface ResourceName {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** A resource whose objects are of type T. */
export interface Resource<T extends ApiObject> extends ResourceName {
  /** Carries T for the compiler; never set. */
  readonly objectType?: T | undefined;
}

/** Core v1 pods. */
export const PODS: Resource<Pod> = core('pods', 'Pod', true);
/** Core v1 nodes. */
export const NODES: Resource<Node> = core('nodes', 'Node', false);
/** Core v1 namespaces. */
export const NAMESPACES: Resource<Namespace> = core('namespaces', 'Namespace', false);
/** Core v1 events. */
export const EVENTS: Resource<Event> = core('events', 'Event', true);
/** Core v1 config maps. */
export const CONFIG_MAPS: Resource<ConfigMap> = core('configmaps', 'ConfigMap', true);
/** Core v1 secrets. */
export const SECRETS: Resource<Secret> = core('secrets', 'Secret', true);
/** Core v1 service accounts. */
export const SERVICE_ACCOUNTS: Resource<ServiceAccount> = core('serviceaccounts', 'ServiceAccount', true);
/** Core v1 quotas. */
export const RESOURCE_QUOTAS: Resource<ResourceQuota> = core('resourcequotas', 'ResourceQuota', true);
/** rbac.authorization.k8s.io/v1 cluster roles. */
export const CLUSTER_ROLES: Resource<ClusterRole> = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterroles',
  kind: 'ClusterRole',
  namespaced: false,
};
/** apps/v1 deployments. */
export const DEPLOYMENTS: Resource<Deployment> = { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment', namespaced: true };
/** apps/v1 replica sets. */
export const REPLICA_SETS: Resource<ReplicaSet> = { group: 'apps', version: 'v1', plural: 'replicasets', kind: 'ReplicaSet', namespaced: true };
/** coordination.k8s.io/v1 leases. */
export const LEASES: Resource<Lease> = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true };
/** resource.k8s.io/v1 claims. */
export const RESOURCE_CLAIMS: Resource<ResourceClaim> = dra('resourceclaims', 'ResourceClaim', true);
/** resource.k8s.io/v1 claim templates. */
export const RESOURCE_CLAIM_TEMPLATES: Resource<ResourceClaimTemplate> = dra('resourceclaimtemplates', 'ResourceClaimTemplate', true);
/** resource.k8s.io/v1 slices. */
export const RESOURCE_SLICES: Resource<ResourceSlice> = dra('resourceslices', 'ResourceSlice', false);
/** resource.k8s.io/v1 device classes. */
export const DEVICE_CLASSES: Resource<DeviceClass> = dra('deviceclasses', 'DeviceClass', false);

/** The URL path of the collection (no name) or of one object, with an optional subresource. */
export function pathOf(resource: ResourceName, namespace?: string, name?: string, subresource?: string): string {
  let path = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  if (resource.namespaced && namespace !== undefined && namespace !== '') path += `/namespaces/${encodeURIComponent(namespace)}`;
  path += `/${resource.plural}`;
  if (name !== undefined) path += `/${encodeURIComponent(name)}`;
  if (subresource !== undefined) path += `/${subresource}`;
  return path;
}

function core<T extends ApiObject>(plural: string, kind: string, namespaced: boolean): Resource<T> {
  return { group: '', version: 'v1', plural, kind, namespaced };
}

function dra<T extends ApiObject>(plural: string, kind: string, namespaced: boolean): Resource<T> {
  return { group: 'resource.k8s.io', version: 'v1', plural, kind, namespaced };
}
