/** Namespace, Node, ConfigMap, Secret, ServiceAccount and Lease. */
import type { ApiObject } from '#machinery';
import { adminAccessLabelWarnings } from '../admin-access.ts';
import { CONFIG_MAP_COLUMNS, LEASE_COLUMNS, NAMESPACE_COLUMNS, NODE_COLUMNS, SECRET_COLUMNS, SERVICE_ACCOUNT_COLUMNS } from '../columns/core.ts';
import { onlyStatus, withStatus } from '../object.ts';
import type { Namespace, Node, Secret } from '../types/core-v1.ts';
import {
  validateConfigMap,
  validateConfigMapUpdate,
  validateNamespaceUpdate,
  validateNodeUpdate,
  validateSecret,
  validateSecretUpdate,
} from '../validation/core.ts';
import { dnsLabelProblems } from '../validation/names.ts';
import { defineKind, version } from './define.ts';

/** Label that every namespace carries, its own name (apimachinery LabelMetadataName). */
const NAME_LABEL = 'kubernetes.io/metadata.name';

/** Upstream: FinalizerKubernetes. */
const CONTENT_FINALIZER = 'kubernetes';

/** Namespaces: labelled with their name, ended through the finalizer `kubernetes`. */
export const NAMESPACE = defineKind({
  group: '',
  kind: 'Namespace',
  checksMetadataAgain: true,
  createOnUpdate: false,
  nameProblems: dnsLabelProblems,
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  versions: [version('v1', 'io.k8s.api.core.v1.Namespace', labelWithName)],
  subresources: ['status'],
  prepareForCreate: (object) => createdNamespace(object as Namespace),
  prepareForUpdate: (object, old, { subresource }) => (subresource === 'status' ? onlyStatus(object, old) : keepEnding(object, old as Namespace)),
  warnings: adminAccessLabelWarnings,
  selectableFieldNames: ['status.phase'],
  selectableFields: (object) => ({ 'status.phase': (object as Namespace).status?.phase ?? '' }),
  validateUpdate: validateNamespaceUpdate,
  table: NAMESPACE_COLUMNS,
});

/** The finalizer that stands for the namespace's contents is there from the start. */
function createdNamespace(namespace: Namespace): ApiObject {
  const others = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== CONTENT_FINALIZER);
  return { ...namespace, spec: { ...namespace.spec, finalizers: [...others, CONTENT_FINALIZER] }, status: { phase: 'Active' } } as ApiObject;
}

function labelWithName(object: ApiObject): ApiObject {
  const { name, labels } = object.metadata;
  return name === undefined || name === '' ? object : { ...object, metadata: { ...object.metadata, labels: { ...labels, [NAME_LABEL]: name } } };
}

function keepEnding(object: ApiObject, old: Namespace): ApiObject {
  return { ...object, spec: old.spec, status: old.status } as ApiObject;
}

/** Nodes: status may be given on create, as kubelets do when they register. */
export const NODE = defineKind({
  group: '',
  kind: 'Node',
  checksMetadataAgain: true,
  createOnUpdate: false,
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  versions: [version('v1', 'io.k8s.api.core.v1.Node', allocatableFromCapacity)],
  subresources: ['status'],
  prepareForUpdate: (object, old, { subresource }) =>
    subresource === 'status' ? updatedNodeStatus(object as Node, old as Node) : withStatus(object, (old as Node).status),
  selectableFieldNames: ['spec.unschedulable'],
  selectableFields: (object) => ({ 'spec.unschedulable': String((object as Node).spec?.unschedulable ?? false) }),
  validateUpdate: validateNodeUpdate,
  table: NODE_COLUMNS,
});

function allocatableFromCapacity(object: ApiObject): ApiObject {
  const { status } = object as Node;
  if (status?.capacity === undefined || status.allocatable !== undefined) return object;
  return { ...object, status: { ...status, allocatable: status.capacity } } as ApiObject;
}

/** A kubelet also patches metadata (labels, annotations) through /status; only the spec stays. */
function updatedNodeStatus(node: Node, old: Node): ApiObject {
  return { ...node, spec: old.spec } as ApiObject;
}

/** ConfigMaps. */
export const CONFIG_MAP = defineKind({
  group: '',
  kind: 'ConfigMap',
  checksMetadataAgain: true,
  createOnUpdate: false,
  plural: 'configmaps',
  shortNames: ['cm'],
  namespaced: true,
  versions: [version('v1', 'io.k8s.api.core.v1.ConfigMap')],
  validateCreate: validateConfigMap,
  validateUpdate: validateConfigMapUpdate,
  table: CONFIG_MAP_COLUMNS,
});

/** Secrets; stringData is merged into data, in base64, and never stored. */
export const SECRET = defineKind({
  group: '',
  kind: 'Secret',
  checksMetadataAgain: true,
  createOnUpdate: false,
  plural: 'secrets',
  namespaced: true,
  versions: [version('v1', 'io.k8s.api.core.v1.Secret', defaultSecret)],
  selectableFieldNames: ['type'],
  selectableFields: (object) => ({ type: (object as Secret).type ?? '' }),
  validateCreate: validateSecret,
  validateUpdate: validateSecretUpdate,
  table: SECRET_COLUMNS,
});

function defaultSecret(object: ApiObject): ApiObject {
  const { stringData, ...secret } = object as Secret;
  const type = secret.type || 'Opaque';
  if (stringData === undefined) return { ...secret, type } as ApiObject;
  const encoded = Object.entries(stringData).map(([key, text]) => [key, base64Of(text)] as const);
  return { ...secret, type, data: { ...secret.data, ...Object.fromEntries(encoded) } } as ApiObject;
}

function base64Of(text: string): string {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(text)));
}

/** ServiceAccounts. */
export const SERVICE_ACCOUNT = defineKind({
  group: '',
  kind: 'ServiceAccount',
  checksMetadataAgain: true,
  createOnUpdate: false,
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  namespaced: true,
  versions: [version('v1', 'io.k8s.api.core.v1.ServiceAccount')],
  table: SERVICE_ACCOUNT_COLUMNS,
});

/** Leases: heartbeats of nodes and leader election. */
export const LEASE = defineKind({
  group: 'coordination.k8s.io',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
  versions: [version('v1', 'io.k8s.api.coordination.v1.Lease')],
  table: LEASE_COLUMNS,
});
