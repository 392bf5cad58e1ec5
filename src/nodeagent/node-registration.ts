/** Keeps the Node object and its Lease: that the node is there, what it has, that it is alive. */
import { asError, type Clock, type Logger, sleep } from '#base';
import type { Node, NodeCondition } from '#api';
import { LEASES, NODES, type RestClient } from '#client';
import { isAlreadyExists, isConflict, isNotFound } from '#machinery';
import type { MachineFacts } from '#ports';
import { rfc3339 } from './pod-worker.ts';

/** What the node is. */
export interface NodeRegistrationOptions {
  readonly client: RestClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
  /** Of dray. */
  readonly version: string;
  readonly hostIP: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly machine: MachineFacts;
  /** node.status.declaredFeatures. */
  readonly declaredFeatures?: readonly string[] | undefined;
  /** Port of the endpoint that serves logs; absent: none. */
  readonly kubeletPort?: number | undefined;
}

/** Kubelet defaults: lease 40 s, renewed every 10 s; status at most every 5 min when nothing changes. */
const LEASE_DURATION_SECONDS = 40;
const LEASE_RENEW_MS = 10_000;
const STATUS_REPORT_MS = 300_000;
const LEASE_NAMESPACE = 'kube-node-lease';

/** Kubelet: --max-pods. */
const PODS_MAX = '110';
const BYTES_PER_KI = 1024;

function capacityOf({ cpus, memoryBytes, storageBytes }: MachineFacts): Readonly<Record<string, string>> {
  const kibibytes = (bytes: number): string => `${String(Math.floor(bytes / BYTES_PER_KI))}Ki`;
  return { cpu: String(cpus), memory: kibibytes(memoryBytes), 'ephemeral-storage': kibibytes(storageBytes), pods: PODS_MAX };
}

/** Registers the node; retries until it worked or `signal` aborts. */
export async function registerNode(options: NodeRegistrationOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await createOrUpdate(options);
      return;
    } catch (error) {
      options.logger.warn('Registering the node failed', { node: options.nodeName, error: asError(error).message });
      await sleep(options.clock, 1_000, signal).catch(() => undefined);
    }
  }
}

async function createOrUpdate(options: NodeRegistrationOptions): Promise<void> {
  const { client, nodeName } = options;
  const { architecture } = options.machine;
  const labels = {
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': 'linux',
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': architecture,
    'beta.kubernetes.io/arch': architecture,
    ...options.labels,
  };
  await client.create(NODES, { metadata: { name: nodeName, labels }, spec: {} }).catch(async (error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
    await client.patch(NODES, nodeName, { type: 'merge', body: { metadata: { labels } } });
  });
  await writeStatus(options);
}

/** Others write to a new Node at the same time: its pod range, its taints. */
const STATUS_ATTEMPTS_MAX = 5;

async function writeStatus(options: NodeRegistrationOptions, attempt = 1): Promise<void> {
  const node = await options.client.get(NODES, options.nodeName);
  try {
    await options.client.updateStatus(NODES, { ...node, status: statusOf(node, options) });
  } catch (error) {
    if (!isConflict(error) || attempt === STATUS_ATTEMPTS_MAX) throw error;
    await writeStatus(options, attempt + 1);
  }
}

function statusOf(node: Node, options: NodeRegistrationOptions): NonNullable<Node['status']> {
  const { machine } = options;
  const capacity = capacityOf(machine);
  const now = rfc3339(options.clock.nowMs());
  const conditions: readonly (readonly [type: string, status: string, reason: string, message: string])[] = [
    ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    ['Ready', 'True', 'KubeletReady', 'dray node agent is posting ready status'],
  ];
  return {
    ...node.status,
    capacity,
    allocatable: capacity,
    addresses: [
      { type: 'InternalIP', address: options.hostIP },
      { type: 'Hostname', address: options.nodeName },
    ],
    conditions: conditions.map(([type, status, reason, message]): NodeCondition => {
      const before = node.status?.conditions?.find((condition) => condition.type === type);
      const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now;
      return { type, status, reason, message, lastHeartbeatTime: now, lastTransitionTime };
    }),
    ...(options.kubeletPort === undefined ? {} : { daemonEndpoints: { kubeletEndpoint: { Port: options.kubeletPort } } }),
    ...(options.declaredFeatures === undefined ? {} : { declaredFeatures: [...options.declaredFeatures] }),
    nodeInfo: {
      architecture: machine.architecture,
      bootID: machine.bootID,
      containerRuntimeVersion: `dray://${options.version}`,
      kernelVersion: machine.kernelVersion,
      kubeProxyVersion: '',
      kubeletVersion: 'v1.36.3-dray',
      machineID: machine.machineID,
      operatingSystem: 'linux',
      osImage: machine.osImage,
      systemUUID: machine.systemUUID,
    },
  };
}

/** Renews the Lease and now and then the status, until `signal` aborts. A deleted Node is registered again. */
export async function keepAlive(options: NodeRegistrationOptions, signal: AbortSignal): Promise<void> {
  let reportedMs = options.clock.monotonicMs();
  while (!signal.aborted) {
    try {
      await renewLease(options);
      if (options.clock.monotonicMs() - reportedMs > STATUS_REPORT_MS) {
        await writeStatus(options);
        reportedMs = options.clock.monotonicMs();
      }
    } catch (error) {
      // The lease goes with its node: somebody deleted it, or the API server lost it.
      if (isNotFound(error)) await registerNode(options, signal);
      else options.logger.warn('Heartbeat failed', { node: options.nodeName, error: asError(error).message });
    }
    await sleep(options.clock, LEASE_RENEW_MS, signal).catch(() => undefined);
  }
}

async function renewLease({ client, clock, nodeName }: NodeRegistrationOptions): Promise<void> {
  const renewTime = new Date(clock.nowMs()).toISOString().replace('Z', '000Z');
  const spec = { holderIdentity: nodeName, leaseDurationSeconds: LEASE_DURATION_SECONDS, renewTime };
  try {
    const lease = await client.get(LEASES, nodeName, LEASE_NAMESPACE);
    await client.update(LEASES, { ...lease, spec: { ...lease.spec, ...spec } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const node = await client.get(NODES, nodeName);
    const owner = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata.uid ?? '' };
    await client.create(LEASES, { metadata: { name: nodeName, namespace: LEASE_NAMESPACE, ownerReferences: [owner] }, spec });
  }
}
