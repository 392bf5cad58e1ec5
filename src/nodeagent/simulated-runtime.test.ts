/** Tests of what the log of a container that is not executed shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostFiles } from '#ports';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { simulatedRuntime } from './simulated-runtime.ts';

test('values of Secrets are not shown, wherever they went', async () => {
  let log = '';
  const files: Pick<HostFiles, 'append'> = {
    append: async (_path, content) => {
      log += String(content);
    },
  };
  // The runtime adds to one file and does nothing else with the host.
  const runtime = simulatedRuntime({ files: files as HostFiles, clock: new ManualClock() });
  const process = { args: ['login', '--password=hunter2$&'], env: ['USER=me', 'PASSWORD=hunter2$&', 'PIN=hunter2', 'NONE='] };
  const names = { podUid: 'u', podNamespace: 'ns', podName: 'p', containerName: 'c', image: 'i', bundleDir: '/b', logFile: '/l' };
  await runtime.start({ ...names, attempt: 0, oci: { ociVersion: '1.2.0', process }, secrets: new Set(['hunter2', 'hunter2$&', '']) });
  assert.match(log, /^command: login --password=\(secret\)$/m);
  assert.match(log, /^env: USER=me\nenv: PASSWORD=\(secret\)\nenv: PIN=\(secret\)\nenv: NONE=$/m);
});
