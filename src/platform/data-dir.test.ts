/** One process holds a data directory; a dead one's lock does not stand in the way. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDataDir } from './data-dir.ts';

async function scratch(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'dray-data-'));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('a second opening is refused naming directory and process, and admitted after release', () =>
  scratch(async (directory) => {
    const first = await openDataDir(directory);
    await assert.rejects(openDataDir(directory), {
      message: `the data directory ${directory} is in use by process ${String(process.pid)}; stop it or choose another with --data-dir`,
    });
    await first.release();
    await (await openDataDir(directory)).release();
    assert.deepEqual(await readdir(directory), []);
  }));

test('the lock of a process that died, or whose pid was reused, is taken over', () =>
  scratch(async (directory) => {
    await writeFile(join(directory, 'dray.lock'), JSON.stringify({ pid: 2 ** 30 }));
    await (await openDataDir(directory)).release();
    await writeFile(join(directory, 'dray.lock'), JSON.stringify({ pid: process.pid, started: '1' }));
    await (await openDataDir(directory)).release();
    await writeFile(join(directory, 'dray.lock'), '');
    await (await openDataDir(directory)).release();
  }));

test('of many openings at once on a stale lock exactly one succeeds', () =>
  scratch(async (directory) => {
    await writeFile(join(directory, 'dray.lock'), JSON.stringify({ pid: 2 ** 30 }));
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => openDataDir(directory)));
    assert.equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 1);
  }));

test('a directory that cannot be made is named', async () => {
  await assert.rejects(openDataDir('/proc/dray'), /^Error: cannot write to the data directory \/proc\/dray: /);
});
