/** Drivers and node agents killed in the middle of their work: the pod says what happened, goes on, and nothing stays behind. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeCheckpoint } from '#nodeagent';
import { eventually } from './dray.ts';
import { createPod, deletePod, inSeparateCluster, messagesOf, NODE, podIn, type SeparateCluster } from './separate.ts';

const DRIVER = 'slow.example.com';
const PROGRAM = fileURLToPath(new URL('slow-driver.ts', import.meta.url));

interface Driver {
  readonly child: ChildProcess;
  stop(signal: NodeJS.Signals): Promise<void>;
}

function startDriver({ kubeconfig, rootDir }: SeparateCluster): Driver {
  const child = spawn(process.execPath, [PROGRAM, kubeconfig, NODE, rootDir], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  return { child, stop };
}

function appears(path: string): Promise<boolean> {
  return eventually(async () => existsSync(path) || undefined);
}

/** Nothing is prepared, held or remembered. */
function assertNothingLeft({ rootDir }: SeparateCluster): void {
  assert.deepEqual(decodeCheckpoint(readFileSync(join(rootDir, 'dra_manager_state'), 'utf8')), []);
  assert.deepEqual(existsSync(join(rootDir, 'cdi')) ? readdirSync(join(rootDir, 'cdi')) : [], []);
  const record = join(rootDir, 'plugins', DRIVER, 'checkpoint.json');
  if (existsSync(record)) assert.match(readFileSync(record, 'utf8'), /"claims":\[\]/);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a driver killed while it prepares is named in an event, asked again when it is back, and leaves nothing behind', () =>
  inSeparateCluster(async (cluster) => {
    const { client, rootDir } = cluster;
    const killed = startDriver(cluster);
    await createPod(client, DRIVER, 'p', 'echo "$SLOW"; sleep 60');
    await appears(join(rootDir, 'preparing'));
    await killed.stop('SIGKILL');
    const message = await eventually(async () => (await messagesOf(client, 'p')).find((text) => text.startsWith('Failed to prepare dynamic resources')));
    assert.match(
      message,
      /^Failed to prepare dynamic resources: NodePrepareResources: the DRA driver slow\.example\.com ended or cannot be reached \([^()]+\); it is asked again when it is back$/,
    );
    assert.deepEqual(
      decodeCheckpoint(readFileSync(join(rootDir, 'dra_manager_state'), 'utf8')).map((claim) => claim.DriverState[DRIVER]?.Devices),
      [null],
      'the claim is remembered, so that it is unprepared whatever happens',
    );

    writeFileSync(join(rootDir, 'go'), '');
    const driver = startDriver(cluster);
    try {
      const pod = await podIn(client, 'p', 'Running');
      const log = join(rootDir, 'logs', pod.metadata.uid ?? '', 'main.log');
      await eventually(async () => readFileSync(log, 'utf8') === 'dev-0\n' || undefined);
      await deletePod(client, 'p');
      assertNothingLeft(cluster);
    } finally {
      await driver.stop('SIGTERM');
    }
  }));

test('a pod deleted while its driver is dead waits for the driver and then goes', () =>
  inSeparateCluster(async (cluster) => {
    const { client, rootDir } = cluster;
    const killed = startDriver(cluster);
    await createPod(client, DRIVER, 'p', 'sleep 60');
    await appears(join(rootDir, 'preparing'));
    await killed.stop('SIGKILL');
    await eventually(async () => (await messagesOf(client, 'p')).some((text) => text.includes('ended or cannot be reached')) || undefined);
    const deleted = deletePod(client, 'p');
    writeFileSync(join(rootDir, 'go'), '');
    const driver = startDriver(cluster);
    try {
      await deleted;
      assertNothingLeft(cluster);
    } finally {
      await driver.stop('SIGTERM');
    }
  }));

test('a killed node agent leaves no container behind, reads its checkpoint again and unprepares what the pod held', () =>
  inSeparateCluster(async (cluster) => {
    const { client, rootDir, agent } = cluster;
    writeFileSync(join(rootDir, 'go'), '');
    const driver = startDriver(cluster);
    try {
      await createPod(client, DRIVER, 'p', 'echo $$$$; exec sleep 60');
      const pod = await podIn(client, 'p', 'Running');
      const log = join(rootDir, 'logs', pod.metadata.uid ?? '', 'main.log');
      const pid = Number(await eventually(async () => /^\d+\n$/.exec(readFileSync(log, 'utf8'))?.[0]));
      const before = readFileSync(join(rootDir, 'dra_manager_state'), 'utf8');
      agent.child.kill('SIGKILL');
      await agent.ended;
      assert.ok(isAlive(pid));
      assert.equal(readFileSync(join(rootDir, 'dra_manager_state'), 'utf8'), before);

      await cluster.startAgent();
      const over = await podIn(client, 'p', 'Failed');
      assert.equal(over.status?.containerStatuses?.[0]?.state?.terminated?.reason, 'ContainerStatusUnknown');
      await eventually(async () => !isAlive(pid) || undefined);
      await eventually(async () => decodeCheckpoint(readFileSync(join(rootDir, 'dra_manager_state'), 'utf8')).length === 0 || undefined);
      assertNothingLeft(cluster);
    } finally {
      await driver.stop('SIGTERM');
    }
  }));

test('claims of a pod that was force-deleted while the node agent was dead are unprepared at its start', () =>
  inSeparateCluster(async (cluster) => {
    const { client, rootDir, agent } = cluster;
    writeFileSync(join(rootDir, 'go'), '');
    const driver = startDriver(cluster);
    try {
      await createPod(client, DRIVER, 'p', 'sleep 60');
      const pod = await podIn(client, 'p', 'Running');
      agent.child.kill('SIGKILL');
      await agent.ended;
      await deletePod(client, 'p', 0);
      await cluster.startAgent();
      await eventually(async () => decodeCheckpoint(readFileSync(join(rootDir, 'dra_manager_state'), 'utf8')).length === 0 || undefined);
      assertNothingLeft(cluster);
      await eventually(async () => !existsSync(join(rootDir, 'bundles', pod.metadata.uid ?? '')) || undefined);
    } finally {
      await driver.stop('SIGTERM');
    }
  }));
