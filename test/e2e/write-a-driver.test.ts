/** The guide to writing a driver does what it says. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PODS, RESOURCE_SLICES } from '#client';
import { dray, eventually, freePort, inFolder, readyClient } from './dray.ts';
import { deletePod } from './separate.ts';

const ROOT = join(import.meta.dirname, '../..');
const PROGRAM = 'drivers/scratch-space/main.ts';
const guide = readFileSync(join(ROOT, 'docs/guide/write-a-driver.md'), 'utf8');

/** The block of a language, as the guide prints it. */
function block(language: string): string {
  return new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(guide)?.[1] ?? '';
}

test('the program in the guide is the one that is tested', () => {
  const source = readFileSync(join(ROOT, PROGRAM), 'utf8');
  if (process.env['UPDATE_GOLDEN'] === '1') {
    writeFileSync(
      join(ROOT, 'docs/guide/write-a-driver.md'),
      guide.replace(/^```ts\n.*?^```$/ms, () => `\`\`\`ts\n${source}\`\`\``),
    );
    return;
  }
  assert.equal(block('ts'), source);
});

test('the driver of the guide gives a pod its directory and takes it back', () =>
  inFolder(async (folder) => {
    const components = /--components (\S+)/.exec(block('sh'))?.[1] ?? '';
    const flags = ['--nodes', '1', '--no-examples', '--components', components, '--data-dir', folder, '--secure-port', String(await freePort())];
    const cluster = dray('up', ...flags);
    const client = await readyClient(cluster, folder);
    const kubeconfig = join(folder, 'kubeconfig');
    const rootDir = join(folder, 'nodes', 'node-1');
    await eventually(async () => existsSync(join(rootDir, 'plugins_registry')) || undefined);
    const driver = spawn(process.execPath, [join(ROOT, PROGRAM), kubeconfig, 'node-1', rootDir], { stdio: 'ignore' });
    const ended = once(driver, 'exit');
    try {
      await eventually(async () => (await client.list(RESOURCE_SLICES)).items[0]);
      const manifest = join(folder, 'pod.yaml');
      writeFileSync(manifest, block('yaml'));
      assert.equal((await dray('apply', '-f', manifest, '--kubeconfig', kubeconfig).ended).code, 0);
      await eventually(async () => (await client.get(PODS, 'worker', 'default')).status?.phase === 'Running' || undefined);
      const { stdout } = await dray('logs', 'worker', '--kubeconfig', kubeconfig).ended;
      for (const line of block('text').trimEnd().split('\n')) assert.ok(stdout.includes(line.replace('DIRECTORY', rootDir)), `${line} in\n${stdout}`);
      assert.ok(existsSync(join(rootDir, 'scratch', 'scratch-0')));
      await deletePod(client, 'worker');
      assert.equal(existsSync(join(rootDir, 'scratch', 'scratch-0')), false);
    } finally {
      driver.kill('SIGTERM');
      assert.deepEqual(await ended, [0, null]);
      cluster.child.kill('SIGTERM');
      await cluster.ended;
    }
  }));
