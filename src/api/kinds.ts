/** The list of kinds. Adding a kind means adding a value here. */
import type { Kind } from './kind.ts';
import { CONFIG_MAP, LEASE, NAMESPACE, NODE, SECRET, SERVICE_ACCOUNT } from './kinds/core.ts';
import { DEVICE_CLASS, DEVICE_TAINT_RULE, RESOURCE_CLAIM, RESOURCE_CLAIM_TEMPLATE, RESOURCE_POOL_STATUS_REQUEST, RESOURCE_SLICE } from './kinds/dra.ts';
import { EVENT, EVENTS_EVENT } from './kinds/event.ts';
import { LEASE_CANDIDATE } from './kinds/lease-candidate.ts';
import { POD } from './kinds/pod.ts';
import { LIMIT_RANGE, RESOURCE_QUOTA } from './kinds/quota.ts';
import { CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING } from './kinds/rbac.ts';
import { POD_GROUP, PRIORITY_CLASS, WORKLOAD } from './kinds/scheduling.ts';
import { DAEMON_SET, DEPLOYMENT, JOB, POD_DISRUPTION_BUDGET, REPLICA_SET, STATEFUL_SET } from './kinds/workloads.ts';

/** Every kind that is stored; `servedVersions` tells which versions of them a release serves. */
export const KINDS: readonly Kind[] = [
  NAMESPACE,
  NODE,
  POD,
  EVENT,
  SERVICE_ACCOUNT,
  CONFIG_MAP,
  SECRET,
  LEASE,
  LEASE_CANDIDATE,
  EVENTS_EVENT,
  DEVICE_CLASS,
  RESOURCE_CLAIM,
  RESOURCE_CLAIM_TEMPLATE,
  RESOURCE_SLICE,
  DEVICE_TAINT_RULE,
  RESOURCE_POOL_STATUS_REQUEST,
  PRIORITY_CLASS,
  WORKLOAD,
  POD_GROUP,
  RESOURCE_QUOTA,
  LIMIT_RANGE,
  DEPLOYMENT,
  REPLICA_SET,
  DAEMON_SET,
  STATEFUL_SET,
  JOB,
  POD_DISRUPTION_BUDGET,
  ROLE,
  ROLE_BINDING,
  CLUSTER_ROLE,
  CLUSTER_ROLE_BINDING,
];

const BY_RESOURCE: ReadonlyMap<string, Kind> = new Map(KINDS.map((kind) => [`${kind.group}/${kind.plural}`, kind]));

/** The kind stored under `group` ("" for core) and `plural`. */
export function kindByResource(group: string, plural: string): Kind | undefined {
  return BY_RESOURCE.get(`${group}/${plural}`);
}
