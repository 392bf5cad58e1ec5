/** NodeRestriction: a node agent writes its own node, its own pods and its own slices (upstream: plugin/pkg/admission/noderestriction). */
import { MIRROR_ANNOTATION, type Lease, type Node, type Pod, type ResourceSlice, type TokenRequest } from '#api';
import { notFound } from '#machinery';
import { NODE_LEASE_NAMESPACE, nodeNameOf } from '../authorization/node.ts';
import { firstReference } from '../authorization/pod-references.ts';
import type { Core } from '../options.ts';
import { equalParts } from '../registry/managed.ts';
import { type AdmissionPlugin, type AdmissionRequest, refused } from './plugin.ts';
import { audienceProblem } from './token-audience.ts';

/** The plugin; creations and updates are judged before validation, deletions at their only point. */
export const NODE_RESTRICTION: AdmissionPlugin = {
  name: 'NodeRestriction',
  admit: async (core, request) => {
    await restrict(core, request);
    return request.object;
  },
  validate: async (core, request) => {
    if (request.operation === 'delete') await restrict(core, request);
  },
};

async function restrict(core: Core, request: AdmissionRequest): Promise<void> {
  const node = nodeNameOf(request.user);
  if (node === undefined) return;
  if (node === '') throw refused(request, `could not determine node from user ${JSON.stringify(request.user.name)}`);
  const { group, plural } = request.scope.kind;
  const problem = await CHECKS[`${plural}.${group}`]?.(node, request, core);
  if (problem !== undefined) throw refused(request, problem);
}

type Check = (node: string, request: AdmissionRequest, core: Core) => Promise<string | undefined> | string | undefined;

/** By resource: why a node may not make this request. */
const CHECKS: Readonly<Record<string, Check>> = {
  'pods.': (node, request, core) => podProblem(node, request, core),
  'serviceaccounts.': (node, request, core) => tokenProblem(node, request, core),
  'nodes.': (node, request) => nodeProblem(node, request),
  'leases.coordination.k8s.io': (node, request) => leaseProblem(node, request),
  'resourceslices.resource.k8s.io': (node, request) => sliceProblem(node, request),
};

/** A node asks for tokens of its own pods only. */
async function tokenProblem(node: string, request: AdmissionRequest, core: Core): Promise<string | undefined> {
  const { operation, subresource, object, namespace } = request;
  if (operation !== 'create' || subresource !== 'token' || object === undefined) return undefined;
  // Narrowed by subresource.
  const asked = object as TokenRequest;
  const { boundObjectRef: reference } = asked.spec ?? {};
  const isPod = reference?.apiVersion === 'v1' && reference.kind === 'Pod' && (reference.name ?? '') !== '';
  if (!isPod) return 'node requested token not bound to a pod';
  if ((reference.uid ?? '') === '') return 'node requested token with a pod binding without a uid';
  const pod = await podNamed(core, namespace, reference.name ?? '');
  if (reference.uid !== pod.metadata.uid)
    return `the UID in the bound object reference (${reference.uid ?? ''}) does not match the UID in record. The object might have been deleted and then recreated`;
  if (pod.spec?.nodeName !== node) return 'node requested token bound to a pod scheduled on a different node';
  return core.options.gates.get('ServiceAccountNodeAudienceRestriction') === true ? audienceProblem(core, request, pod, asked) : undefined;
}

/** The pod, or a 404 in the words of upstream's listers. */
async function podNamed(core: Core, namespace: string, name: string): Promise<Pod> {
  const scope = core.catalog.find('', 'v1', 'pods');
  const stored = scope === undefined ? undefined : await core.objects.get(scope, namespace, name);
  if (stored === undefined) throw notFound({ group: '', resource: 'pod' }, name);
  // Objects stored under pods are such.
  return stored.object as Pod;
}

function sliceProblem(node: string, { operation, object, old }: AdmissionRequest): string | undefined {
  if (operation === 'update') return undefined;
  // Narrowed by resource; stored slices have the form of v1.
  const slice = (operation === 'create' ? object : old) as ResourceSlice | undefined;
  return slice?.spec.nodeName === node ? undefined : `can only ${operation} ResourceSlice with the same NodeName as the requesting node`;
}

function leaseProblem(node: string, { namespace, object, old }: AdmissionRequest): string | undefined {
  if (namespace !== NODE_LEASE_NAMESPACE) return `can only access leases in the ${JSON.stringify(NODE_LEASE_NAMESPACE)} system namespace`;
  const lease = (object ?? old) as Lease | undefined;
  return lease?.metadata.name === node ? undefined : 'can only access node lease with the same name as the requesting node';
}

async function podProblem(node: string, request: AdmissionRequest, core: Core): Promise<string | undefined> {
  const { operation, subresource } = request;
  const name = JSON.stringify(node);
  const [pod, old] = [request.object as Pod | undefined, request.old as Pod | undefined];
  if (subresource === 'status') return statusProblem(name, node, pod, old);
  if (subresource === 'eviction') return operation === 'create' ? evictionProblem(core, node, request) : undefined;
  if (subresource !== '') return `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`;
  if (operation === 'update') return `unexpected operation "UPDATE", node ${name} can only create and delete mirror pods`;
  if (operation === 'delete') return old?.spec?.nodeName === node ? undefined : `node ${name} can only delete pods with spec.nodeName set to itself`;
  return pod === undefined ? undefined : ((await mirrorProblem(core, node, pod)) ?? referenceProblem(name, pod));
}

async function evictionProblem(core: Core, node: string, { namespace, name }: AdmissionRequest): Promise<string | undefined> {
  const pod = await podNamed(core, namespace, name);
  return pod.spec?.nodeName === node ? undefined : `node ${node} can only evict pods with spec.nodeName set to itself`;
}

function statusProblem(name: string, node: string, pod: Pod | undefined, old: Pod | undefined): string | undefined {
  if (old?.spec?.nodeName !== node) return `node ${name} can only update pod status for pods with spec.nodeName set to itself`;
  if (!equalParts(pod?.metadata.labels ?? {}, old.metadata.labels ?? {})) return `node ${name} cannot update labels through pod status`;
  // Spelled as upstream spells it.
  if (!equalParts(pod?.status?.resourceClaimStatuses ?? [], old.status?.resourceClaimStatuses ?? []))
    return `node ${name} cannot update resource claim statues`;
  const extended = equalParts(pod?.status?.extendedResourceClaimStatus, old.status?.extendedResourceClaimStatus);
  return extended ? undefined : `node ${name} cannot update extended resource claim status`;
}

/** A node may make pods only to show what it runs by itself. */
async function mirrorProblem(core: Core, node: string, { metadata, spec }: Pod): Promise<string | undefined> {
  const name = JSON.stringify(node);
  if (metadata.annotations?.[MIRROR_ANNOTATION] === undefined)
    return `pod does not have ${JSON.stringify(MIRROR_ANNOTATION)} annotation, node ${name} can only create mirror pods`;
  if (spec?.nodeName !== node) return `node ${name} can only create pods with spec.nodeName set to itself`;
  const [owner, ...others] = metadata.ownerReferences ?? [];
  if (others.length > 0) return `node ${name} can only create pods with a single owner reference set to itself`;
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    return `node ${name} can only create pods with an owner reference set to itself`;
  if (owner.controller !== true) return `node ${name} can only create pods with a controller owner reference set to itself`;
  if (owner.blockOwnerDeletion === true) return `node ${name} must not set blockOwnerDeletion on an owner reference`;
  const scope = core.catalog.find('', 'v1', 'nodes');
  const live = scope === undefined ? undefined : await core.objects.get(scope, '', node);
  if (live === undefined) throw notFound({ group: '', resource: 'node' }, node);
  const { uid = '' } = live.object.metadata;
  return owner.uid === uid ? undefined : `node ${node} UID mismatch: expected ${owner.uid} got ${uid}`;
}

function referenceProblem(name: string, pod: Pod): string | undefined {
  const kind = firstReference(pod);
  return kind === undefined ? undefined : `node ${name} can not create pods that reference ${kind}`;
}

function nodeProblem(node: string, request: AdmissionRequest): string | undefined {
  const { operation } = request;
  const requested = request.name;
  const name = JSON.stringify(node);
  if (requested !== node) return `node ${name} is not allowed to modify node ${JSON.stringify(requested)}`;
  const [next, old] = [request.object as Node | undefined, request.old as Node | undefined];
  const source = next?.spec?.configSource;
  if (operation === 'create') {
    if (source !== undefined) return `node ${name} is not allowed to create pods with a non-nil configSource`;
    const labels = forbiddenLabels(next?.metadata.labels, undefined);
    return labels.length === 0 ? undefined : `node ${name} is not allowed to set the following labels: ${labels.join(', ')}`;
  }
  if (operation !== 'update') return undefined;
  if (source !== undefined && !equalParts(source, old?.spec?.configSource))
    return `node ${name} is not allowed to update configSource to a new non-nil configSource`;
  if (!equalParts(next?.spec?.taints ?? [], old?.spec?.taints ?? [])) return `node ${name} is not allowed to modify taints`;
  if (!equalParts(next?.metadata.ownerReferences ?? [], old?.metadata.ownerReferences ?? [])) return `node ${name} is not allowed to modify ownerReferences`;
  const labels = forbiddenLabels(next?.metadata.labels, old?.metadata.labels);
  return labels.length === 0 ? undefined : `is not allowed to modify labels: ${labels.join(', ')}`;
}

/** Labels of Kubernetes that a node agent reports (upstream: kubeletapis.IsKubeletLabel). */
const NODE_LABELS: ReadonlySet<string> = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);
const NODE_LABEL_DOMAINS = ['kubelet.kubernetes.io', 'node.kubernetes.io'];
const RESTRICTED_DOMAIN = 'node-restriction.kubernetes.io';
const KUBERNETES_DOMAINS = ['kubernetes.io', 'k8s.io'];

type Labels = Readonly<Record<string, string>> | undefined;

/** Changed labels that would let a node draw pods to itself. */
function forbiddenLabels(next: Labels = {}, old: Labels = {}): readonly string[] {
  const changed = [...new Set([...Object.keys(next), ...Object.keys(old)])].filter((key) => next[key] !== old[key]);
  return changed.filter(isForbidden).sort();
}

function isForbidden(label: string): boolean {
  const slash = label.indexOf('/');
  const domain = slash < 0 ? '' : label.slice(0, slash);
  const below = (parent: string): boolean => domain === parent || domain.endsWith(`.${parent}`);
  if (below(RESTRICTED_DOMAIN)) return true;
  return KUBERNETES_DOMAINS.some(below) && !NODE_LABELS.has(label) && !NODE_LABEL_DOMAINS.some(below);
}
