/** A cluster ends cleanly whenever it is told to, takes its containers along, and goes on with its pods at the next start. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LEASES, PODS, type RestClient } from '#client';
import { nameOf } from '#machinery';
import { dray, type Dray, eventually, freePort, inFolder, processesIn, readyClient } from './dray.ts';

/** A clean end takes tens of milliseconds on an idle machine. */
const SHUTDOWN_MS_MAX = 5_000;
const POD = 'shared-by-containers';

/** Ends it with the signal: with 0, without a word on standard error, soon. */
async function endsCleanly({ child, ended }: Dray, signal: NodeJS.Signals): Promise<void> {
  const fromMs = performance.now();
  child.kill(signal);
  const { code, stderr } = await ended;
  assert.deepEqual([code, stderr], [0, '']);
  const tookMs = performance.now() - fromMs;
  assert.ok(tookMs < SHUTDOWN_MS_MAX, `it took ${String(Math.round(tookMs))} ms`);
}

/** The pod of the example with two containers, once both are ready. */
function running(client: RestClient): ReturnType<typeof client.get<NonNullable<(typeof PODS)['objectType']>>> {
  return eventually(async () => {
    const pod = await client.get(PODS, 'pod0', POD);
    const ready = pod.status?.containerStatuses?.filter((container) => container.ready === true) ?? [];
    return pod.status?.phase === 'Running' && ready.length === 2 ? pod : undefined;
  }, 60_000);
}

test('Ctrl-C ends a cluster with 0 and its containers with it; at the next start the pods run again with their devices', { timeout: 180_000 }, () =>
  inFolder(async (folder) => {
    const flags = ['up', '--data-dir', folder, '--secure-port', String(await freePort())];
    const first = dray(...flags);
    const before = await running(await readyClient(first, folder));
    await endsCleanly(first, 'SIGINT');
    assert.deepEqual(processesIn(folder), []);

    const second = dray(...flags);
    const client = await readyClient(second, folder);
    const after = await eventually(async () => {
      const pod = await running(client);
      return pod.status?.containerStatuses?.every((container) => container.restartCount > 0) === true ? pod : undefined;
    }, 60_000);
    assert.equal(after.metadata.uid, before.metadata.uid);
    assert.equal(after.spec?.nodeName, before.spec?.nodeName);
    assert.equal(nameOf(after), nameOf(before));
    const log = await dray('logs', 'pod0', '-c', 'ctr1', '-n', POD, '--kubeconfig', `${folder}/kubeconfig`).ended;
    assert.match(log.stdout, /^GPU_DEVICE_\d=gpu-\d$/m);
    await endsCleanly(second, 'SIGTERM');
    assert.deepEqual(processesIn(folder), []);
  }),
);

test('a pod that is being deleted and will not end does not hold up the end of its cluster', { timeout: 120_000 }, () =>
  inFolder(async (folder) => {
    const run = dray('up', '--no-examples', '--nodes', '1', '--data-dir', folder, '--secure-port', String(await freePort()));
    const client = await readyClient(run, folder);
    const command = ['/bin/sh', '-c', 'trap "" TERM; echo deaf; while :; do sleep 1; done'];
    const spec = { terminationGracePeriodSeconds: 60, containers: [{ name: 'main', image: 'dray.local/sh', command }] };
    await eventually(() => client.create(PODS, { metadata: { name: 'stubborn', namespace: 'default' }, spec }), 60_000);
    await eventually(async () => {
      const log = await dray('logs', 'stubborn', '--kubeconfig', `${folder}/kubeconfig`).ended;
      return log.stdout === 'deaf\n' || undefined;
    }, 60_000);
    await client.delete(PODS, 'stubborn', { namespace: 'default' });
    await endsCleanly(run, 'SIGINT');
    assert.deepEqual(processesIn(folder), []);
  }),
);

test('a signal at any moment of a start ends it with 0', { timeout: 180_000 }, () =>
  inFolder(async (folder) => {
    const flags = ['up', '--data-dir', folder, '--secure-port', String(await freePort())];
    const first = dray(...flags);
    const fromMs = performance.now();
    await readyClient(first, folder);
    const startMs = performance.now() - fromMs;
    await endsCleanly(first, 'SIGTERM');
    // Before the program has begun a signal ends the process as it ends any.
    for (const share of [0.8, 0.9, 1, 1.1, 1.3, 1.6, 2, 2.5]) {
      const run = dray(...flags);
      let printed = '';
      run.child.stdout?.on('data', (piece: Buffer) => (printed += piece.toString()));
      await Promise.race([new Promise((resolve) => setTimeout(resolve, share * startMs)), run.ended]);
      await eventually(() => Promise.resolve(printed !== '' || undefined), 60_000);
      await endsCleanly(run, share > 1 ? 'SIGINT' : 'SIGTERM');
    }
    await eventually(() => Promise.resolve(processesIn(folder).length === 0 || undefined), 10_000);
  }),
);

test('a cluster whose work is done at once ends at once, on a data directory that it knows already', { timeout: 120_000 }, () =>
  inFolder(async (folder) => {
    const flags = ['up', '--once', '--no-examples', '--data-dir', folder, '--secure-port', String(await freePort())];
    for (let start = 0; start < 3; start++) {
      const { code, stderr } = await dray(...flags).ended;
      assert.deepEqual([code, stderr], [0, '']);
    }
  }),
);

test('a cluster that starts again does not take what the last one left for its own', () =>
  inFolder(async (folder) => {
    const args = ['up', '--no-examples', '--nodes', '1', '--data-dir', folder, '--secure-port', String(await freePort())];
    assert.match((await dray(...args, '--once').ended).stdout, /^driver node-1 .*published its devices/m);
    const rootDir = join(folder, 'nodes', 'node-1');
    // The driver cannot make its directory there.
    rmSync(join(rootDir, 'plugins'), { recursive: true });
    writeFileSync(join(rootDir, 'plugins'), '');
    const second = dray(...args);
    await eventually(async () => readFileSync(join(rootDir, 'driver.log'), 'utf8').match(/^example-gpu: /gm)?.[1]);
    second.child.kill('SIGTERM');
    const { stdout } = await second.ended;
    assert.match(stdout, /^nodeagent node-1 +registered, Ready/m);
    assert.match(stdout, /^driver node-1 +ended with 1, started again in [12] s; see \S+driver\.log/m);
    assert.doesNotMatch(stdout, /published/);
  }));

const CONNECTIONS = '/proc/net/tcp';
const LISTENING = '0A';

/** How many connections to the port carry bytes that the server has not read. Linux only. */
function unreadConnections(port: number): number {
  const address = `:${port.toString(16).toUpperCase()}`;
  const rows = readFileSync(CONNECTIONS, 'utf8').split('\n');
  return rows.filter((row) => {
    const [, local = '', , state, queues = ''] = row.trim().split(/\s+/);
    return local.endsWith(address) && state !== LISTENING && /:0*[1-9A-F]/i.test(queues);
  }).length;
}

test('components end soon although the API server has stopped answering', { skip: !existsSync(CONNECTIONS) && 'requests under way are seen by /proc' }, () =>
  inFolder(async (folder) => {
    const port = await freePort();
    const apiserver = dray('apiserver', '--data-dir', folder, '--secure-port', String(port));
    const client = await readyClient(apiserver, folder);
    const kubeconfig = ['--kubeconfig', join(folder, 'kubeconfig'), '--secure-port', '0', '--cert-dir', join(folder, 'pki')];
    const others = [
      dray('scheduler', ...kubeconfig),
      dray('controller-manager', ...kubeconfig),
      dray('nodeagent', ...kubeconfig.slice(0, 2), '--node-name', 'n1', '--root-dir', join(folder, 'k')),
    ];
    try {
      await eventually(async () => (await client.list(LEASES)).items.length >= 3 || undefined);
      apiserver.child.kill('SIGSTOP');
      // Both leaders have asked for their leases.
      await eventually(async () => unreadConnections(port) >= 2 || undefined);
      const fromMs = performance.now();
      for (const { child } of others) child.kill('SIGTERM');
      assert.deepEqual(await Promise.all(others.map(async ({ ended }) => (await ended).code)), [0, 0, 0]);
      assert.ok(performance.now() - fromMs < 10_000, `it took ${String(Math.round(performance.now() - fromMs))} ms`);
    } finally {
      apiserver.child.kill('SIGKILL');
      for (const { child } of others) child.kill('SIGKILL');
      await Promise.all([apiserver, ...others].map(({ ended }) => ended));
    }
  }),
);
