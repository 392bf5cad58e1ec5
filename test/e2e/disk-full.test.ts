/** A disk that fills up under the store: writes are refused in words, what was acknowledged stays, and with room again all goes on. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CONFIG_MAPS, type RestClient } from '#client';
import { dray, type Dray, freePort, inFolder, readyClient } from './dray.ts';

const DISK_MEBIBYTES = 3;
const OBJECT_BYTES = 100_000;
/** A machine may be busy with other things. */
const START_MS_MAX = 60_000;

function mounts(...args: readonly string[]): boolean {
  return spawnSync('mount', args).status === 0;
}

/** Creates objects until one is refused; their names, and the words of the refusal. */
async function fill(client: RestClient): Promise<{ kept: readonly string[]; refusal: string }> {
  const kept: string[] = [];
  for (let number = 0; number < (2 * DISK_MEBIBYTES * 1024 * 1024) / OBJECT_BYTES; number++) {
    const name = `kept-${String(number)}`;
    try {
      await client.create(CONFIG_MAPS, { metadata: { name, namespace: 'default' }, data: { content: 'x'.repeat(OBJECT_BYTES) } });
      kept.push(name);
    } catch (error) {
      return { kept, refusal: String(error) };
    }
  }
  return { kept, refusal: '' };
}

async function names(client: RestClient): Promise<readonly string[]> {
  return (await client.list(CONFIG_MAPS, { namespace: 'default' })).items.map(({ metadata }) => metadata.name ?? '').toSorted();
}

test('a full disk loses nothing that was acknowledged', { timeout: 300_000 }, (t) =>
  inFolder(async (folder) => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    if (!mounts('-t', 'tmpfs', '-o', `size=${String(DISK_MEBIBYTES)}m`, 'tmpfs', disk)) return t.skip('no right to mount a small disk');
    const port = String(await freePort());
    const start = (): Dray => dray('apiserver', '--data-dir', join(disk, 'data'), '--secure-port', port);
    let server = start();
    try {
      let client = await readyClient(server, join(disk, 'data'), START_MS_MAX);
      const { kept, refusal } = await fill(client);
      assert.match(refusal, /the store file \S+ could not be written \(database or disk is full\)/);
      assert.ok(kept.length > 3);
      assert.deepEqual(await names(client), kept.toSorted(), 'it is still read');
      server.child.kill('SIGKILL');
      await server.ended;
      assert.ok(mounts('-o', `remount,size=${String(8 * DISK_MEBIBYTES)}m`, disk));
      server = start();
      client = await readyClient(server, join(disk, 'data'), START_MS_MAX);
      assert.deepEqual(await names(client), kept.toSorted());
      await client.create(CONFIG_MAPS, { metadata: { name: 'later', namespace: 'default' } });
    } finally {
      server.child.kill('SIGKILL');
      await server.ended;
      spawnSync('umount', [disk]);
    }
  }),
);
