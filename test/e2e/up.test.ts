/** `dray up` brings up a cluster in which pods get their devices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dray, freePort, inFolder, readyClient } from './dray.ts';

test('up --once runs every example and ends with 0 and a table', () =>
  inFolder(async (folder) => {
    const { code, stdout, stderr } = await dray('up', '--once', '--data-dir', folder, '--secure-port', String(await freePort())).ended;
    assert.equal(stderr, '');
    assert.equal(code, 0);
    for (const line of [
      /^two-gpus +pod0 +node-\d +pod0-gpu-\w{5} +gpu-\d,gpu-\d .* Running +k8s\.gpu\.example\.com\/claim=/m,
      /^team-b +pod2 +- +memory-2 +- +- +- +Pending /m,
      /^rounded-up +pod0 +node-2 +pod0-gpu-\w{5} +shared-gpu-\d +\w{8} +memory=4Gi +Running /m,
      /^distinct-attribute +pod0 +node-2 +pod0-gpu-\w{5} +shared-gpu-1,shared-gpu-2 +\w{8},\w{8} +memory=2Gi,memory=2Gi +Running /m,
      /^first-available +pod0 +node-2 +pod0-gpu-\w{5} +card-0-1g-10gb-\d +- /m,
      /^partitions +pod1 +node-2 +quarter +card-0-2g-20gb-0 .* Running/m,
      /^partitions +pod2 +- +whole +- +- +- +Pending /m,
      /^match-attribute +pod0 +node-\d +pod0-gpu-\w{5} +(?:gpu-[0-3],gpu-[0-3]|gpu-[4-7],gpu-[4-7]) /m,
      /^admin-access +pod0 +node-\d +pod0-gpu-\w{5} +gpu-0,gpu-1,gpu-2,gpu-3 .* Running /m,
      /^unsatisfiable\/pod0 is pending: 0\/2 nodes are available: 2 cannot allocate all claims\./m,
    ]) {
      assert.match(stdout, line);
    }
    assert.deepEqual(
      [...stdout.matchAll(/^team-\w +pod\d +node-1 +memory-\d +shared-gpu-0 +(\w{8}) +memory=10Gi +Running /gm)].length,
      4,
      'four claims of 10Gi in two namespaces share the GPU of 40Gi',
    );
    const devices = [...stdout.matchAll(/^shared-by-pods +pod\d +(node-\d) +shared-gpu +(gpu-\d) /gm)].map(
      ([, node, device]) => `${node ?? ''}/${device ?? ''}`,
    );
    assert.equal(devices.length, 2);
    assert.equal(devices[0], devices[1]);
  }));

test('up ends with 2 when an example does not reach its state in time', () =>
  inFolder(async (folder) => {
    const run = dray(
      'up',
      '--once',
      '--timeout',
      '1',
      '--components',
      'apiserver,controller-manager',
      '--data-dir',
      folder,
      '--secure-port',
      String(await freePort()),
    );
    const { code, stderr } = await run.ended;
    assert.equal(code, 2);
    assert.match(stderr, /^dray: pod template-claim\/pod0 is not Running after 1 s$/m);
  }));

test('SIGTERM ends up with 0, and a second up on its data directory is refused before', () =>
  inFolder(async (folder) => {
    const first = dray('up', '--no-examples', '--data-dir', folder, '--secure-port', String(await freePort()));
    await readyClient(first, folder);
    const second = await dray('up', '--data-dir', folder).ended;
    assert.equal(second.code, 1);
    assert.match(second.stderr, /^dray: the data directory \S+ is in use by process \d+; stop it or choose another with --data-dir\n$/);
    first.child.kill('SIGTERM');
    const { code, stderr } = await first.ended;
    assert.equal(stderr, '');
    assert.equal(code, 0);
  }));
