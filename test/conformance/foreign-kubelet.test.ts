/** dray's example driver under upstream's kubelet: registration, prepare, pod resources, health and unprepare as the kubelet sees them. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Pod } from '#api';
import { DEVICE_CLASSES, NODES, PODS, RESOURCE_CLAIMS, RESOURCE_SLICES, type RestClient } from '#client';
import { type Dray, dray, eventually, freePort, inFolder, readyClient } from '../e2e/dray.ts';
import { deviceFile, NODE } from '../e2e/separate.ts';
import { type ForeignKubelet, startForeignKubelet, WITHOUT_FOREIGN_KUBELET } from './foreign-kubelet.ts';

const DRIVER = 'gpu.example.com';
const UID = /^[0-9a-f-]{36}$/;

interface World {
  readonly client: RestClient;
  readonly kubelet: ForeignKubelet;
  readonly rootDir: string;
  readonly startDriver: () => Dray;
}

/** dray's API server, upstream's kubelet, dray's driver; no other component. */
function inWorld(check: (world: World) => Promise<void>): Promise<void> {
  return inFolder(async (folder) => {
    const apiserver = dray('apiserver', '--data-dir', folder, '--secure-port', String(await freePort()), '--disable-admission-plugins', 'ServiceAccount');
    const drivers: Dray[] = [];
    let kubelet: ForeignKubelet | undefined;
    try {
      const client = await readyClient(apiserver, folder);
      await client.create(NODES, { metadata: { name: NODE } });
      await client.create(DEVICE_CLASSES, { metadata: { name: 'gpu' }, spec: {} });
      const kubeconfig = join(folder, 'kubeconfig');
      const rootDir = join(folder, 'k');
      kubelet = await startForeignKubelet(`--kubeconfig=${kubeconfig}`, `--node-name=${NODE}`, `--root-dir=${rootDir}`);
      const startDriver = (): Dray => {
        const file = deviceFile(folder, 'gpu-0', 'gpu-1');
        const driver = dray('driver', 'run', file, '--kubeconfig', kubeconfig, '--node-name', NODE, '--root-dir', rootDir);
        drivers.push(driver);
        return driver;
      };
      await check({ client, kubelet, rootDir, startDriver });
    } finally {
      await kubelet?.stop();
      for (const { child } of [...drivers, apiserver]) child.kill('SIGTERM');
      await Promise.all([...drivers, apiserver].map((run) => run.ended));
    }
  });
}

function registered(kubelet: ForeignKubelet): Promise<boolean> {
  return eventually(async () => (await kubelet.ask('plugin', { driver: DRIVER })).ok || undefined);
}

/** A pod with a claim that is allocated gpu-1 and reserved for it, as scheduler and controllers would leave them. */
async function podWithClaim(client: RestClient): Promise<Pod> {
  const pod = await client.create(PODS, {
    metadata: { name: 'p', namespace: 'default' },
    spec: {
      nodeName: NODE,
      containers: [{ name: 'main', image: 'example.com/any:1', resources: { claims: [{ name: 'gpu' }] } }],
      resourceClaims: [{ name: 'gpu', resourceClaimName: 'c' }],
    },
  });
  const claim = await client.create(RESOURCE_CLAIMS, {
    metadata: { name: 'c', namespace: 'default' },
    spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }] } },
  });
  await client.updateStatus(RESOURCE_CLAIMS, {
    ...claim,
    status: {
      allocation: { devices: { results: [{ request: 'gpu', driver: DRIVER, pool: NODE, device: 'gpu-1' }] } },
      reservedFor: [{ resource: 'pods', name: 'p', uid: pod.metadata.uid ?? '' }],
    },
  });
  return pod;
}

const options = { skip: WITHOUT_FOREIGN_KUBELET };

test('the kubelet registers the driver, prepares, shows and unprepares what it serves', options, () =>
  inWorld(async ({ client, kubelet, rootDir, startDriver }) => {
    startDriver();
    await registered(kubelet);
    const slice = await eventually(async () => (await client.list(RESOURCE_SLICES)).items[0]);
    assert.deepEqual(
      slice.spec.devices?.map((device) => device.name),
      ['gpu-0', 'gpu-1'],
    );

    const pod = await podWithClaim(client);
    const { uid = '' } = (await client.get(RESOURCE_CLAIMS, 'c', 'default')).metadata;
    assert.match(uid, UID);
    const name = `k8s.${DRIVER}/claim=${uid}-gpu-1`;
    assert.deepEqual(await answer(kubelet, 'prepare', { pod }), { main: [name] });
    assert.deepEqual(readdirSync(join(rootDir, 'cdi')), [`k8s.${DRIVER}-claim_${uid}.json`]);

    const device = { cdi_devices: [{ name }], driver_name: DRIVER, pool_name: NODE, device_name: 'gpu-1' };
    const dynamic = [{ claim_name: 'c', claim_namespace: 'default', claim_resources: [device] }];
    assert.deepEqual(await answer(kubelet, 'pod-resources', { call: 'list' }), {
      pod_resources: [{ name: 'p', namespace: 'default', containers: [{ name: 'main', dynamic_resources: dynamic }] }],
    });

    await answer(kubelet, 'unprepare', { pod });
    assert.deepEqual(readdirSync(join(rootDir, 'cdi')), []);
    await answer(kubelet, 'unprepare', { pod });
  }),
);

test('a driver that was killed answers a repeated prepare as before, and unprepares a claim that is gone', options, () =>
  inWorld(async ({ client, kubelet, rootDir, startDriver }) => {
    const first = startDriver();
    await registered(kubelet);
    const pod = await podWithClaim(client);
    const before = await answer(kubelet, 'prepare', { pod });
    first.child.kill('SIGKILL');
    await first.ended;
    startDriver();
    await answer(kubelet, 'restart');
    await registered(kubelet);
    const again = await eventually(async () => {
      const { ok, result } = await kubelet.ask('prepare', { pod });
      return ok ? result : undefined;
    });
    // The kubelet of 1.36 adds the repeated answer to what it knew, so a name may come twice.
    const names = (prepared: unknown): readonly string[] => [...new Set((prepared as { main: readonly string[] }).main)];
    assert.deepEqual(names(again), names(before));

    await client.delete(RESOURCE_CLAIMS, 'c', { namespace: 'default' });
    await answer(kubelet, 'unprepare', { pod });
    assert.deepEqual(existsSync(join(rootDir, 'cdi')) ? readdirSync(join(rootDir, 'cdi')) : [], []);
  }),
);

/** The result of a command that must succeed. */
async function answer(kubelet: ForeignKubelet, op: string, more: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
  const { ok, result, error } = await kubelet.ask(op, more);
  assert.equal(ok, true, `${op}: ${error ?? ''}`);
  return result;
}
