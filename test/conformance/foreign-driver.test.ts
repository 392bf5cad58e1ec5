/** A driver on upstream's helper package under dray's node agent, each component a process of its own. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PODS, RESOURCE_CLAIMS, RESOURCE_SLICES } from '#client';
import { createPod, deletePod, deviceFile, inSeparateCluster, messagesOf, NODE, podIn } from '../e2e/separate.ts';
import { eventually } from '../e2e/dray.ts';
import { DRIVER, startForeignDriver, WITHOUT_FOREIGN_DRIVER } from './foreign-driver.ts';

const options = { skip: WITHOUT_FOREIGN_DRIVER };
const calls = (events: readonly { readonly method?: string }[], method: string): number => events.filter((event) => event.method?.endsWith(method)).length;

test('it registers, publishes, and a pod gets its CDI device until it is deleted', options, () =>
  inSeparateCluster(async (cluster) => {
    const { client, rootDir } = cluster;
    const driver = startForeignDriver(cluster, `--devices=${deviceFile(cluster.folder, 'gpu-0')}`);
    try {
      await driver.seen((event) => event.method === '/pluginregistration.Registration/NotifyRegistrationStatus' && event['code'] === 'OK');
      const slice = await eventually(async () => (await client.list(RESOURCE_SLICES)).items[0]);
      assert.deepEqual(slice.spec, {
        driver: DRIVER,
        nodeName: NODE,
        pool: { name: NODE, generation: 1, resourceSliceCount: 1 },
        devices: [{ name: 'gpu-0' }],
      });

      await createPod(client, DRIVER, 'p', 'env | grep ^DRA_; sleep 60');
      const pod = await podIn(client, 'p', 'Running');
      const claim = (await client.list(RESOURCE_CLAIMS, { namespace: 'default' })).items[0];
      assert.equal(claim?.status?.allocation?.devices?.results?.[0]?.device, 'gpu-0');
      const log = join(rootDir, 'logs', pod.metadata.uid ?? '', 'main.log');
      await eventually(async () => readFileSync(log, 'utf8') === `DRA_GPU_GPU_0=${NODE}\n` || undefined);
      assert.deepEqual(readdirSync(join(rootDir, 'cdi')), [`k8s.${DRIVER}-claim_${claim?.metadata.uid ?? ''}.json`]);

      await deletePod(client, 'p');
      assert.deepEqual(readdirSync(join(rootDir, 'cdi')), []);
      assert.equal(calls(driver.events, 'v1.DRAPlugin/NodePrepareResources'), 1);
      assert.equal(calls(driver.events, 'v1.DRAPlugin/NodeUnprepareResources'), 1);
      assert.equal(driver.events.filter((event) => event.event === 'background-error').length, 0);
    } finally {
      await driver.stop();
    }
  }),
);

test('a driver that only speaks v1beta1 is called in it', options, () =>
  inSeparateCluster(async (cluster) => {
    const driver = startForeignDriver(cluster, '--v1=false', `--devices=${deviceFile(cluster.folder, 'gpu-0')}`);
    try {
      await createPod(cluster.client, DRIVER, 'p', 'echo done');
      await podIn(cluster.client, 'p', 'Succeeded');
      await driver.seen((event) => event.method === '/k8s.io.kubelet.pkg.apis.dra.v1beta1.DRAPlugin/NodeUnprepareResources' && event['code'] === 'OK');
      assert.equal(calls(driver.events, 'v1beta1.DRAPlugin/NodePrepareResources'), 1);
    } finally {
      await driver.stop();
    }
  }),
);

test('a driver that panics while it prepares is named in an event; started again, the pod runs', options, () =>
  inSeparateCluster(async (cluster) => {
    const { client } = cluster;
    const devices = `--devices=${deviceFile(cluster.folder, 'gpu-0')}`;
    const first = startForeignDriver(cluster, devices, '--fail-prepare=panic');
    await createPod(client, DRIVER, 'p', 'sleep 60');
    await eventually(async () => (await messagesOf(client, 'p')).some((text) => PANICKED.test(text)) || undefined);
    await first.stop('SIGKILL');
    const second = startForeignDriver(cluster, devices);
    try {
      await podIn(client, 'p', 'Running');
      await deletePod(client, 'p');
      assert.equal(calls(second.events, 'NodeUnprepareResources'), 1);
    } finally {
      await second.stop();
    }
  }),
);

const PANICKED =
  /^Failed to prepare dynamic resources: NodePrepareResources: the DRA driver gpu\.example\.com ended or cannot be reached \([^()]+\); it is asked again when it is back$/;

test('the health that it reports is in the status of the pod', options, () =>
  inSeparateCluster(async (cluster) => {
    const { client } = cluster;
    const driver = startForeignDriver(cluster, `--devices=${deviceFile(cluster.folder, 'gpu-0')}`);
    try {
      await createPod(client, DRIVER, 'p', 'sleep 60');
      await podIn(client, 'p', 'Running');
      driver.command({ op: 'health', health: [{ pool: NODE, device: 'gpu-0', health: 'Unhealthy', message: 'fan stopped' }] });
      await eventually(async () => {
        const pod = await client.get(PODS, 'p', 'default');
        const status = pod.status?.containerStatuses?.[0]?.allocatedResourcesStatus?.[0];
        const { health, message } = status?.resources?.[0] ?? {};
        return (status?.name === 'claim:gpu' && health === 'Unhealthy' && message === 'fan stopped') || undefined;
      });
    } finally {
      await driver.stop();
    }
  }),
);

test('a container reads what its device is from the file that the driver wrote', options, () =>
  inSeparateCluster(async (cluster) => {
    const { client, rootDir } = cluster;
    const driver = startForeignDriver(cluster, '--metadata', `--devices=${deviceFile(cluster.folder, 'gpu-0')}`);
    try {
      await createPod(client, DRIVER, 'p', 'sleep 60');
      const pod = await podIn(client, 'p', 'Running');
      const config = readFileSync(join(rootDir, 'bundles', pod.metadata.uid ?? '', 'main', 'config.json'), 'utf8');
      assert.match(config, new RegExp(`/var/run/kubernetes.io/dra-device-attributes/resourceclaimtemplates/gpu/gpu/${DRIVER}-metadata.json`));
    } finally {
      await driver.stop();
    }
  }),
);
