/** The subresources of pods that are not the pod itself: binding, eviction and log. */
import { type Binding, BINDING, type Node, type Pod, canonical } from '#api';
import { aggregateText, type JsonObject, badRequest, conflict, internalError, isJsonObject, notFound } from '#machinery';
import { onlyScopeOf } from './catalog.ts';
import { type ServerRequest, type ServerResponse, jsonResponse } from './http/message.ts';
import type { ResourceTarget } from './http/request-info.ts';
import { type Core, timestamp } from './options.ts';
import { spendDisruption } from './disruption.ts';
import { refusal } from './refusals.ts';
import { admissionRequest, type Call, strategyContext } from './registry/call.ts';
import { withRequestNamespace } from './registry/create.ts';
import { decodeObject, parseBody } from './registry/decode.ts';
import { deleteObject } from './registry/delete.ts';
import { deleteOptionsOf } from './registry/delete-options.ts';
import { type StoredObject, withMetadata } from './registry/object-store.ts';
import { fieldValidationOf } from './registry/write-options.ts';

/** Another write may come between reading a pod and binding it. */
const BIND_ATTEMPTS = 10;

/** POST bindings, the older way to bind, names the pod in its body only; what follows is the same as for pods/NAME/binding. */
export async function podBindingTarget(request: ServerRequest, target: ResourceTarget): Promise<ResourceTarget> {
  if (target.group !== '' || target.plural !== 'bindings' || target.name !== '' || target.verb !== 'create') return target;
  const body = await parseBody(request, 'Binding');
  const metadata = isJsonObject(body) && isJsonObject(body['metadata']) ? body['metadata'] : {};
  const { name } = metadata;
  if (typeof name !== 'string' || name === '') throw badRequest('name is required');
  return { ...target, plural: 'pods', name, subresource: 'binding' };
}

/** POST pods/NAME/binding: sets the node, once. */
export async function bindPod(core: Core, call: Call): Promise<ServerResponse> {
  const binding = await readBinding(core, call);
  for (let attempt = 1; attempt <= BIND_ATTEMPTS; attempt++) {
    const live = await livePod(core, call);
    const pod = live.object as Pod;
    checkBindable(call, pod, binding);
    const written = canonical(bound(core, pod, binding), call.scope.schema);
    if (call.dryRun || (await core.objects.put(call.scope, written, live.revision)) !== undefined) return success();
  }
  throw conflict({ group: '', resource: 'pods/binding' }, call.target.name);
}

/** The binding of the body, admitted and valid. */
async function readBinding(core: Core, call: Call): Promise<Binding> {
  const inScope: Call = { ...call, scope: BINDING_SCOPE };
  const decoded = withRequestNamespace(inScope, await decodeObject(inScope, fieldValidationOf(inScope)));
  const context = strategyContext(core, call);
  const filled = BINDING_SCOPE.version.defaults?.(decoded, context) ?? decoded;
  const request = { ...admissionRequest(call, filled), name: call.target.name };
  // The older way to bind is none of a pod's subresources to admission.
  const isOlder = call.info.target?.plural === BINDING.plural;
  const binding = await core.admission.admit(core, isOlder ? { ...request, scope: BINDING_SCOPE, subresource: '' } : request);
  if ((binding.metadata.name ?? '') !== call.target.name) throw badRequest('name in URL does not match name in Binding object');
  const errors = BINDING.validateCreate?.(binding, context) ?? [];
  if (errors.length > 0) throw refusal(500, '', aggregateText(errors.map(({ path, message }) => `${path}: ${message}`)));
  // Decoded as one.
  return binding as Binding;
}

const BINDING_SCOPE = onlyScopeOf(BINDING);

function checkBindable(call: Call, pod: Pod, { metadata: { uid = '', resourceVersion = '' } }: Binding): void {
  const { name, namespace } = call.target;
  const resource = { group: '', resource: 'pods/binding' };
  const key = `StorageError: invalid object, Code: 4, Key: /registry/pods/${namespace}/${name}, ResourceVersion: 0, AdditionalErrorMsg: `;
  const precondition = (what: string, wanted: string, actual = ''): void => {
    if (wanted === '' || wanted === actual) return;
    throw conflict({ group: '', resource: 'pods' }, name, `${key}Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${actual}`);
  };
  precondition('UID', uid, pod.metadata.uid);
  precondition('ResourceVersion', resourceVersion, pod.metadata.resourceVersion);
  if (pod.metadata.deletionTimestamp !== undefined) throw conflict(resource, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  const nodeName = pod.spec?.nodeName ?? '';
  if (nodeName !== '') throw conflict(resource, name, `pod ${name} is already assigned to node ${JSON.stringify(nodeName)}`);
  if ((pod.spec?.schedulingGates ?? []).length > 0) throw conflict(resource, name, `pod ${name} has non-empty .spec.schedulingGates`);
}

function bound(core: Core, pod: Pod, { target, metadata }: Binding): Pod {
  const now = timestamp(core.options.clock.nowMs());
  const others = (pod.status?.conditions ?? []).filter((condition) => condition.type !== 'PodScheduled');
  const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: now };
  const labelled = core.options.gates.get('PodTopologyLabelsAdmission') === true ? withMap(pod, 'labels', metadata.labels) : pod;
  const annotated = withMap(labelled, 'annotations', metadata.annotations);
  if (annotated.spec === undefined) throw internalError('a stored pod has no spec');
  return { ...annotated, spec: { ...annotated.spec, nodeName: target.name }, status: { ...annotated.status, conditions: [...others, scheduled] } };
}

function withMap(pod: Pod, member: 'labels' | 'annotations', added: Readonly<Record<string, string>> = {}): Pod {
  return Object.keys(added).length === 0 ? pod : withMetadata(pod, { [member]: { ...pod.metadata[member], ...added } });
}

/** POST pods/NAME/eviction: a delete that may be refused. */
export async function evictPod(core: Core, call: Call): Promise<ServerResponse> {
  const body = call.request.body.length === 0 ? {} : await objectBody(call, 'Eviction');
  const { namespace, name } = call.target;
  const evicted = isJsonObject(body['metadata']) ? body['metadata']['name'] : undefined;
  if (call.request.body.length > 0 && evicted !== name) throw badRequest('name in URL does not match name in Eviction object');
  await core.admission.admit(core, admissionRequest(call, { ...body, metadata: { name, namespace } }));
  const options = deleteOptionsOf(body['deleteOptions']);
  // Stored under pods are pods.
  const pod = (await livePod(core, call)).object as Pod;
  await spendDisruption(core, pod, call.dryRun || (options.dryRun ?? []).length > 0);
  await deleteObject(core, call, options, { namespace, name });
  return success();
}

/** GET pods/NAME/log: asks the agent of the pod's node. */
export async function podLog(core: Core, call: Call): Promise<ServerResponse> {
  const pod = (await livePod(core, call)).object as Pod;
  const query = new URLSearchParams(call.info.query);
  query.set('namespace', call.target.namespace);
  query.set('pod', call.target.name);
  query.set('container', chooseContainer(pod, call.info.query.get('container') ?? ''));
  const nodeName = pod.spec?.nodeName ?? '';
  if (nodeName === '') return text(new Uint8Array());
  const scope = core.catalog.find('', 'v1', 'nodes');
  const node = scope === undefined ? undefined : await core.objects.get(scope, '', nodeName);
  if (node === undefined) throw notFound({ group: '', resource: 'nodes' }, nodeName);
  const { podLogs } = core.options;
  if (podLogs === undefined) throw refusal(503, 'ServiceUnavailable', 'this API server has no way to the logs of nodes');
  // Objects stored under nodes are Nodes.
  return text(await podLogs(node.object as Node, query, call.request.signal));
}

function chooseContainer(pod: Pod, asked: string): string {
  const name = pod.metadata.name ?? '';
  const containers = (pod.spec?.containers ?? []).map((container) => container.name);
  const all = [...containers, ...(pod.spec?.initContainers ?? []).map((container) => container.name)];
  if (asked !== '') {
    if (all.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  if (containers.length === 1) return containers[0] ?? '';
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${containers.join(' ')}]`);
}

function text(body: Uint8Array | AsyncIterable<Uint8Array>): ServerResponse {
  return { status: 200, headers: { 'content-type': 'text/plain' }, body, live: true };
}

async function livePod(core: Core, call: Call): Promise<StoredObject> {
  const live = await core.objects.get(call.scope, call.target.namespace, call.target.name);
  if (live === undefined) throw notFound(call.scope.groupResource, call.target.name);
  return live;
}

async function objectBody(call: Call, kind: string): Promise<JsonObject> {
  const body = await parseBody(call.request, kind);
  if (!isJsonObject(body)) throw badRequest(`the object provided is unrecognized (must be of type ${kind})`);
  return body;
}

function success(): ServerResponse {
  return jsonResponse(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
}
