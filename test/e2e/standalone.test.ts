/** `dray nodeagent` and `dray driver run` alone, beside components that are processes of their own. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NODES, RESOURCE_SLICES } from '#client';
import { dray, eventually, freePort, inFolder } from './dray.ts';
import { createPod, deletePod, inSeparateCluster, NODE, podIn } from './separate.ts';

const DRIVER = 'gpu.example.com';

test('a driver with the devices of a file registers with a node agent, and a pod gets one of them', () =>
  inSeparateCluster(async (cluster) => {
    const { client, folder, kubeconfig, rootDir } = cluster;
    const file = join(folder, 'devices.json');
    const device = { name: 'gpu-7', attributes: { model: { string: 'own' } }, capacity: { memory: { value: '1Gi' } } };
    const slices = [{ devices: [device] }];
    writeFileSync(file, JSON.stringify({ pools: { [NODE]: { generation: 3, slices }, elsewhere: { allNodes: true, slices } } }));
    const driver = cluster.start('driver', 'run', file, '--kubeconfig', kubeconfig, '--node-name', NODE, '--root-dir', rootDir);
    const published = await eventually(async () => {
      const { items } = await client.list(RESOURCE_SLICES);
      return items.length === 2 ? items : undefined;
    });
    const own = published.find((slice) => slice.spec.nodeName === NODE);
    assert.deepEqual([own?.spec.pool.generation, own?.spec.devices], [3, [device]]);
    assert.equal(published.find((slice) => slice.spec.pool.name === 'elsewhere')?.spec.allNodes, true);

    await createPod(client, DRIVER, 'p', 'echo "$GPU_DEVICE_7"; sleep 60');
    const pod = await podIn(client, 'p', 'Running');
    const range = (await client.get(NODES, NODE)).spec?.podCIDR ?? '';
    assert.match(range, /^10\.244\.\d+\.0\/24$/);
    assert.equal(pod.status?.podIP?.startsWith(range.replace(/0\/24$/, '')), true);
    await eventually(async () => readFileSync(join(rootDir, 'logs', pod.metadata.uid ?? '', 'main.log'), 'utf8') === 'gpu-7\n' || undefined);
    await deletePod(client, 'p');

    driver.child.kill('SIGTERM');
    assert.equal((await driver.ended).code, 0);
    assert.equal(existsSync(join(rootDir, 'plugins_registry', `${DRIVER}-reg.sock`)), false);
    assert.equal((await client.list(RESOURCE_SLICES)).items.length, 2, 'slices stay for the next start');
  }));

test('a second node agent on the same root directory is refused', () =>
  inSeparateCluster(async ({ kubeconfig, rootDir }) => {
    const { code, stderr } = await dray('nodeagent', '--kubeconfig', kubeconfig, '--node-name', 'other', '--root-dir', rootDir).ended;
    assert.equal(code, 1);
    assert.match(stderr, /^dray: the data directory \S+ is in use by process \d+; stop it or choose another with --root-dir\n$/);
  }));

test('what is wrong with a device file is said in one sentence', () =>
  inFolder(async (folder) => {
    const refused = async (content: string, expected: RegExp): Promise<void> => {
      const file = join(folder, 'devices.json');
      writeFileSync(file, content);
      const kubeconfig = join(folder, 'kubeconfig');
      writeFileSync(kubeconfig, KUBECONFIG);
      const { code, stderr } = await dray('driver', 'run', file, '--kubeconfig', kubeconfig, '--node-name', NODE, '--root-dir', folder).ended;
      assert.match(stderr, expected);
      assert.equal(code, 1);
    };
    await refused('{', /^\S+: \S*devices\.json: [^\n]*JSON[^\n]*\n$/);
    await refused('{"pools":{"a":{"slices":[{"device":[]}]}}}', /^\S+: \S*devices\.json: pools\.a\.slices\[0\]: unknown field "device"\n$/);
    await refused('{}', /^\S+: \S*devices\.json: no "pools"\n$/);
  }));

test('a damaged checkpoint stops a node agent with one sentence', () =>
  inSeparateCluster(async ({ folder, kubeconfig }) => {
    const rootDir = join(folder, 'other');
    const flags = ['nodeagent', '--kubeconfig', kubeconfig, '--node-name', 'other', '--root-dir', rootDir, '--secure-port', String(await freePort())];
    const first = dray(...flags);
    await eventually(async () => existsSync(join(rootDir, 'plugins_registry')) || undefined);
    first.child.kill('SIGTERM');
    await first.ended;
    writeFileSync(join(rootDir, 'dra_manager_state'), '{"Data":"{}","Checksum":1}');
    const { code, stderr } = await dray(...flags).ended;
    assert.equal(code, 1);
    assert.match(stderr, /^dray: .*dra_manager_state.* corrupted[^\n]*\n$/);
  }));

const KUBECONFIG = JSON.stringify({
  'current-context': 'c',
  contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'u', user: {} }],
});
