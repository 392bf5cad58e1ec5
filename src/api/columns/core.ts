/** Table columns of the remaining core kinds, Lease and events. */
import type { Cell } from '../kind.ts';
import type { ConfigMap, Event, Namespace, Node, Secret, ServiceAccount } from '../types/core-v1.ts';
import type { Lease } from '../types/coordination-v1.ts';
import { AGE, Age, ageCell, column, NAME } from './age.ts';
import { table } from './table.ts';

/** Columns of Namespace. */
export const NAMESPACE_COLUMNS = table<Namespace>([NAME, column('Status', 'The status of the namespace'), AGE], (namespace) => [
  namespace.metadata.name ?? '',
  namespace.status?.phase ?? '',
  ageCell(namespace),
]);

/** Columns of ConfigMap: Data counts both kinds of entries. */
export const CONFIG_MAP_COLUMNS = table<ConfigMap>(
  [
    NAME,
    column(
      'Data',
      "Data contains the configuration data. Each key must consist of alphanumeric characters, '-', '_' or '.'. Values with non-UTF-8 byte sequences must use the BinaryData field. The keys stored in Data must not overlap with the keys in the BinaryData field, this is enforced during validation process.",
    ),
    AGE,
  ],
  (map) => [map.metadata.name ?? '', sizeOf(map.data) + sizeOf(map.binaryData), ageCell(map)],
);

/** Columns of Secret. */
export const SECRET_COLUMNS = table<Secret>(
  [
    NAME,
    column(
      'Type',
      'Used to facilitate programmatic handling of secret data. More info: https://kubernetes.io/docs/concepts/configuration/secret/#secret-types',
    ),
    column(
      'Data',
      "Data contains the secret data. Each key must consist of alphanumeric characters, '-', '_' or '.'. The serialized form of the secret data is a base64 encoded string, representing the arbitrary (possibly non-string) data value here. Described in https://tools.ietf.org/html/rfc4648#section-4",
    ),
    AGE,
  ],
  (secret) => [secret.metadata.name ?? '', secret.type ?? '', sizeOf(secret.data), ageCell(secret)],
);

/** Columns of ServiceAccount. */
export const SERVICE_ACCOUNT_COLUMNS = table<ServiceAccount>([NAME, AGE], (account) => [account.metadata.name ?? '', ageCell(account)]);

/** Columns of Lease. */
export const LEASE_COLUMNS = table<Lease>(
  [
    NAME,
    column(
      'Holder',
      'holderIdentity contains the identity of the holder of a current lease. If Coordinated Leader Election is used, the holder identity must be equal to the elected LeaseCandidate.metadata.name field.',
    ),
    AGE,
  ],
  (lease) => [lease.metadata.name ?? '', lease.spec?.holderIdentity ?? '', ageCell(lease)],
);

/** Columns of Node. */
export const NODE_COLUMNS = table<Node>(
  [
    NAME,
    column('Status', 'The status of the node'),
    column('Roles', 'The roles of the node'),
    AGE,
    column('Version', 'Kubelet Version reported by the node.'),
    column(
      'Internal-IP',
      'List of addresses reachable to the node. Queried from cloud provider, if available. More info: https://kubernetes.io/docs/reference/node/node-status/#addresses',
      1,
    ),
    column(
      'External-IP',
      'List of addresses reachable to the node. Queried from cloud provider, if available. More info: https://kubernetes.io/docs/reference/node/node-status/#addresses',
      1,
    ),
    column('OS-Image', 'OS Image reported by the node from /etc/os-release (e.g. Debian GNU/Linux 7 (wheezy)).', 1),
    column('Kernel-Version', "Kernel Version reported by the node from 'uname -r' (e.g. 3.16.0-0.bpo.4-amd64).", 1),
    column('Container-Runtime', 'ContainerRuntime Version reported by the node through runtime remote API (e.g. containerd://1.4.2).', 1),
  ],
  nodeCells,
);

const ROLE_PREFIX = 'node-role.kubernetes.io/';

function nodeCells(node: Node): readonly Cell[] {
  const info = node.status?.nodeInfo;
  const kernel = info?.kernelVersion ? `${info.kernelVersion}${info.architecture ? ` (${info.architecture})` : ''}` : '<unknown>';
  return [
    node.metadata.name ?? '',
    nodeStatus(node),
    nodeRoles(node),
    ageCell(node),
    info?.kubeletVersion ?? '',
    addressOf(node, 'InternalIP'),
    addressOf(node, 'ExternalIP'),
    info?.osImage || '<unknown>',
    kernel,
    info?.containerRuntimeVersion || '<unknown>',
  ];
}

function nodeStatus(node: Node): string {
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
  const states = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'];
  if (node.spec?.unschedulable === true) states.push('SchedulingDisabled');
  return states.join(',');
}

function nodeRoles(node: Node): string {
  const roles = Object.entries(node.metadata.labels ?? {}).flatMap(([label, value]) => {
    if (label.startsWith(ROLE_PREFIX) && label.length > ROLE_PREFIX.length) return [label.slice(ROLE_PREFIX.length)];
    return label === 'kubernetes.io/role' && value !== '' ? [value] : [];
  });
  return roles.length === 0 ? '<none>' : [...new Set(roles)].sort().join(',');
}

function addressOf(node: Node, type: string): string {
  return node.status?.addresses?.find((address) => address.type === type)?.address ?? '<none>';
}

function sizeOf(map: object | undefined): number {
  return Object.keys(map ?? {}).length;
}

/** Columns of Event, the same in core and events.k8s.io. */
export const EVENT_COLUMNS = table<Event>(
  [
    column('Last Seen', 'Time when this event was last observed'),
    column('Type', 'Type of this event (Normal, Warning), new types could be added in the future'),
    column('Reason', "This should be a short, machine understandable string that gives the reason for the transition into the object's current status."),
    column('Object', 'The object that this event is about.'),
    column(
      'Subobject',
      'If referring to a piece of an object instead of an entire object, this string should contain a valid JSON/Go field access statement, such as desiredState.manifest.containers[2].',
      1,
    ),
    column('Source', 'The component reporting this event. Should be a short machine understandable string.', 1),
    column('Message', 'A human-readable description of the status of this operation.'),
    column('First Seen', 'The time at which the event was first recorded. (Time of server receipt is in TypeMeta.)', 1),
    column('Count', 'The number of times this event has occurred.', 1),
    { ...NAME, priority: 1 },
  ],
  eventCells,
);

function eventCells(event: Event): readonly Cell[] {
  const first = event.firstTimestamp ?? event.eventTime;
  const last = event.series === undefined ? (event.lastTimestamp ?? first) : event.series.lastObservedTime;
  const { kind, name, fieldPath } = event.involvedObject;
  return [
    new Age(last),
    event.type ?? '',
    event.reason ?? '',
    `${(kind ?? '').toLowerCase()}/${name ?? ''}`,
    fieldPath ?? '',
    sourceOf(event),
    (event.message ?? '').trim(),
    new Age(first),
    event.series?.count ?? (event.count === undefined || event.count === 0 ? 1 : event.count),
    event.metadata.name ?? '',
  ];
}

function sourceOf(event: Event): string {
  const component = event.source?.component || event.reportingComponent || '';
  const host = event.source?.host || event.reportingInstance || '';
  return host === '' ? component : `${component}, ${host}`;
}
