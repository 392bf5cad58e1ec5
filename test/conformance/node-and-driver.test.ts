/** The node agent and a driver of the kit, over real unix sockets, around an API server in this process. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { featureGates, servedVersions } from '#api';
import { createApiServer } from '#apiserver';
import { silentLogger } from '#base';
import { NAMESPACES, PODS, RESOURCE_CLAIMS, RESOURCE_SLICES, RestClient } from '#client';
import { DriverPlugin, type EditedDevice } from '#driver';
import { isNotFound } from '#machinery';
import { decodeCheckpoint, NodeAgent, processRuntime, simulatedRuntime } from '#nodeagent';
import { ChildProcesses, machineFacts, memoryTransport, NodeHostFiles, systemClock, systemRandom, unixGrpc } from '#platform';
import { MemoryStore } from '#storage';

const NODE = 'node-a';
const DRIVER = 'gpu.example.com';

interface World {
  readonly client: RestClient;
  readonly rootDir: string;
  readonly startAgent: () => { agent: NodeAgent; stop: () => Promise<void> };
  readonly startDriver: () => { plugin: DriverPlugin; stop: () => Promise<void> };
}

async function inWorld(check: (world: World) => Promise<void>): Promise<void> {
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
  });
  const client = new RestClient(memoryTransport(apiServer, { name: 'test', groups: ['system:masters'] }), { userAgent: 'test' });
  const outside = { client, files: new NodeHostFiles(), grpc: await unixGrpc(), clock: systemClock, random: systemRandom, logger: silentLogger };
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
      startAgent() {
        const agent = new NodeAgent({ ...outside, nodeName: NODE, runtimes, rootDir, machine, gates });
        return { agent, stop: running((signal) => agent.run(signal)) };
      },
      startDriver() {
        const author = {
          prepare: async (_claim: unknown, results: readonly EditedDevice['result'][]) =>
            results.map((result) => ({ result, edits: { env: [`GPU=${result.device}`] } })),
          unprepare: async () => undefined,
        };
        const plugin = new DriverPlugin({ ...outside, driver: DRIVER, nodeName: NODE, rootDir, author });
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

async function eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
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

async function allocatedClaim(client: RestClient, name: string, podUid: string, podName: string): Promise<string> {
  const claim = await client.create(RESOURCE_CLAIMS, {
    metadata: { name, namespace: 'default' },
    spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }] } },
  });
  await client.updateStatus(RESOURCE_CLAIMS, {
    ...claim,
    status: {
      allocation: { devices: { results: [{ request: 'gpu', driver: DRIVER, pool: NODE, device: 'gpu-1' }] } },
      reservedFor: [{ resource: 'pods', name: podName, uid: podUid }],
    },
  });
  return claim.metadata.uid ?? '';
}

async function podWithClaim(client: RestClient, name: string, command: readonly string[], image = 'dray.local/sh'): Promise<string> {
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

test('a pod with a claim runs with the variables of its device and gives the claim back', () =>
  inWorld(async ({ client, rootDir, startAgent, startDriver }) => {
    const { agent } = startAgent();
    const { plugin } = startDriver();
    await eventually('registration', async () => agent.drivers().includes(DRIVER) && plugin.registrationState()?.registered === true);
    const slice = await eventually('slice', async () => (await client.list(RESOURCE_SLICES)).items[0]);
    assert.equal(slice.spec.pool.generation, 1);
    assert.equal(slice.metadata.ownerReferences?.[0]?.kind, 'Node');
    assert.match(slice.metadata.name ?? '', /^00000-gpu\.example\.com-node-a-/);

    const podUid = await podWithClaim(client, 'p', ['/bin/sh', '-c', 'echo "I have $GPU"; exit 0']);
    const claimUid = await allocatedClaim(client, 'p-claim', podUid, 'p');
    const done = await eventually('end of the pod', async () => {
      const pod = await client.get(PODS, 'p', 'default');
      return pod.status?.phase === 'Succeeded' ? pod : undefined;
    });
    assert.equal(done.status?.containerStatuses?.[0]?.state?.terminated?.reason, 'Completed');
    assert.equal(readFileSync(join(rootDir, 'logs', podUid, 'main.log'), 'utf8'), 'I have gpu-1\n');
    await eventually('unprepare', async () => !plugin.preparedClaims().includes(claimUid));
    assert.deepEqual(decodeCheckpoint(readFileSync(join(rootDir, 'dra_manager_state'), 'utf8')), []);
    assert.deepEqual(readdirSync(join(rootDir, 'cdi')), []);
  }));

test('a failing command makes the pod Failed with its exit code', () =>
  inWorld(async ({ client, startAgent, startDriver }) => {
    startAgent();
    startDriver();
    const podUid = await podWithClaim(client, 'p', ['/bin/sh', '-c', 'exit 7']);
    await allocatedClaim(client, 'p-claim', podUid, 'p');
    const done = await eventually('end of the pod', async () => {
      const pod = await client.get(PODS, 'p', 'default');
      return pod.status?.phase === 'Failed' ? pod : undefined;
    });
    assert.equal(done.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 7);
  }));

test('a running pod survives a restart of node agent and driver, and its deletion unprepares the claim', () =>
  inWorld(async ({ client, rootDir, startAgent, startDriver }) => {
    const first = { agent: startAgent(), driver: startDriver() };
    const podUid = await podWithClaim(client, 'p', ['serve'], 'example.com/any:1');
    const claimUid = await allocatedClaim(client, 'p-claim', podUid, 'p');
    const running = await eventually('running pod', async () => {
      const pod = await client.get(PODS, 'p', 'default');
      return pod.status?.phase === 'Running' ? pod : undefined;
    });
    assert.deepEqual(
      running.status?.conditions
        ?.filter((c) => c.status === 'True')
        .map((c) => c.type)
        .sort(),
      ['ContainersReady', 'Initialized', 'PodReadyToStartContainers', 'Ready'],
    );
    const held = decodeCheckpoint(readFileSync(join(rootDir, 'dra_manager_state'), 'utf8'));
    assert.deepEqual(
      held.map((claim) => [claim.ClaimUID, Object.keys(claim.PodUIDs)]),
      [[claimUid, [podUid]]],
    );
    await first.agent.stop();
    await first.driver.stop();
    assert.equal(existsSync(join(rootDir, 'plugins_registry', `${DRIVER}-reg.sock`)), false);

    const { agent } = startAgent();
    const { plugin } = startDriver();
    await eventually('registration', async () => agent.drivers().includes(DRIVER));
    assert.deepEqual(plugin.preparedClaims(), [claimUid]);
    const still = await client.get(PODS, 'p', 'default');
    assert.equal(still.status?.phase, 'Running');
    assert.equal(still.status?.containerStatuses?.[0]?.restartCount, 0);

    await client.delete(PODS, 'p', { namespace: 'default' });
    await eventually('deletion', () =>
      client.get(PODS, 'p', 'default').then(
        () => undefined,
        (error: unknown) => isNotFound(error),
      ),
    );
    assert.deepEqual(plugin.preparedClaims(), []);
    assert.equal(existsSync(join(rootDir, 'bundles', podUid)), false);
  }));
