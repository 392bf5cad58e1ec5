/** A node agent and drivers of the kit in this process, over real unix sockets, around an API server in memory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { featureGates, servedVersions } from '#api';
import { createApiServer } from '#apiserver';
import { Metrics, silentLogger } from '#base';
import { NAMESPACES, PODS, RESOURCE_CLAIMS, RestClient } from '#client';
import { DriverPlugin, type DriverPluginOptions, type EditedDevice } from '#driver';
import { NodeAgent, type NodeAgentOptions, processRuntime, simulatedRuntime } from '#nodeagent';
import { ChildProcesses, FileTokenKeys, machineFacts, memoryTransport, NodeHostFiles, systemClock, systemRandom, unixGrpc } from '#platform';
import { MemoryStore } from '#storage';

/** The node's name. */
export const NODE = 'node-a';
/** The kit driver's name. */
export const DRIVER = 'gpu.example.com';

/** What a test works with. */
export interface World {
  readonly client: RestClient;
  readonly rootDir: string;
  readonly startAgent: (options?: Partial<NodeAgentOptions>) => { agent: NodeAgent; stop: () => Promise<void> };
  /** The node agent's metrics. */
  readonly metrics: Metrics;
  readonly startDriver: (options?: Partial<DriverPluginOptions>) => { plugin: DriverPlugin; stop: () => Promise<void> };
}

/** Runs `check` in a world that ends with it. */
export async function inWorld(check: (world: World) => Promise<void>): Promise<void> {
  const rootDir = mkdtempSync(join(tmpdir(), 'node-'));
  const gates = featureGates('1.36', {});
  const apiServer = createApiServer({
    store: new MemoryStore(),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    gates,
    served: servedVersions('1.36', {}),
    emulatedVersion: '1.36',
    celCheck: () => [],
    admission: { disabled: ['ServiceAccount'] },
    serviceAccounts: { issuer: 'https://dray.test', keys: new FileTokenKeys(join(rootDir, 'pki')) },
  });
  const client = new RestClient(memoryTransport(apiServer, { name: 'test', groups: ['system:masters'] }), { userAgent: 'test' });
  const outside = { client, files: new NodeHostFiles(), grpc: await unixGrpc(), clock: systemClock, random: systemRandom, logger: silentLogger };
  const metrics = new Metrics();
  const machine = await machineFacts(rootDir);
  const runtimes = [processRuntime({ ...outside, processes: new ChildProcesses() }), simulatedRuntime(outside)];
  const stops: (() => Promise<void>)[] = [];
  const running = (run: (signal: AbortSignal) => Promise<void>): (() => Promise<void>) => {
    const controller = new AbortController();
    const done = run(controller.signal);
    const stop = async (): Promise<void> => {
      controller.abort();
      await done;
    };
    stops.push(stop);
    return stop;
  };
  try {
    for (const name of ['default', 'kube-node-lease']) await client.create(NAMESPACES, { metadata: { name } }).catch(() => undefined);
    await check({
      client,
      rootDir,
      startAgent(options) {
        const agent = new NodeAgent({ ...outside, nodeName: NODE, version: '1.2.3', runtimes, rootDir, machine, gates, metrics, ...options });
        return { agent, stop: running((signal) => agent.run(signal)) };
      },
      metrics,
      startDriver(options) {
        const author = {
          prepare: async (_claim: unknown, results: readonly EditedDevice['result'][]) =>
            results.map((result) => ({ result, edits: { env: [`GPU=${result.device}`] } })),
          unprepare: async () => undefined,
        };
        const plugin = new DriverPlugin({ ...outside, driver: DRIVER, nodeName: NODE, rootDir, author, ...options });
        plugin.publish(new Map([[NODE, { slices: [{ devices: [{ name: 'gpu-0' }, { name: 'gpu-1' }] }] }]]));
        return { plugin, stop: running((signal) => plugin.run(signal)) };
      },
    });
  } finally {
    await Promise.all(stops.map((stop) => stop()));
    apiServer.close();
    rmSync(rootDir, { recursive: true });
  }
}

/** Repeats `look` until it gives something; rejects after ten seconds. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  let last: unknown;
  for (let i = 0; i < 400; i++) {
    const value = await look().catch((error: unknown) => {
      last = error;
      return undefined;
    });
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => {
      setTimeout(resolve, 25);
    });
  }
  throw new Error(`never came: ${what} (${String(last)})`);
}

/** Creates a claim that is allocated gpu-1 and reserved for the pod; its UID. */
export async function allocatedClaim(client: RestClient, name: string, podUid: string, podName: string, driver = DRIVER): Promise<string> {
  const claim = await client.create(RESOURCE_CLAIMS, {
    metadata: { name, namespace: 'default' },
    spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }] } },
  });
  await client.updateStatus(RESOURCE_CLAIMS, {
    ...claim,
    status: {
      allocation: { devices: { results: [{ request: 'gpu', driver, pool: NODE, device: 'gpu-1' }] } },
      reservedFor: [{ resource: 'pods', name: podName, uid: podUid }],
    },
  });
  return claim.metadata.uid ?? '';
}

/** Creates a pod bound to the node that uses the claim `<name>-claim`; its UID. */
export async function podWithClaim(client: RestClient, name: string, command: readonly string[], image = 'dray.local/sh'): Promise<string> {
  const pod = await client.create(PODS, {
    metadata: { name, namespace: 'default' },
    spec: {
      nodeName: NODE,
      restartPolicy: 'Never',
      containers: [{ name: 'main', image, command, resources: { claims: [{ name: 'gpu' }] } }],
      resourceClaims: [{ name: 'gpu', resourceClaimName: `${name}-claim` }],
    },
  });
  return pod.metadata.uid ?? '';
}
