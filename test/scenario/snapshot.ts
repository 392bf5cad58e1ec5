/** What a scenario looks at: objects and events reduced to what two correct implementations have in common. */
import type { AllocatedDeviceStatus, Event, Pod, ResourceClaim } from '#api';
import type { ApiObject } from '#machinery';
import { isRecord } from './expectation.ts';

/** Objects by plural. */
export type Objects = Readonly<Record<string, readonly ApiObject[]>>;
/** Views of objects by plural and name; lists of events and deleted pods. */
export type Snapshot = Readonly<Record<string, unknown>>;

/** Objects of a cluster as they are compared, with texts that name nothing that varies but generated names. */
export function snapshotOf(objects: Objects, kinds: readonly string[], seenPods: ReadonlyMap<string, string>): Snapshot {
  const snapshot: Record<string, unknown> = {};
  for (const plural of kinds) {
    const list = objects[plural] ?? [];
    const view = VIEWS[plural] ?? deletingView;
    if (plural === 'events')
      snapshot['events'] = unique((list as readonly Event[]).filter((event) => isOwn(event, seenPods)).map((event) => compact(eventView(event))));
    else snapshot[plural] = Object.fromEntries(list.map((object) => [shortName(object.metadata), compact(view(object as never))] as const).sort(byKey));
  }
  if (kinds.includes('pods')) {
    const present = new Set((objects['pods'] ?? []).map((pod) => pod.metadata.uid));
    snapshot['deletedPods'] = [...seenPods].filter(([uid]) => !present.has(uid)).map(([, name]) => name);
  }
  let text = JSON.stringify(snapshot).replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>');
  for (const [uid, name] of uidNames(objects, seenPods)) text = text.replaceAll(uid, name);
  return JSON.parse(text) as Snapshot;
}

/** Objects in the namespace "default" go by their bare name. */
export function shortName({ name = '', namespace = '' }: { readonly name?: string | undefined; readonly namespace?: string | undefined }): string {
  return namespace === '' || namespace === 'default' ? name : `${namespace}/${name}`;
}

const deletingView = ({ metadata }: ApiObject): Record<string, unknown> => ({ deleting: metadata.deletionTimestamp === undefined ? undefined : true });

/** An object with any status. */
interface WithStatus extends ApiObject {
  readonly status?: Readonly<Record<string, unknown>>;
}

/** The order of members is that of the recordings: share ids are numbered by it. */
const VIEWS: Readonly<Record<string, (object: never) => Record<string, unknown>>> = {
  pods: podView,
  resourceclaims: claimView,
  devicetaintrules: (rule: WithStatus) => ({ ...deletingView(rule), conditions: conditionsOf(rule) }),
  podgroups: (group: WithStatus) => ({
    ...deletingView(group),
    conditions: conditionsOf(group),
    resourceClaimStatuses: group.status?.['resourceClaimStatuses'],
  }),
  resourcequotas: (quota: WithStatus) => ({ ...deletingView(quota), used: quota.status?.['used'] }),
  resourcepoolstatusrequests: (request: WithStatus) => ({ ...deletingView(request), ...request.status, conditions: conditionsOf(request) }),
  namespaces: (namespace: WithStatus) => ({ ...deletingView(namespace), phase: namespace.status?.['phase'] }),
};

function podView(pod: Pod): Record<string, unknown> {
  const extended = pod.status?.extendedResourceClaimStatus;
  const requestMappings = sortedBy(extended?.requestMappings, (one) => `${one.containerName}/${one.resourceName}/${one.requestName}`);
  return {
    ...deletingView(pod),
    nodeName: pod.spec?.nodeName,
    phase: pod.status?.phase,
    nominatedNodeName: pod.status?.nominatedNodeName,
    conditions: conditionsOf(pod),
    resourceClaimStatuses: sortedBy(pod.status?.resourceClaimStatuses, (one) => one.name),
    extendedResourceClaimStatus: extended === undefined ? undefined : { ...extended, requestMappings },
    nodeAllocatableResourceClaimStatuses: pod.status?.nodeAllocatableResourceClaimStatuses,
  };
}

function claimView(claim: ResourceClaim): Record<string, unknown> {
  const { labels, annotations, finalizers, ownerReferences } = claim.metadata;
  const isExtended = annotations?.['resource.kubernetes.io/extended-resource-claim'] !== undefined;
  const deviceKey = (one: AllocatedDeviceStatus): string => `${one.driver}/${one.pool}/${one.device}/${one.shareID ?? ''}`;
  return {
    ...deletingView(claim),
    labels,
    annotations,
    finalizers,
    owners: ownerReferences?.map(({ kind, name, uid, controller }) => ({ kind, name, uid, controller })),
    requests: isExtended ? claim.spec.devices?.requests : undefined,
    allocation: claim.status?.allocation,
    reservedFor: sortedBy(claim.status?.reservedFor, (one) => one.name),
    devices: sortedBy(claim.status?.devices, deviceKey),
  };
}

function eventView(event: Event): Record<string, unknown> {
  const { involvedObject, type, reason, action, message } = event;
  const from = (event.reportingComponent ?? '') === '' ? event.source?.component : event.reportingComponent;
  return { type, reason, from, object: `${involvedObject.kind ?? ''}/${shortName(involvedObject)}`, action, message };
}

function isOwn({ involvedObject }: Event, seenPods: ReadonlyMap<string, string>): boolean {
  return involvedObject.kind !== 'Pod' || seenPods.has(involvedObject.uid ?? '');
}

function conditionsOf(object: ApiObject & { readonly status?: unknown }): unknown {
  const conditions = isRecord(object.status) ? object.status['conditions'] : undefined;
  if (!Array.isArray(conditions)) return undefined;
  const views = conditions.filter(isRecord).map(({ type, status, reason, message }) => ({ type, status, reason, message }));
  return sortedBy(views, (one) => String(one.type));
}

function uidNames(objects: Objects, seenPods: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const names = new Map([...seenPods].map(([uid, name]) => [uid, `<uid of pods/${name}>`]));
  for (const [plural, list] of Object.entries(objects)) {
    for (const { metadata } of list) if (metadata.uid !== undefined) names.set(metadata.uid, `<uid of ${plural}/${shortName(metadata)}>`);
  }
  return names;
}

/** Empty values say nothing: absent, null, "", [] and {}. */
function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact);
  if (!isRecord(value)) return value;
  const members = Object.entries(value).map(([name, inner]) => [name, compact(inner)] as const);
  return Object.fromEntries(members.filter(([, inner]) => !isEmpty(inner)));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
}

function unique(events: readonly unknown[]): readonly unknown[] {
  return [...new Map(events.map((event) => [JSON.stringify(event), event])).values()];
}

function sortedBy<T>(list: readonly T[] | undefined, key: (one: T) => string): readonly T[] | undefined {
  return list === undefined ? undefined : [...list].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
