/** What the articles say of releases, versions and feature gates: API servers of `dray up --emulated-version`. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { featureGates, type ResourceSlice } from '#api';
import { EVENTS, NODES, PODS, RESOURCE_CLAIM_TEMPLATES, RESOURCE_CLAIMS, RESOURCE_SLICES } from '#client';
import { dray } from '../../e2e/dray.ts';
import { eventually, KUBECTL, manifest, type Printed, SeedCluster } from './cluster.ts';

/** Runs `check` against an API server that was started with flags. */
async function withServer(flags: readonly string[], check: (server: SeedCluster) => Promise<void>): Promise<void> {
  const server = await SeedCluster.start('--components', 'apiserver', '--disable-admission-plugins', 'ServiceAccount', ...flags);
  try {
    await check(server);
  } finally {
    await server.stop();
  }
}

/** `kubectl get deviceclasses`, or dray's own where there is no kubectl. */
const getDeviceClasses = (server: SeedCluster): Promise<Printed> =>
  KUBECTL ? server.kubectl(['get', 'deviceclasses']) : server.dray(['get', 'deviceclasses']);

test('without DRA kubectl finds no deviceclasses: 1.31 serves none by default', () =>
  withServer(['--emulated-version', '1.31'], async (server) => {
    const { code, output } = await getDeviceClasses(server);
    assert.equal(code, 1);
    assert.match(output, /the server doesn't have a resource type "deviceclasses"/);
  }));

test('with gate and API version switched on, 1.31 has no deviceclasses yet and takes those of the introduction', () =>
  withServer(
    ['--emulated-version', '1.31', '--feature-gates', 'DynamicResourceAllocation=true', '--runtime-config', 'resource.k8s.io/v1alpha3=true'],
    async (server) => {
      assert.match((await getDeviceClasses(server)).output, /^No resources found$/m);
      for (const name of ['01-device-class', '02-claim', '03-template', '04-slice']) {
        const { code, output } = await server.apply(manifest(`${name}.printed.yaml`));
        assert.equal(code, 0, output);
      }
      assert.match((await getDeviceClasses(server)).output, /^NAME +AGE\ndevice\.com /m);
    },
  ));

test('without the feature gate, and before 1.34 that is the default, pods lose their claims', async () => {
  const claimsOf = async (...flags: readonly string[]): Promise<unknown> => {
    let kept: unknown;
    await withServer(flags, async (server) => {
      const { spec } = await server.addPod('default', 'pod', ['claim']);
      kept = [spec?.resourceClaims?.length, spec?.containers?.[0]?.resources?.claims?.length];
    });
    return kept;
  };
  assert.deepEqual(await claimsOf('--emulated-version', '1.33'), [undefined, undefined]);
  assert.deepEqual(await claimsOf('--emulated-version', '1.33', '--feature-gates', 'DynamicResourceAllocation=true'), [1, 1]);
  assert.deepEqual(await claimsOf('--emulated-version', '1.34'), [1, 1]);
});

test('the scheduler has the plugin DynamicResources if and only if the feature gate is on', () =>
  withServer([], async (server) => {
    await withNode(server);
    await server.addClaim('default', 'claim', { requests: [{ name: 'd', exactly: { deviceClassName: 'nothing.example.com' } }] });
    await withComponent('scheduler', server, ['--emulated-version', '1.33'], async () => {
      await server.addPod('default', 'without', ['claim']);
      await bound(server, 'without');
    });
    await withComponent('scheduler', server, ['--emulated-version', '1.33', '--feature-gates', 'DynamicResourceAllocation=true'], async () => {
      await server.addPod('default', 'with', ['claim']);
      assert.match(await server.refusal('default', 'with'), /device class nothing\.example\.com does not exist/);
    });
  }));

test('a scheduler configuration leaves the plugin DynamicResources out, or names it again', () =>
  withServer([], async (server) => {
    await withNode(server);
    await server.addClaim('default', 'claim', { requests: [{ name: 'd', exactly: { deviceClassName: 'nothing.example.com' } }] });
    const configured = async (plugins: object, check: () => Promise<void>): Promise<void> => {
      const file = join(server.folder, 'scheduler.yaml');
      const profiles = [{ plugins: { multiPoint: plugins } }];
      writeFileSync(file, JSON.stringify({ apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration', profiles }));
      await withComponent('scheduler', server, ['--config', file], check);
    };
    const list = [{ name: 'DynamicResources' }];
    await configured({ disabled: list }, async () => {
      await server.addPod('default', 'without', ['claim']);
      await bound(server, 'without');
    });
    await configured({ disabled: list, enabled: list }, async () => {
      await server.addPod('default', 'with', ['claim']);
      assert.match(await server.refusal('default', 'with'), /device class nothing\.example\.com does not exist/);
    });
  }));

const OFF = ['--emulated-version', '1.33'];
const ON = [...OFF, '--feature-gates', 'DynamicResourceAllocation=true'];

test('the controller manager makes claims from templates where the feature gate is on', () =>
  withServer([], async (server) => {
    const spec = { spec: { devices: { requests: [{ name: 'd', exactly: { deviceClassName: 'nothing.example.com' } }] } } };
    await server.client.create(RESOURCE_CLAIM_TEMPLATES, { metadata: { namespace: 'default', name: 'one' }, spec });
    await server.addPod('default', 'pod', ['d'], { resourceClaims: [{ name: 'd', resourceClaimTemplateName: 'one' }] });
    const claims = async (): Promise<number> => (await server.client.list(RESOURCE_CLAIMS)).items.length;
    // The end of a namespace shows that the controllers are at work.
    await withComponent('controller-manager', server, OFF, () => server.inNamespace('probe', () => Promise.resolve()));
    assert.equal(await claims(), 0);
    await withComponent('controller-manager', server, ON, async () => {
      await eventually(async () => ((await claims()) === 1 ? true : undefined));
    });
  }));

test('the node agent holds back pods until their claims are prepared where the feature gate is on', () =>
  withServer([], async (server) => {
    const node = ['--node-name', 'node', '--root-dir', join(server.folder, 'node')];
    await withComponent('nodeagent', server, [...node, ...OFF], async () => {
      await server.addPod('default', 'without', ['claim'], { nodeName: 'node' });
      await server.running('default', 'without');
    });
    await withComponent('nodeagent', server, [...node, ...ON], async () => {
      await server.addPod('default', 'with', ['claim'], { nodeName: 'node' });
      await eventually(async () => {
        const { items } = await server.client.list(EVENTS, { namespace: 'default' });
        return items.find(({ involvedObject, reason }) => involvedObject.name === 'with' && reason === 'FailedPrepareDynamicResources');
      });
      assert.equal((await server.client.get(PODS, 'with', 'default')).status?.phase, 'Pending');
    });
  }));

/** A node that is ready for pods, without an agent. */
async function withNode({ client }: SeedCluster): Promise<void> {
  const capacity = { cpu: '4', memory: '8Gi', pods: '110' };
  await client.create(NODES, { metadata: { name: 'node' }, status: { capacity, allocatable: capacity, conditions: [{ type: 'Ready', status: 'True' }] } });
}

/** Runs `check` beside a component that is a process of its own. */
async function withComponent(name: string, { folder }: SeedCluster, flags: readonly string[], check: () => Promise<void>): Promise<void> {
  const component = dray(name, '--kubeconfig', join(folder, 'kubeconfig'), ...flags);
  try {
    await check();
  } finally {
    component.child.kill('SIGTERM');
    await component.ended;
  }
}

const bound = ({ client }: SeedCluster, pod: string): Promise<string> =>
  eventually(async () => (await client.get(PODS, pod, 'default')).spec?.nodeName ?? undefined);

test('1.34 serves v1 without any flag, and the versions before it to those who ask', async () => {
  await withServer(['--emulated-version', '1.34'], async (server) => {
    assert.match((await getDeviceClasses(server)).output, /^No resources found$/m);
    assert.equal((await server.post('/apis/resource.k8s.io/v1beta1/deviceclasses', manifest('06-beta-class.restored.yaml'))).code, 404);
  });
  await withServer(['--emulated-version', '1.34', '--runtime-config', 'resource.k8s.io/v1beta1=true'], async (server) => {
    assert.equal((await server.post('/apis/resource.k8s.io/v1beta1/deviceclasses', manifest('06-beta-class.restored.yaml'))).code, undefined);
  });
});

test('consumable capacity is off in 1.34, and switched on by its feature gate', async () => {
  const devicesKept = async (server: SeedCluster): Promise<unknown> => {
    await server.post('/apis/resource.k8s.io/v1/resourceslices', manifest('09-capacity-slice.corrected.yaml'));
    const { spec } = await server.client.get(RESOURCE_SLICES, 'shared-gpus');
    return spec.devices?.[0];
  };
  await withServer(['--emulated-version', '1.34'], async (server) => {
    assert.deepEqual(await devicesKept(server), { name: 'gpu0', capacity: { memory: { value: '40Gi' } } });
  });
  await withServer(['--emulated-version', '1.34', '--feature-gates', 'DRAConsumableCapacity=true'], async (server) => {
    const requestPolicy = { default: '5Gi', validRange: { min: '5Gi', step: '5Gi' } };
    assert.deepEqual(await devicesKept(server), { name: 'gpu0', allowMultipleAllocations: true, capacity: { memory: { value: '40Gi', requestPolicy } } });
  });
});

test('partitionable devices came with 1.33: before, a slice keeps no counters', async () => {
  const alpha = 'resource.k8s.io/v1alpha3';
  const card = JSON.stringify({
    apiVersion: alpha,
    kind: 'ResourceSlice',
    metadata: { name: 'cards' },
    spec: {
      driver: 'gpu.example.com',
      nodeName: 'node-1',
      pool: { name: 'cards', generation: 1, resourceSliceCount: 1 },
      sharedCounters: [{ name: 'card', counters: { memory: { value: '40Gi' } } }],
    },
  });
  const kept = async (release: string, ...gates: readonly string[]): Promise<unknown> => {
    let counters: unknown;
    const flags = ['--emulated-version', release, '--runtime-config', `${alpha}=true`, '--feature-gates', ['DynamicResourceAllocation=true', ...gates].join()];
    await withServer(flags, async (server) => {
      const { spec } = (await server.post(`/apis/${alpha}/resourceslices`, card)) as Partial<ResourceSlice>;
      counters = spec?.sharedCounters;
    });
    return counters;
  };
  assert.equal(await kept('1.32'), undefined);
  assert.deepEqual(await kept('1.33', 'DRAPartitionableDevices=true'), [{ name: 'card', counters: { memory: { value: '40Gi' } } }]);
});

test('in 1.34 the features of DRA at beta are on, those at alpha are not', () => {
  const gates = featureGates('1.34');
  for (const beta of [
    'DynamicResourceAllocation',
    'DRAAdminAccess',
    'DRAPrioritizedList',
    'DRAResourceClaimDeviceStatus',
    'KubeletPodResourcesDynamicResources',
  ])
    assert.equal(gates.get(beta), true, beta);
  for (const alpha of ['DRAExtendedResource', 'DRAConsumableCapacity', 'DRADeviceBindingConditions', 'DRAPartitionableDevices', 'ResourceHealthStatus'])
    assert.equal(gates.get(alpha), false, alpha);
});

test('device status is kept where its feature gate is on', async () => {
  const kept = async (server: SeedCluster): Promise<unknown> => {
    const claim = await server.addClaim('default', 'claim', { requests: [{ name: 'net', exactly: { deviceClassName: 'net.example.com' } }] });
    const device = { driver: 'net.example.com', pool: 'p', device: 'd' };
    const allocation = { devices: { results: [{ ...device, request: 'net' }] } };
    const devices = [{ ...device, networkData: { ips: ['10.9.8.7/24'] } }];
    return (await server.client.updateStatus(RESOURCE_CLAIMS, { ...claim, status: { allocation, devices } })).status?.devices?.[0]?.networkData;
  };
  await withServer([], async (server) => assert.deepEqual(await kept(server), { ips: ['10.9.8.7/24'] }));
  await withServer(['--feature-gates', 'DRAResourceClaimDeviceStatus=false'], async (server) => assert.equal(await kept(server), undefined));
});

test('the flag of the articles is refused as printed, for the gate called "..."', async () => {
  const { code, stderr } = await dray('up', '--feature-gates=...,DRAConsumableCapacity=true').ended;
  assert.equal(code, 1);
  assert.match(stderr, /^dray: --feature-gates \.\.\.: /);
});
