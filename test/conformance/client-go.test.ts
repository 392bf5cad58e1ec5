/** client-go's informer, built from source, follows claims by a streaming list. Go and its modules take a minute or two, so it runs when asked for. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RESOURCE_CLAIMS } from '#client';
import { dray, eventually, freePort, inFolder, readyClient } from '../e2e/dray.ts';

const SOURCE = fileURLToPath(new URL('client-go', import.meta.url));
const BUILD_TIMEOUT_MS = 300_000;

/** Why the test cannot run here, if it cannot. */
function missing(): string | false {
  if (process.env['DRAY_CLIENT_GO'] !== '1') return 'DRAY_CLIENT_GO is not 1';
  return spawnSync('go', ['version']).status === 0 ? false : 'there is no go on the PATH';
}

/** Where in `folder` the program is built. */
function build(folder: string): string {
  const program = join(folder, 'informer');
  execFileSync('go', ['build', '-o', program, '.'], { cwd: SOURCE, timeout: BUILD_TIMEOUT_MS, stdio: ['ignore', 'ignore', 'inherit'] });
  return program;
}

test('an informer of client-go lists in a stream, and sees claims come, change and go', { skip: missing(), timeout: 2 * BUILD_TIMEOUT_MS }, () =>
  inFolder(async (folder) => {
    const program = build(folder);
    const server = dray('apiserver', '--data-dir', folder, '--store', 'memory', '--secure-port', String(await freePort()));
    const client = await readyClient(server, folder);
    const claim = (name: string): Parameters<typeof client.create<NonNullable<(typeof RESOURCE_CLAIMS)['objectType']>>>[1] => ({
      metadata: { name, namespace: 'default' },
      spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu.example.com' } }] } },
    });
    await client.create(RESOURCE_CLAIMS, claim('before'));
    const informer = spawn(program, { env: { ...process.env, KUBECONFIG: join(folder, 'kubeconfig') }, stdio: ['pipe', 'pipe', 'inherit'] });
    const said: string[] = [];
    createInterface({ input: informer.stdout }).on('line', (line) => said.push(line));
    try {
      await eventually(async () => said.includes('synced') || undefined);
      assert.match(said.find((line) => line.startsWith('request')) ?? '', /^request 200 .*resourceclaims\?.*sendInitialEvents=true/);
      await client.create(RESOURCE_CLAIMS, claim('after'));
      await client.patch(RESOURCE_CLAIMS, 'after', { namespace: 'default', type: 'merge', body: { metadata: { labels: { seen: 'yes' } } } });
      await client.delete(RESOURCE_CLAIMS, 'before', { namespace: 'default' });
      await eventually(async () => said.includes('delete before') || undefined);
      assert.deepEqual(
        said.filter((line) => !/^(request|synced)/.test(line)),
        ['add before', 'add after', 'update after yes', 'delete before'],
      );
      assert.equal(said.filter((line) => line.startsWith('request')).length, 1, 'one watch did it all');
    } finally {
      const ended = once(informer, 'exit');
      informer.stdin.end();
      await ended;
      server.child.kill('SIGTERM');
      await server.ended;
    }
  }),
);
