/** What the node agent offers and asks beside preparing: versions, instances, device health, pod resources, metadata, metrics; over real sockets. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NODES, PODS, RESOURCE_CLAIMS, RESOURCE_SLICES, type RestClient } from '#client';
import { GrpcCode, GrpcError } from '#ports';
import { unixGrpc } from '#platform';
import { callUnary, draHealthV1, podResourcesV1, serverStream } from '#wire';
import { featureGates, type Pod, type ResourceStatus } from '#api';
import { allocatedClaim, DRIVER, eventually, inWorld, NODE, podWithClaim, type World } from './node-world.ts';
import { startRawDriver } from './raw-driver.ts';

const RAW = 'raw.example.com';

async function runningPod(client: RestClient, name: string, driver = DRIVER): Promise<Pod> {
  const uid = await podWithClaim(client, name, ['serve'], 'example.com/any:1');
  await allocatedClaim(client, `${name}-claim`, uid, name, driver);
  return phase(client, name, 'Running');
}

function phase(client: RestClient, name: string, wanted: string): Promise<Pod> {
  return eventually(`${name} ${wanted}`, async () => {
    const pod = await client.get(PODS, name, 'default');
    return pod.status?.phase === wanted ? pod : undefined;
  });
}

function healthOf(pod: Pod): readonly ResourceStatus[] | undefined {
  return pod.status?.containerStatuses?.[0]?.allocatedResourcesStatus;
}

/** A pod of the raw driver cannot run (nobody wrote its CDI file); its claim is prepared all the same. */
async function preparedBy(client: RestClient, name: string): Promise<void> {
  const uid = await podWithClaim(client, name, ['serve'], 'example.com/any:1');
  await allocatedClaim(client, `${name}-claim`, uid, name, RAW);
}

test('a driver that only speaks v1beta1 is called in it', () =>
  inWorld(async ({ client, rootDir, startAgent }) => {
    startAgent();
    const driver = await startRawDriver({ rootDir, driver: RAW, versions: ['v1beta1.DRAPlugin'] });
    try {
      await preparedBy(client, 'p');
      await eventually('prepare', async () => driver.calls.includes('v1beta1 prepare'));
      await client.delete(PODS, 'p', { namespace: 'default' });
      await eventually('unprepare', async () => driver.calls.includes('v1beta1 unprepare'));
    } finally {
      await driver.stop();
    }
  }));

test('a driver without a common version is told which ones there are', () =>
  inWorld(async ({ rootDir, startAgent }) => {
    startAgent();
    const driver = await startRawDriver({ rootDir, driver: RAW, versions: ['1.0.0'] });
    try {
      await eventually('refusal', async () => driver.calls[0]);
      assert.match(driver.calls[0] ?? '', /^refused: .*\(1\.0\.0\).*v1\.DRAPlugin, v1beta1\.DRAPlugin/);
    } finally {
      await driver.stop();
    }
  }));

test('a driver that answers the good news with an error is asked again later', () =>
  inWorld(async ({ rootDir, startAgent }) => {
    const { agent } = startAgent();
    const driver = await startRawDriver({ rootDir, driver: RAW, versions: ['v1.DRAPlugin'], refusals: 1 });
    try {
      await eventually('registration', async () => driver.calls.length === 2 && agent.drivers().includes(RAW));
      assert.deepEqual(driver.calls, ['registered', 'registered']);
    } finally {
      await driver.stop();
    }
  }));

test('of two instances the newest is called, and the older again when the newest has gone', () =>
  inWorld(async ({ client, rootDir, startAgent }) => {
    startAgent();
    const versions = ['v1.DRAPlugin'];
    const older = await startRawDriver({ rootDir, driver: RAW, instance: '-a', versions });
    await eventually('registration', async () => older.calls.includes('registered'));
    const newer = await startRawDriver({ rootDir, driver: RAW, instance: '-b', versions });
    try {
      await eventually('registration', async () => newer.calls.includes('registered'));
      await preparedBy(client, 'p');
      await eventually('prepare', async () => newer.calls.includes('v1 prepare'));
      assert.equal(older.calls.includes('v1 prepare'), false);
      await newer.stop();
      await client.delete(PODS, 'p', { namespace: 'default' });
      await eventually('unprepare', async () => older.calls.includes('v1 unprepare'));
    } finally {
      await newer.stop();
      await older.stop();
    }
  }));

test('the health of a device is in the status of the pod that uses it, and unknown when the driver is gone', () =>
  inWorld(async ({ client, rootDir, startAgent, startDriver }) => {
    startAgent();
    const { plugin, stop } = startDriver({ reportsHealth: true });
    const pod = await runningPod(client, 'p');
    const claim = await client.get(RESOURCE_CLAIMS, 'p-claim', 'default');
    const resourceID = `k8s.${DRIVER}/claim=${claim.metadata.uid ?? ''}-gpu-1`;
    assert.deepEqual(healthOf(pod), [{ name: 'claim:gpu', resources: [{ resourceID, health: 'Unknown' }] }]);

    const seen = (health: string): Promise<Pod> =>
      eventually(health, async () => {
        const now = await client.get(PODS, 'p', 'default');
        return healthOf(now)?.[0]?.resources?.[0]?.health === health ? now : undefined;
      });
    plugin.reportHealth([{ pool: NODE, device: 'gpu-1', health: 'Healthy' }]);
    await seen('Healthy');
    plugin.reportHealth([{ pool: NODE, device: 'gpu-1', health: 'Unhealthy', message: 'fan stopped' }]);
    assert.deepEqual(healthOf(await seen('Unhealthy')), [{ name: 'claim:gpu', resources: [{ resourceID, health: 'Unhealthy', message: 'fan stopped' }] }]);
    const stored = /"Health":"Unhealthy".*"HealthCheckTimeout":30000000000,"Message":"fan stopped"/;
    await eventually('state file', async () => stored.test(readFileSync(join(rootDir, 'dra_health_state'), 'utf8')));
    await stop();
    await seen('Unknown');
    await eventually('empty state', async () => readFileSync(join(rootDir, 'dra_health_state'), 'utf8') === '{}');
  }));

test('with the gates off the status says nothing of device health, or leaves the message out', () =>
  inWorld(async ({ client, rootDir, startAgent, startDriver }) => {
    const health = { pool: NODE, device: 'gpu-1', health: 'Unhealthy', message: 'fan stopped' } as const;
    const without = startAgent({ gates: featureGates('1.36', { ResourceHealthStatus: false }) });
    const { plugin } = startDriver({ reportsHealth: true });
    plugin.reportHealth([health]);
    assert.equal(healthOf(await runningPod(client, 'p')), undefined);
    await without.stop();
    assert.equal(existsSync(join(rootDir, 'dra_health_state')), false);

    startAgent({ gates: featureGates('1.36', { ResourceHealthStatusMessage: false }) });
    const shown = await eventually('health', async () => {
      const resource = healthOf(await client.get(PODS, 'p', 'default'))?.[0]?.resources?.[0];
      return resource?.health === 'Unhealthy' ? resource : undefined;
    });
    assert.equal(shown.message, undefined);
  }));

test('a health stream is opened only where it is offered, and not again where it is unimplemented', () =>
  inWorld(async ({ rootDir, startAgent }) => {
    const { agent } = startAgent();
    let opened = 0;
    const refuse = (): AsyncIterable<never> => {
      opened++;
      throw new GrpcError(GrpcCode.unimplemented, 'not here');
    };
    const health = serverStream(draHealthV1.DRAResourceHealth.method.nodeWatchResources, refuse);
    const silent = await startRawDriver({ rootDir, driver: 'silent.example.com', versions: ['v1.DRAPlugin'], more: [health] });
    const driver = await startRawDriver({ rootDir, driver: RAW, versions: ['v1.DRAPlugin', 'v1.DRAResourceHealth'], more: [health] });
    try {
      await eventually('registrations', async () => agent.drivers().length === 2 && opened > 0);
      assert.equal(opened, 1);
    } finally {
      await driver.stop();
      await silent.stop();
    }
  }));

test('pod resources tell which devices a container holds, and metrics count who asks', () =>
  inWorld(async (world) => {
    const { client, rootDir, startAgent, startDriver, metrics } = world;
    startAgent();
    startDriver();
    await runningPod(client, 'p');
    const claim = await client.get(RESOURCE_CLAIMS, 'p-claim', 'default');
    const device = {
      driverName: DRIVER,
      poolName: NODE,
      deviceName: 'gpu-1',
      cdiDevices: [{ name: `k8s.${DRIVER}/claim=${claim.metadata.uid ?? ''}-gpu-1` }],
    };
    const expected = {
      name: 'p',
      namespace: 'default',
      containers: [{ name: 'main', dynamicResources: [{ claimName: 'p-claim', claimNamespace: 'default', claimResources: [device] }] }],
    };
    const { list, get, getAllocatableResources } = podResourcesV1.PodResourcesLister.method;
    const connection = (await unixGrpc()).connect(join(rootDir, 'pod-resources', 'kubelet.sock'));
    const deadlineMs = 5_000;
    try {
      const listed = await callUnary(connection, list, {}, { deadlineMs });
      assert.deepEqual(plain(listed.podResources), [expected]);
      const found = await callUnary(connection, get, { podName: 'p', podNamespace: 'default' }, { deadlineMs });
      assert.deepEqual(plain(found.podResources), expected);
      assert.deepEqual(plain(await callUnary(connection, getAllocatableResources, {}, { deadlineMs })), {});
      await assert.rejects(callUnary(connection, get, { podName: 'q', podNamespace: 'default' }, { deadlineMs }), {
        code: GrpcCode.unknown,
        message: 'pod q in namespace default not found',
      });
      const burst = await Promise.allSettled(Array.from({ length: 50 }, () => callUnary(connection, list, {}, { deadlineMs })));
      const rejected = burst.find((answer) => answer.status === 'rejected');
      assert.deepEqual([rejected?.reason.code, rejected?.reason.message], [GrpcCode.resourceExhausted, 'rejected by rate limit']);
    } finally {
      connection.close();
    }
    const text = metrics.exposition();
    for (const line of [
      /^dra_resource_claims_in_use\{driver_name="<any>"\} 1$/m,
      /^dra_resource_claims_in_use\{driver_name="gpu\.example\.com"\} 1$/m,
      /^dra_operations_duration_seconds_count\{is_error="false",operation_name="PrepareResources"\} 1$/m,
      /^dra_grpc_operations_duration_seconds_count\{driver_name="gpu\.example\.com",grpc_status_code="OK",method_name="\/k8s\.io\.kubelet\.pkg\.apis\.dra\.v1\.DRAPlugin\/NodePrepareResources"\} 1$/m,
      /^kubelet_pod_resources_endpoint_requests_get\{server_api_version="v1"\} 2$/m,
      /^kubelet_pod_resources_endpoint_errors_get\{server_api_version="v1"\} 1$/m,
    ]) {
      assert.match(text, line);
    }
  }));

/** A message without its empty members and the library's own. */
function plain(message: unknown): unknown {
  if (Array.isArray(message)) return message.map(plain);
  if (typeof message !== 'object' || message === null) return message;
  const members = Object.entries(message).filter(([name, value]) => !name.startsWith('$') && !(Array.isArray(value) && value.length === 0));
  return Object.fromEntries(members.map(([name, value]) => [name, plain(value)]));
}

test('a container can read what its device is, until the claim is given back', () =>
  inWorld(async ({ client, rootDir, startAgent, startDriver }: World) => {
    startAgent();
    const author = {
      prepare: async (_claim: unknown, results: readonly { request: string; driver: string; pool: string; device: string }[]) =>
        results.map((result) => ({ result, edits: {}, metadata: { attributes: { model: { string: 'A' } } } })),
      unprepare: async () => undefined,
    };
    startDriver({ writesMetadata: true, author });
    const pod = await runningPod(client, 'p');
    const config = JSON.parse(readFileSync(join(rootDir, 'bundles', pod.metadata.uid ?? '', 'main', 'config.json'), 'utf8')) as {
      mounts: readonly { destination: string; source: string; options: readonly string[] }[];
    };
    const mount = config.mounts.find(
      ({ destination }) => destination === `/var/run/kubernetes.io/dra-device-attributes/resourceclaims/p-claim/gpu/${DRIVER}-metadata.json`,
    );
    assert.deepEqual(mount?.options, ['ro', 'bind']);
    const [first = '', second = ''] = readFileSync(mount?.source ?? '', 'utf8').split(/^(?=\{)/m);
    const expected = {
      kind: 'DeviceMetadata',
      apiVersion: 'metadata.resource.k8s.io/v1beta1',
      metadata: { name: 'p-claim', namespace: 'default', uid: (await client.get(RESOURCE_CLAIMS, 'p-claim', 'default')).metadata.uid, generation: 1 },
      requests: [{ name: 'gpu', devices: [{ driver: DRIVER, pool: NODE, name: 'gpu-1', attributes: { model: { string: 'A' } } }] }],
    };
    assert.deepEqual(JSON.parse(first), expected);
    assert.deepEqual(JSON.parse(second), { ...expected, apiVersion: 'metadata.resource.k8s.io/v1alpha1' });
    await client.delete(PODS, 'p', { namespace: 'default' });
    await eventually('removal', async () => !existsSync(mount?.source ?? ''));
  }));

test('a driver writes what it knows of its devices into the status of the claim, beside what others wrote', () =>
  inWorld(async ({ client, startAgent, startDriver }) => {
    startAgent();
    const { plugin } = startDriver();
    await runningPod(client, 'p');
    const { uid = '' } = (await client.get(RESOURCE_CLAIMS, 'p-claim', 'default')).metadata;
    const reference = { namespace: 'default', name: 'p-claim', uid };
    const networkData = { interfaceName: 'eth1', ips: ['10.0.0.1/24'] };
    await plugin.writeDeviceStatus(reference, [{ pool: NODE, device: 'gpu-1', networkData }]);
    const written = await client.get(RESOURCE_CLAIMS, 'p-claim', 'default');
    assert.deepEqual(written.status?.devices, [{ conditions: null, driver: DRIVER, pool: NODE, device: 'gpu-1', networkData }]);
    await plugin.writeDeviceStatus(reference, []);
    assert.equal((await client.get(RESOURCE_CLAIMS, 'p-claim', 'default')).status?.devices, undefined);
    await assert.rejects(plugin.writeDeviceStatus(reference, [{ pool: NODE, device: 'gpu-0' }]), /status\.devices/);
  }));

test('the node reports what the machine is', () =>
  inWorld(async ({ client, startAgent }) => {
    startAgent();
    const node = await eventually('node', async () => {
      const found = await client.get(NODES, NODE);
      return found.status?.capacity === undefined ? undefined : found;
    });
    assert.match(String(node.status?.capacity?.['memory']), /^\d+Ki$/);
    assert.match(String(node.status?.capacity?.['cpu']), /^\d+$/);
    assert.equal(node.metadata.labels?.['kubernetes.io/arch'], node.status?.nodeInfo?.architecture);
    assert.notEqual(node.status?.nodeInfo?.kernelVersion, '');
    assert.equal(node.status?.nodeInfo?.containerRuntimeVersion, 'dray://1.2.3');
  }));

test('during a rolling update either instance may undo what the other prepared, and the slices stay', () =>
  inWorld(async ({ client, rootDir, startAgent, startDriver }) => {
    const { agent } = startAgent();
    const older = startDriver({ instance: 'aaaaaaaa-0000-4000-8000-000000000001' });
    const pod = await runningPod(client, 'p');
    const newer = startDriver({ instance: 'aaaaaaaa-0000-4000-8000-000000000002' });
    await eventually('second registration', async () => newer.plugin.registrationState()?.registered);
    await older.stop();
    assert.deepEqual(agent.drivers(), [DRIVER]);
    const slices = await client.list(RESOURCE_SLICES);
    assert.deepEqual(
      slices.items.map((slice) => slice.metadata.generation),
      [1],
    );
    await client.delete(PODS, 'p', { namespace: 'default', uid: pod.metadata.uid });
    await eventually('unprepare', async () => readFileSync(join(rootDir, 'plugins', DRIVER, 'checkpoint.json'), 'utf8').includes('"claims":[]'));
    assert.deepEqual(readdirSync(join(rootDir, 'cdi')), []);
    await eventually('release of the lock', async () => !existsSync(join(rootDir, 'plugins', DRIVER, 'serialize.lock')));
  }));

test('a pool that is wrong is reported once and stays as it was; the others are published', () =>
  inWorld(async ({ client, startAgent, startDriver }) => {
    startAgent();
    const problems: string[] = [];
    const { plugin } = startDriver({ handleError: (error) => problems.push(error.message) });
    const pools = async (): Promise<readonly string[]> =>
      (await client.list(RESOURCE_SLICES)).items
        .map((slice) => `${slice.spec.pool.name} ${(slice.spec.devices ?? []).map((device) => device.name).join()}`)
        .sort();
    await eventually('first pool', async () => (await pools()).length === 1);
    plugin.publish(
      new Map([
        [NODE, { slices: [{ devices: [{ name: 'twice' }] }, { devices: [{ name: 'twice' }] }] }],
        ['broken', { slices: [{ devices: [{ name: 'Upper' }] }] }],
        ['sound', { slices: [{ devices: [{ name: 'a' }] }] }],
      ]),
    );
    await eventually('sound pool', async () => (await pools()).length === 2);
    assert.deepEqual(await pools(), [`${NODE} gpu-0,gpu-1`, 'sound a']);
    await eventually('refusals', async () => problems.filter((problem) => problem.includes('spec.devices[0].name')).length === 2);
    assert.equal(problems.filter((problem) => problem === `found duplicate device "twice" in pool "${NODE}"`).length, 1);
  }));
