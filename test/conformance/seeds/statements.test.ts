/** What the articles say that DRA does, shown on a running `dray up`; docs/seeds.md says which statement each test proves. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { AllocatedDeviceStatus, DeviceRequest, Role, RoleBinding } from '#api';
import { asError } from '#base';
import { DEVICE_CLASSES, EVENTS, PODS, RESOURCE_CLAIMS, RESOURCE_CLAIM_TEMPLATES, RESOURCE_SLICES, type Resource } from '#client';
import { ApiError } from '#machinery';
import { unixGrpc } from '#platform';
import { callUnary, podResourcesV1 } from '#wire';
import { eventually, SeedCluster } from './cluster.ts';
import { startHealthDriver } from './health-driver.ts';

const RBAC = { group: 'rbac.authorization.k8s.io', version: 'v1', namespaced: true };
const ROLES: Resource<Role> = { ...RBAC, plural: 'roles', kind: 'Role' };
const ROLE_BINDINGS: Resource<RoleBinding> = { ...RBAC, plural: 'rolebindings', kind: 'RoleBinding' };
const GPU = 'gpu.example.com';
const NET = 'net.example.com';

let cluster: SeedCluster;
before(async () => {
  cluster = await SeedCluster.start();
  await cluster.addClass(GPU);
  await cluster.addClass(NET);
  await cluster.addDriver(NET);
});
after(() => cluster.stop());

/** A request for one GPU of the preset with eight GPUs a node, or as `more` says. */
const gpu = (name: string, more: Partial<NonNullable<DeviceRequest['exactly']>> = {}): DeviceRequest => ({
  name,
  exactly: { deviceClassName: GPU, selectors: [{ cel: { expression: `device.attributes["${GPU}"].type == "gpu"` } }], ...more },
});

const onNet = (name: string, capacity?: Readonly<Record<string, string>>): DeviceRequest => ({
  name,
  exactly: { deviceClassName: NET, ...(capacity === undefined ? {} : { capacity: { requests: capacity } }) },
});

/** One device of the given kind: tests that run at once must not take each other's. */
const ofKind = (kind: string): DeviceRequest => ({
  name: kind,
  exactly: { deviceClassName: NET, selectors: [{ cel: { expression: `device.attributes["${NET}"].kind == "${kind}"` } }] },
});

/** The phase and reason of a claim's pod are no business of the allocation: this reads the claim alone. */
const isAllocated = async (namespace: string, name: string): Promise<boolean> =>
  (await cluster.client.get(RESOURCE_CLAIMS, name, namespace)).status?.allocation !== undefined;

/** The message with which the API server refuses what `write` tries. */
async function refusalOf(write: Promise<unknown>): Promise<string> {
  const outcome = await write.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof ApiError, 'it was not refused');
  return outcome.message;
}

/** Runs `check` while a slice is there, published by hand. */
async function withSlice(...[name, spec, check]: [...Parameters<SeedCluster['addSlice']>, () => Promise<void>]): Promise<void> {
  await cluster.addSlice(name, spec);
  try {
    await check();
  } finally {
    await cluster.client.delete(RESOURCE_SLICES, name);
  }
}

test('a claim is allocated when a pod asks for it, not before', () =>
  cluster.inNamespace('delayed', async (namespace) => {
    await cluster.addClaim(namespace, 'idle', { requests: [gpu('gpu')] });
    await cluster.addClaim(namespace, 'asked', { requests: [gpu('gpu')] });
    await cluster.addPod(namespace, 'pod', ['asked']);
    await cluster.running(namespace, 'pod');
    assert.equal(await isAllocated(namespace, 'idle'), false);
    await cluster.addPod(namespace, 'late', ['idle']);
    await cluster.running(namespace, 'late');
    assert.equal(await isAllocated(namespace, 'idle'), true);
  }));

test('a pod with two entries for a template gets two claims with a device each', () =>
  cluster.inNamespace('two-entries', async (namespace) => {
    await cluster.client.create(RESOURCE_CLAIM_TEMPLATES, { metadata: { namespace, name: 'one' }, spec: { spec: { devices: { requests: [gpu('gpu')] } } } });
    const resourceClaims = ['a', 'b'].map((name) => ({ name, resourceClaimTemplateName: 'one' }));
    await cluster.addPod(namespace, 'pod', ['a', 'b'], { resourceClaims });
    const { status } = await cluster.running(namespace, 'pod');
    const claims = (status?.resourceClaimStatuses ?? []).map(({ resourceClaimName = '' }) => resourceClaimName);
    assert.equal(new Set(claims).size, 2);
    const devices = (await Promise.all(claims.map((claim) => cluster.results(namespace, claim)))).flat();
    assert.equal(new Set(devices.map(({ device }) => device)).size, 2);
  }));

test('two containers of a pod that name one claim get its device, a third one does not', () =>
  cluster.inNamespace('containers', async (namespace) => {
    await cluster.addClaim(namespace, 'claim', { requests: [gpu('gpu')] });
    const image = 'example.com/any';
    const resources = { claims: [{ name: 'claim' }] };
    const containers = [
      { name: 'a', image, resources },
      { name: 'b', image, resources },
      { name: 'without', image },
    ];
    await cluster.addPod(namespace, 'pod', ['claim'], { containers });
    await cluster.running(namespace, 'pod');
    const [result] = await cluster.results(namespace, 'claim');
    const variable = new RegExp(`GPU_DEVICE_\\d=${result?.device ?? ''}\\b`);
    for (const container of ['a', 'b']) await cluster.log(namespace, 'pod', variable, container);
    assert.doesNotMatch(await cluster.log(namespace, 'pod', /example\.com\/any/, 'without'), /GPU_DEVICE/);
  }));

test('each request of a claim brings its own configuration to its device', () =>
  cluster.inNamespace('configured', async (namespace) => {
    const parameters = { apiVersion: 'gpu.resource.example.com/v1alpha1', kind: 'GpuConfig' };
    const sliced = { ...parameters, sharing: { strategy: 'TimeSlicing', timeSlicingConfig: { interval: 'Long' } } };
    const split = { ...parameters, sharing: { strategy: 'SpacePartitioning', spacePartitioningConfig: { partitionCount: 10 } } };
    await cluster.addClaim(namespace, 'claim', {
      requests: [gpu('sliced'), gpu('split')],
      config: [
        { requests: ['sliced'], opaque: { driver: GPU, parameters: sliced } },
        { requests: ['split'], opaque: { driver: GPU, parameters: split } },
      ],
    });
    await cluster.addPod(namespace, 'pod', ['claim']);
    const log = await cluster.log(namespace, 'pod', /GPU_DEVICE_\d_TIMESLICE_INTERVAL=Long/);
    assert.match(log, /GPU_DEVICE_\d_PARTITION_COUNT=10/);
  }));

test('a class brings its configuration to every device that is asked for by it', () =>
  cluster.inNamespace('class-config', async (namespace) => {
    const sharing = { strategy: 'SpacePartitioning', spacePartitioningConfig: { partitionCount: 3 } };
    const parameters = { apiVersion: 'gpu.resource.example.com/v1alpha1', kind: 'GpuConfig', sharing };
    const selectors = [{ cel: { expression: `device.driver == "${GPU}" && device.attributes["${GPU}"].type == "gpu"` } }];
    await cluster.client.create(DEVICE_CLASSES, { metadata: { name: 'split' }, spec: { selectors, config: [{ opaque: { driver: GPU, parameters } }] } });
    await cluster.addClaim(namespace, 'claim', { requests: [{ name: 'gpu', exactly: { deviceClassName: 'split', count: 2 } }] });
    await cluster.addPod(namespace, 'pod', ['claim']);
    const log = await cluster.log(namespace, 'pod', /_PARTITION_COUNT=3/);
    assert.equal([...log.matchAll(/_PARTITION_COUNT=3$/gm)].length, 2);
  }));

test('a device that names no capacity is shared by as many claims as ask for it', () =>
  withSlice('unlimited', { driver: NET, nodeName: 'node-1', devices: [{ name: 'uplink', allowMultipleAllocations: true }] }, () =>
    cluster.inNamespace('unlimited', async (namespace) => {
      const names = Array.from({ length: 12 }, (_, index) => `claim-${String(index)}`);
      for (const name of names) {
        await cluster.addClaim(namespace, name, { requests: [onNet('net')] });
        await cluster.addPod(namespace, name, [name]);
      }
      const shares = new Set<string | undefined>();
      for (const name of names) for (const { device, shareID } of await cluster.results(namespace, name)) shares.add(`${device} ${shareID ?? ''}`);
      assert.equal(shares.size, names.length);
      for (const name of names) await cluster.running(namespace, name);
    }),
  ));

test('two requests of one claim and the claim of another namespace share one interface by bandwidth', () =>
  withSlice(
    'bandwidth',
    { driver: NET, nodeName: 'node-1', devices: [{ name: 'eth1', allowMultipleAllocations: true, capacity: { bandwidth: { value: '10G' } } }] },
    () =>
      cluster.inNamespace('bandwidth-a', (first) =>
        cluster.inNamespace('bandwidth-b', async (second) => {
          await cluster.addClaim(first, 'both', { requests: [onNet('left', { bandwidth: '4G' }), onNet('right', { bandwidth: '3G' })] });
          await cluster.addPod(first, 'pod', ['both']);
          const results = await cluster.results(first, 'both');
          assert.deepEqual(
            results.map(({ device, consumedCapacity }) => [device, consumedCapacity?.['bandwidth']]),
            [
              ['eth1', '4G'],
              ['eth1', '3G'],
            ],
          );
          assert.notEqual(results[0]?.shareID, results[1]?.shareID);
          await cluster.addClaim(second, 'rest', { requests: [onNet('net', { bandwidth: '3G' })] });
          await cluster.addPod(second, 'pod', ['rest']);
          await cluster.running(second, 'pod');
          await cluster.log(second, 'pod', /GPU_DEVICE_eth1_BANDWIDTH=3G/);
          await cluster.addClaim(second, 'more', { requests: [onNet('net', { bandwidth: '1' })] });
          await cluster.addPod(second, 'full', ['more']);
          assert.match(await cluster.refusal(second, 'full'), /cannot allocate all claims/);
        }),
      ),
  ));

test('a partition of a device can itself be shared, and then the whole device cannot be had', async () => {
  const counters = (value: string) => ({ consumesCounters: [{ counterSet: 'card', counters: { memory: { value } } }] });
  const pool = { name: 'cards', generation: 1, resourceSliceCount: 2 };
  const spec = { driver: NET, nodeName: 'node-1', pool };
  const half = { name: 'half', allowMultipleAllocations: true, capacity: { memory: { value: '20Gi' } }, ...counters('20Gi') };
  const slices = [
    { ...spec, sharedCounters: [{ name: 'card', counters: { memory: { value: '40Gi' } } }] },
    { ...spec, devices: [half, { name: 'whole', ...counters('40Gi') }] },
  ];
  for (const [index, slice] of slices.entries()) await cluster.client.create(RESOURCE_SLICES, { metadata: { name: `cards-${String(index)}` }, spec: slice });
  await cluster.inNamespace('partition', async (namespace) => {
    for (const name of ['a', 'b']) {
      await cluster.addClaim(namespace, name, { requests: [onNet('net', { memory: '10Gi' })] });
      await cluster.addPod(namespace, name, [name]);
      const [result] = await cluster.results(namespace, name);
      assert.deepEqual([result?.device, result?.consumedCapacity], ['half', { memory: '10Gi' }]);
    }
    await cluster.addClaim(namespace, 'c', { requests: [onNet('net')] });
    await cluster.addPod(namespace, 'c', ['c']);
    assert.match(await cluster.refusal(namespace, 'c'), /cannot allocate all claims/);
  });
  for (const index of slices.keys()) await cluster.client.delete(RESOURCE_SLICES, `cards-${String(index)}`);
});

test('the scheduler allocates from slices alone, also when the driver is nowhere', async () => {
  const driver = 'nobody.example.com';
  await cluster.addClass(driver);
  await withSlice('nobody', { driver, nodeName: 'node-2', devices: [{ name: 'd' }] }, () =>
    cluster.inNamespace('nobody', async (namespace) => {
      await cluster.addClaim(namespace, 'claim', { requests: [{ name: 'd', exactly: { deviceClassName: driver } }] });
      await cluster.addPod(namespace, 'pod', ['claim']);
      assert.equal((await cluster.results(namespace, 'claim'))[0]?.device, 'd');
      const bound = await eventually(async () => {
        const pod = await cluster.client.get(PODS, 'pod', namespace);
        return pod.spec?.nodeName === undefined ? undefined : pod;
      });
      assert.deepEqual([bound.spec?.nodeName, bound.status?.phase], ['node-2', 'Pending']);
    }),
  );
});

test('a device in the network is had on every node', () =>
  withSlice('attached', { driver: NET, allNodes: true, devices: [{ name: 'fabric', allowMultipleAllocations: true }] }, () =>
    cluster.inNamespace('attached', async (namespace) => {
      for (const node of ['node-1', 'node-2']) {
        await cluster.addClaim(namespace, node, { requests: [onNet('net')] });
        await cluster.addPod(namespace, node, [node], { nodeSelector: { 'kubernetes.io/hostname': node } });
        assert.equal((await cluster.results(namespace, node))[0]?.device, 'fabric');
      }
      const { status } = await cluster.client.get(RESOURCE_CLAIMS, 'node-2', namespace);
      assert.equal(status?.allocation?.nodeSelector, undefined);
    }),
  ));

test('more than 32 devices in one claim are refused', () =>
  cluster.inNamespace('too-many', async (namespace) => {
    await cluster.addClaim(namespace, 'claim', { requests: [gpu('gpus', { count: 33 })] });
    await cluster.addPod(namespace, 'pod', ['claim']);
    assert.match(await cluster.refusal(namespace, 'pod'), /exceeds the claim limit of 32/);
  }));

test('sixteen pods get the sixteen GPUs of both nodes, and the next one waits until one ends', () =>
  cluster.inNamespace('crowd', async (namespace) => {
    await cluster.client.create(RESOURCE_CLAIM_TEMPLATES, { metadata: { namespace, name: 'one' }, spec: { spec: { devices: { requests: [gpu('gpu')] } } } });
    const names = Array.from({ length: 17 }, (_, index) => `pod-${String(index)}`);
    for (const name of names) await cluster.addPod(namespace, name, ['gpu'], { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'one' }] });
    const allocated = async (): Promise<readonly string[]> =>
      (await cluster.client.list(RESOURCE_CLAIMS, { namespace })).items.flatMap((claim) =>
        (claim.status?.allocation?.devices?.results ?? []).map(({ pool, device }) => `${pool}/${device}`),
      );
    const devices = await eventually(async () => ((await allocated()).length === 16 ? await allocated() : undefined));
    assert.equal(new Set(devices).size, 16);
    const pending = await eventually(async () => {
      const pods = (await cluster.client.list(PODS, { namespace })).items.filter((pod) => pod.spec?.nodeName === undefined);
      return pods.length === 1 ? pods[0]?.metadata.name : undefined;
    });
    assert.match(await cluster.refusal(namespace, pending), /^0\/2 nodes are available: 2 cannot allocate all claims\./);
    await cluster.client.delete(PODS, names.find((name) => name !== pending) ?? '', { namespace, gracePeriodSeconds: 0 });
    await cluster.running(namespace, pending);
  }));

test('claims and templates with adminAccess are refused outside labelled namespaces', async () => {
  const requests = [gpu('gpus', { allocationMode: 'All', adminAccess: true })];
  const forbidden = /adminAccess: Forbidden: admin access to devices requires the `resource\.kubernetes\.io\/admin-access: true` label/;
  const template = (namespace: string) => ({ metadata: { namespace, name: 'all' }, spec: { spec: { devices: { requests } } } });
  const mistaken = { 'resource.k8s.io/admin-access': 'true' };
  await cluster.inNamespace(
    'not-admin',
    async (namespace) => {
      assert.match(await refusalOf(cluster.addClaim(namespace, 'all', { requests })), forbidden);
      assert.match(await refusalOf(cluster.client.create(RESOURCE_CLAIM_TEMPLATES, template(namespace))), forbidden);
    },
    mistaken,
  );
  const label = { 'resource.kubernetes.io/admin-access': 'true' };
  await cluster.inNamespace(
    'admin',
    async (namespace) => {
      await cluster.client.create(RESOURCE_CLAIM_TEMPLATES, template(namespace));
      await cluster.addClaim(namespace, 'user', { requests: [gpu('gpu')] });
      await cluster.addPod(namespace, 'user', ['user'], { nodeSelector: { 'kubernetes.io/hostname': 'node-1' } });
      await cluster.running(namespace, 'user');
      await cluster.addClaim(namespace, 'all', { requests });
      await cluster.addPod(namespace, 'monitor', ['all'], { nodeSelector: { 'kubernetes.io/hostname': 'node-1' } });
      await cluster.running(namespace, 'monitor');
      const results = await cluster.results(namespace, 'all');
      assert.deepEqual([results.length, results.every((result) => result.adminAccess === true)], [8, true]);
    },
    label,
  );
});

test('who may not write in a labelled namespace has no admin access, there or elsewhere', () =>
  cluster.inNamespace(
    'operators',
    (labelled) =>
      cluster.inNamespace('developers', async (plain) => {
        const rules = [{ apiGroups: ['resource.k8s.io'], resources: ['resourceclaims'], verbs: ['create'] }];
        for (const [namespace, name] of [
          [labelled, 'operator'],
          [plain, 'developer'],
        ] as const) {
          await cluster.client.create(ROLES, { metadata: { namespace, name }, rules });
          const subjects = [{ apiGroup: RBAC.group, kind: 'User', name }];
          const roleRef = { apiGroup: RBAC.group, kind: 'Role', name };
          await cluster.client.create(ROLE_BINDINGS, { metadata: { namespace, name }, subjects, roleRef });
        }
        const asks = async (user: string, namespace: string, adminAccess: boolean): Promise<number | undefined> => {
          const spec = { devices: { requests: [gpu('gpu', { adminAccess })] } };
          const path = `/apis/resource.k8s.io/v1/namespaces/${namespace}/resourceclaims`;
          return (await cluster.post(path, JSON.stringify({ metadata: { generateName: 'claim-' }, spec }), { user })).code;
        };
        assert.equal(await eventually(() => asks('operator', labelled, true).then((code) => (code === 403 ? undefined : (code ?? 0)))), 0);
        assert.equal(await asks('developer', labelled, true), 403);
        assert.equal(await asks('developer', plain, true), 422);
        assert.equal(await asks('developer', plain, false), undefined);
      }),
    { 'resource.kubernetes.io/admin-access': 'true' },
  ));

test('of a list of alternatives the first that can be had is taken', () =>
  withSlice(
    'alternatives',
    {
      driver: NET,
      nodeName: 'node-1',
      devices: ['big', 'mid', 'mid', 'mid'].map((size, index) => ({ name: `${size}-${String(index)}`, attributes: { size: { string: size } } })),
    },
    () =>
      cluster.inNamespace('alternatives', async (namespace) => {
        const ofSize = (size: string, count: number) => ({
          name: size,
          deviceClassName: NET,
          count,
          selectors: [{ cel: { expression: `device.attributes["${NET}"].size == "${size}"` } }],
        });
        const taken: string[][] = [];
        for (const name of ['first', 'second']) {
          await cluster.addClaim(namespace, name, { requests: [{ name: 'net', firstAvailable: [ofSize('big', 1), ofSize('mid', 2)] }] });
          await cluster.addPod(namespace, name, [name]);
          taken.push((await cluster.results(namespace, name)).map(({ request, device }) => `${request} ${device.replace(/-\d$/, '')}`));
        }
        assert.deepEqual(taken, [['net/big big'], ['net/mid mid', 'net/mid mid']]);
      }),
  ));

test('a pod that asks for an extended resource, and knows nothing of DRA, gets devices of the class that offers it', () =>
  withSlice('cards', { driver: NET, nodeName: 'node-1', devices: [{ name: 'card-0' }, { name: 'card-1' }] }, () =>
    cluster.inNamespace('extended', async (namespace) => {
      const selectors = [{ cel: { expression: `device.driver == "${NET}"` } }];
      await cluster.client.create(DEVICE_CLASSES, { metadata: { name: 'cards' }, spec: { selectors, extendedResourceName: 'example.com/card' } });
      const containers = [{ name: 'main', image: 'example.com/any', resources: { limits: { 'example.com/card': '2' } } }];
      await cluster.addPod(namespace, 'pod', [], { containers, resourceClaims: undefined });
      const { status } = await cluster.running(namespace, 'pod');
      const results = await cluster.results(namespace, status?.extendedResourceClaimStatus?.resourceClaimName ?? '');
      assert.deepEqual(results.map(({ device }) => device).sort(), ['card-0', 'card-1']);
      assert.match(await cluster.log(namespace, 'pod', /GPU_DEVICE_card_0=card-0/), /GPU_DEVICE_card_1=card-1/);
      await cluster.addPod(namespace, 'next', [], { containers, resourceClaims: undefined });
      assert.match(await cluster.refusal(namespace, 'next'), /^0\/2 nodes are available: /);
    }),
  ));

test('a driver reports addresses in the status of a shared device, by its share', () =>
  withSlice('status', { driver: NET, nodeName: 'node-1', devices: [{ name: 'eth2', allowMultipleAllocations: true }] }, () =>
    cluster.inNamespace('device-status', async (namespace) => {
      await cluster.addClaim(namespace, 'claim', { requests: [onNet('net')] });
      await cluster.addPod(namespace, 'pod', ['claim']);
      const [result] = await cluster.results(namespace, 'claim');
      const networkData = { interfaceName: 'net1', ips: ['10.9.8.7/24', 'fd00::7/64'], hardwareAddress: '02:00:00:00:00:07' };
      await reportDevice(namespace, 'claim', { driver: NET, pool: 'status', device: 'eth2', shareID: result?.shareID, networkData, data: { speed: '10G' } });
      const { status } = await cluster.client.get(RESOURCE_CLAIMS, 'claim', namespace);
      assert.deepEqual(status?.devices?.[0]?.networkData, networkData);
      const other = { driver: NET, pool: 'status', device: 'other' };
      assert.match(await refusalOf(reportDevice(namespace, 'claim', other)), /status\.devices\[0\]: Invalid value: .*must be an allocated device in the claim/);
    }),
  ));

test('the PodResources service of a node lists the devices that its pods hold', () =>
  cluster.inNamespace('monitoring', async (namespace) => {
    await cluster.addClaim(namespace, 'claim', { requests: [gpu('gpu', { count: 2 })] });
    await cluster.addPod(namespace, 'pod', ['claim'], { nodeSelector: { 'kubernetes.io/hostname': 'node-2' } });
    await cluster.running(namespace, 'pod');
    const agent = (await unixGrpc()).connect(join(cluster.folder, 'nodes', 'node-2', 'pod-resources', 'kubelet.sock'));
    try {
      const { list } = podResourcesV1.PodResourcesLister.method;
      const { podResources } = await callUnary(agent, list, {}, { deadlineMs: 5_000 });
      const held = podResources.find((pod) => pod.namespace === namespace && pod.name === 'pod')?.containers[0]?.dynamicResources;
      assert.deepEqual([held?.length, held?.[0]?.claimName], [1, 'claim']);
      const devices = held?.[0]?.claimResources.map(({ driverName, poolName, deviceName }) => `${driverName}/${poolName}/${deviceName}`);
      const allocated = (await cluster.results(namespace, 'claim')).map(({ driver, pool, device }) => `${driver}/${pool}/${device}`);
      assert.deepEqual(new Set(devices), new Set(allocated));
      assert.match(held?.[0]?.claimResources[0]?.cdiDevices[0]?.name ?? '', /^k8s\.gpu\.example\.com\/claim=/);
    } finally {
      agent.close();
    }
  }));

test('the status of a pod tells the health of its devices as their driver reports it', async () => {
  const driver = 'health.example.com';
  await cluster.addClass(driver);
  const health = await startHealthDriver(cluster, driver, 'health');
  await withSlice('health', { driver, nodeName: 'node-1', devices: [{ name: 'd0' }] }, () =>
    cluster.inNamespace('health', async (namespace) => {
      health.report('d0', true, '');
      await cluster.addClaim(namespace, 'claim', { requests: [{ name: 'd', exactly: { deviceClassName: driver } }] });
      await cluster.addPod(namespace, 'pod', ['claim']);
      await cluster.running(namespace, 'pod');
      const shown = (expected: string): Promise<unknown> =>
        eventually(async () => {
          const { status } = await cluster.client.get(PODS, 'pod', namespace);
          const [resource] = status?.containerStatuses?.[0]?.allocatedResourcesStatus ?? [];
          return resource?.resources?.[0]?.health === expected ? resource : undefined;
        });
      assert.deepEqual(await shown('Healthy'), { name: 'claim:claim', resources: [{ resourceID: 'health.example.com/health/d0', health: 'Healthy' }] });
      health.report('d0', false, 'too hot');
      assert.match(JSON.stringify(await shown('Unhealthy')), /"message":"too hot"/);
    }),
  );
  await health.stop();
});

/** These wait for periods of the scheduler and the node agent, so they run at once. */
describe('with patience', { concurrency: true }, () => {
  test('a pod that names its node waits until its claim is allocated, is then reserved, and runs', () =>
    cluster.inNamespace('pre-scheduled', async (namespace) => {
      await cluster.addClaim(namespace, 'claim', { requests: [gpu('gpu')] });
      const node = { nodeName: 'node-1' };
      await cluster.addPod(namespace, 'placed', ['claim'], node);
      await eventually(async () => {
        const { items } = await cluster.client.list(EVENTS, { namespace });
        return items.length > 0 ? true : undefined;
      });
      assert.equal((await cluster.client.get(PODS, 'placed', namespace)).status?.phase, 'Pending');
      await cluster.addPod(namespace, 'scheduled', ['claim'], { nodeSelector: { 'kubernetes.io/hostname': 'node-1' } });
      await cluster.running(namespace, 'placed');
      const { status } = await cluster.client.get(RESOURCE_CLAIMS, 'claim', namespace);
      assert.deepEqual(new Set(status?.reservedFor?.map(({ name }) => name)), new Set(['placed', 'scheduled']));
    }));

  test('a pod is bound when the binding conditions of its device are true, and not before', () =>
    withSlice(
      'binding',
      {
        driver: NET,
        nodeName: 'node-1',
        devices: [
          {
            name: 'fpga',
            attributes: { kind: { string: 'attached' } },
            bindsToNode: true,
            bindingConditions: ['example.com/attached'],
            bindingFailureConditions: ['example.com/broken'],
          },
        ],
      },
      () =>
        cluster.inNamespace('binding', async (namespace) => {
          await cluster.addClaim(namespace, 'claim', { requests: [ofKind('attached')] });
          await cluster.addPod(namespace, 'pod', ['claim']);
          const [result] = await cluster.results(namespace, 'claim');
          assert.deepEqual(result?.bindingConditions, ['example.com/attached']);
          assert.equal((await cluster.client.get(PODS, 'pod', namespace)).spec?.nodeName, undefined);
          const condition = {
            type: 'example.com/attached',
            status: 'True',
            reason: 'Attached',
            message: '',
            lastTransitionTime: '2026-01-01T00:00:00Z',
          } as const;
          await reportDevice(namespace, 'claim', { driver: NET, pool: 'binding', device: 'fpga', conditions: [condition] });
          assert.equal((await cluster.running(namespace, 'pod')).spec?.nodeName, 'node-1');
        }),
    ));

  test('a device that reports a binding failure is given back, and the pod gets another one', async () => {
    const conditions = {
      attributes: { kind: { string: 'broken' } },
      bindsToNode: true,
      bindingConditions: ['example.com/attached'],
      bindingFailureConditions: ['example.com/broken'],
    };
    const devices = ['one', 'two'].map((name) => ({ name, ...conditions }));
    await withSlice('failing', { driver: NET, nodeName: 'node-1', devices }, () =>
      cluster.inNamespace('binding-failure', async (namespace) => {
        await cluster.addClaim(namespace, 'claim', { requests: [ofKind('broken')] });
        await cluster.addPod(namespace, 'pod', ['claim']);
        const [first] = await cluster.results(namespace, 'claim');
        const broken = {
          type: 'example.com/broken',
          status: 'True',
          reason: 'Broken',
          message: 'no link',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        } as const;
        await reportDevice(namespace, 'claim', { driver: NET, pool: 'failing', device: first?.device ?? '', conditions: [broken] });
        await eventually(async () => {
          const { items } = await cluster.client.list(EVENTS, { namespace });
          return items.some(({ message }) => message?.includes('device binding failed') === true) ? true : undefined;
        });
        await eventually(async () => {
          const { status } = await cluster.client.get(RESOURCE_CLAIMS, 'claim', namespace);
          return status?.allocation !== undefined && status.devices === undefined ? true : undefined;
        });
        const attached = { type: 'example.com/attached', status: 'True', reason: 'Attached', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' } as const;
        const [again] = await cluster.results(namespace, 'claim');
        await reportDevice(namespace, 'claim', { driver: NET, pool: 'failing', device: again?.device ?? '', conditions: [attached] });
        await cluster.running(namespace, 'pod');
      }),
    );
  });
});

/** Writes the status of a claim's one device as its driver does, again when another writer was faster. */
async function reportDevice(namespace: string, name: string, device: AllocatedDeviceStatus): Promise<void> {
  const refused = await eventually<Error | null>(async () => {
    const claim = await cluster.client.get(RESOURCE_CLAIMS, name, namespace);
    return cluster.client.updateStatus(RESOURCE_CLAIMS, { ...claim, status: { ...claim.status, devices: [device] } }).then(
      () => null,
      (error: unknown) => (error instanceof ApiError && error.code === 409 ? undefined : asError(error)),
    );
  });
  if (refused !== null) throw refused;
}
