/** Tests of the driver process that a cluster keeps running. */
import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, inFolder, processesIn } from '../../test/e2e/dray.ts';
import { DRIVER_LOG, keepDriverRunning, keepLogBounded } from './driver-process.ts';

const KUBECONFIG = `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
users: [{name: u, user: {token: t}}]
`;

test('a driver that ends at once is started again after growing pauses, and each time is told', () =>
  inFolder(async (folder) => {
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, KUBECONFIG);
    // It cannot make its directory there.
    writeFileSync(join(folder, 'plugins'), '');
    const stop = new AbortController();
    const pauses: number[] = [];
    const tell = (how: string, pauseMs: number): void => {
      assert.equal(how, 'ended with 1');
      pauses.push(pauseMs);
      if (pauses.length === 2) stop.abort();
    };
    await keepDriverRunning({ nodeName: 'n', rootDir: folder, kubeconfig, devices: 'gpu' }, tell, stop.signal);
    const [first = 0, second = 0] = pauses;
    assert.ok(first >= 1000 && first <= 2000, String(first));
    assert.ok(second >= 2000 && second <= 4000, String(second));
    assert.match(readFileSync(join(folder, DRIVER_LOG), 'utf8'), /^example-gpu: .*plugins/m);
  }));

test('a driver that somebody killed is said to have been killed', { skip: !existsSync('/proc/self/fd') && 'processes are found by /proc' }, () =>
  inFolder(async (folder) => {
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, KUBECONFIG);
    const stop = new AbortController();
    const told: string[] = [];
    const tell = (how: string): void => {
      told.push(how);
      stop.abort();
    };
    const running = keepDriverRunning({ nodeName: 'n', rootDir: folder, kubeconfig, devices: 'gpu' }, tell, stop.signal);
    const pid = await eventually(async () => processesIn(folder)[0]);
    process.kill(Number(pid), 'SIGKILL');
    await running;
    assert.deepEqual(told, ['was ended by SIGKILL']);
  }),
);

test('a log that grows too long is moved away under the hands of whoever writes it', () =>
  inFolder(async (folder) => {
    const log = join(folder, DRIVER_LOG);
    const writer = openSync(log, 'a');
    writeSync(writer, 'x'.repeat(100));
    const stop = new AbortController();
    const bounding = keepLogBounded(log, 50, stop.signal);
    await eventually(async () => (existsSync(`${log}.1`) && readFileSync(log).length === 0) || undefined);
    writeSync(writer, 'more');
    closeSync(writer);
    stop.abort();
    await bounding;
    assert.equal(readFileSync(log, 'utf8'), 'more');
    assert.equal(readFileSync(`${log}.1`, 'utf8'), 'x'.repeat(100));
  }));
