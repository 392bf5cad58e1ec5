/** Children of an earlier run are found again, and nobody else is hit. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ChildProcesses } from './processes.ts';

const skip = existsSync('/proc/self/cwd') ? false : 'needs /proc, which tells where processes work';

test('processes are ended by their working directory, and others are left alone', { skip }, async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dray-processes-')));
  const [ours, others] = [join(folder, 'ours'), join(folder, 'others')];
  const started = [ours, others].map((cwd) => {
    mkdirSync(cwd);
    return spawn('/bin/sleep', ['60'], { cwd, detached: true, stdio: 'ignore' });
  });
  try {
    await Promise.all(started.map((child) => once(child, 'spawn')));
    const [left, kept] = started;
    const ended = left === undefined ? undefined : once(left, 'exit');
    await new ChildProcesses().endIn([ours, join(folder, 'gone')]);
    assert.deepEqual(await ended, [null, 'SIGKILL']);
    assert.equal(kept?.signalCode, null);
  } finally {
    for (const child of started) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});
