/** Namespace, Node, ConfigMap, Secret, ServiceAccount and Lease. */
import type { ApiObject } from '#machinery';
import { adminAccessLabelWarnings } from '../admin-access.ts';
import { CONFIG_MAP_COLUMNS, LEASE_COLUMNS, NAMESPACE_COLUMNS, NODE_COLUMNS, SECRET_COLUMNS, SERVICE_ACCOUNT_COLUMNS } from '../columns/core.ts';
import { exceptSpec, withStatus } from '../object.ts';
import type { StrategyContext } from '../kind.ts';
import type { Lease } from '../types/coordination-v1.ts';
import type { Namespace, Node, NodeSpec, Secret, ServiceAccount } from '../types/core-v1.ts';
import { validateConfigMap, validateConfigMapUpdate, validateNamespace, validateNamespaceUpdate } from '../validation/core.ts';
import { validateLease } from '../validation/lease.ts';
import { validateNode, validateNodeUpdate } from '../validation/node.ts';
import { dnsLabelProblems } from '../validation/names.ts';
import { secretWarnings, validateSecret, validateSecretUpdate } from '../validation/secret.ts';
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
  versions: [version('v1', 'io.k8s.api.core.v1.Namespace', defaultNamespace)],
  subresources: ['status'],
  prepareForCreate: (object) => createdNamespace(object as Namespace),
  prepareForUpdate: (object, old, { subresource }) => (subresource === 'status' ? exceptSpec(object, old) : keepEnding(object, old as Namespace)),
  warnings: adminAccessLabelWarnings,
  selectableFieldNames: ['status.phase'],
  selectableFields: (object) => ({ 'status.phase': (object as Namespace).status?.phase ?? '' }),
  validateCreate: validateNamespace,
  validateUpdate: validateNamespaceUpdate,
  table: NAMESPACE_COLUMNS,
});

/** The finalizer that stands for the namespace's contents is there from the start. */
function createdNamespace(namespace: Namespace): ApiObject {
  const given = namespace.spec?.finalizers ?? [];
  const finalizers = given.includes(CONTENT_FINALIZER) ? given : [...given, CONTENT_FINALIZER];
  const created: Namespace = { ...namespace, spec: { ...namespace.spec, finalizers }, status: { phase: 'Active' } };
  return created as ApiObject;
}

function defaultNamespace(object: ApiObject): ApiObject {
  const namespace = labelWithName(object as Namespace);
  return { ...namespace, status: { ...namespace.status, phase: namespace.status?.phase ?? 'Active' } } as ApiObject;
}

function labelWithName(namespace: Namespace): Namespace {
  const { name, labels } = namespace.metadata;
  return name === undefined || name === '' ? namespace : { ...namespace, metadata: { ...namespace.metadata, labels: { ...labels, [NAME_LABEL]: name } } };
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
  versions: [version('v1', 'io.k8s.api.core.v1.Node', defaultNode)],
  subresources: ['status'],
  prepareForCreate: (object) => createdNode(object as Node),
  prepareForUpdate: (object, old, { subresource }) => (subresource === 'status' ? exceptSpec(object, old) : withStatus(object, (old as Node).status)),
  selectableFieldNames: ['spec.unschedulable'],
  selectableFields: (object) => ({ 'spec.unschedulable': String((object as Node).spec?.unschedulable ?? false) }),
  validateCreate: validateNode,
  validateUpdate: validateNodeUpdate,
  table: NODE_COLUMNS,
});

function defaultNode(object: ApiObject): ApiObject {
  const node = object as Node;
  return { ...node, ...(node.spec !== undefined && { spec: withRanges(node.spec) }), ...allocatableFromCapacity(node) } as ApiObject;
}

/** The single range of older clients is the first of the list, and decides (Convert_v1_NodeSpec_To_core_NodeSpec). */
function withRanges(spec: NodeSpec): NodeSpec {
  const { podCIDR = '', podCIDRs = [] } = spec;
  if (podCIDR === (podCIDRs[0] ?? '')) return spec;
  return podCIDR === '' ? { ...spec, podCIDR: podCIDRs[0] } : { ...spec, podCIDRs: [podCIDR] };
}

function allocatableFromCapacity({ status }: Node): Pick<Node, 'status'> {
  if (status?.capacity === undefined || status.allocatable !== undefined) return {};
  return { status: { ...status, allocatable: status.capacity } };
}

/** Configuration through the API is gone; only what is stored already is kept (registry/core/node dropDisabledFields). */
function createdNode({ spec, status, ...node }: Node): ApiObject {
  const { configSource: _source, ...plain } = spec ?? {};
  const { config: _config, ...report } = status ?? {};
  const created: Node = { ...node, ...(spec !== undefined && { spec: plain }), ...(status !== undefined && { status: report }) };
  return created as ApiObject;
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
  warnings: secretWarnings,
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
  prepareForCreate: (object) => named(object as ServiceAccount),
  prepareForUpdate: (object) => named(object as ServiceAccount),
  warnings: mountableSecretsWarnings,
  table: SERVICE_ACCOUNT_COLUMNS,
});

/** Of the secrets that an account names only the names are kept (cleanSecretReferences). */
function named(account: ServiceAccount): ApiObject {
  if (account.secrets === undefined) return account as ApiObject;
  const kept: ServiceAccount = { ...account, secrets: account.secrets.map(({ name }) => (name === undefined ? {} : { name })) };
  return kept as ApiObject;
}

/** By which an account limits its pods to the secrets that it names (upstream: EnforceMountableSecretsAnnotation). */
export const MOUNTABLE_SECRETS_ANNOTATION = 'kubernetes.io/enforce-mountable-secrets';

/** Upstream: warnIfHasEnforceMountableSecretsAnnotation. */
function mountableSecretsWarnings({ metadata }: ApiObject, _context: StrategyContext, old?: ApiObject): readonly string[] {
  const isNew = metadata.annotations?.[MOUNTABLE_SECRETS_ANNOTATION] !== undefined && old?.metadata.annotations?.[MOUNTABLE_SECRETS_ANNOTATION] === undefined;
  if (!isNew) return [];
  return [`metadata.annotations[${MOUNTABLE_SECRETS_ANNOTATION}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`];
}

/** Leases: heartbeats of nodes and leader election. */
export const LEASE = defineKind({
  group: 'coordination.k8s.io',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
  versions: [{ ...version('v1', 'io.k8s.api.coordination.v1.Lease'), unconditionalUpdate: false }],
  metadataChecks: 'generic',
  prepareForCreate: (object) => uncoordinated(object as Lease),
  prepareForUpdate: (object, old) => uncoordinated(object as Lease, old as Lease),
  validateCreate: validateLease,
  validateUpdate: validateLease,
  table: LEASE_COLUMNS,
});

/** Without coordinated leader election, an alpha feature that is not served, a lease keeps only what it had of it. */
function uncoordinated(lease: Lease, old?: Lease): ApiObject {
  if (lease.spec === undefined) return lease as ApiObject;
  const { strategy, preferredHolder, ...spec } = lease.spec;
  const kept = { ...(old?.spec?.strategy !== undefined && { strategy }), ...(old?.spec?.preferredHolder !== undefined && { preferredHolder }) };
  const plain: Lease = { ...lease, spec: { ...spec, ...kept } };
  return plain as ApiObject;
}
