/** What is in the way is said in one sentence that names it, with exit code 1 and no stack trace, and nothing is lost. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { CONFIG_MAPS } from '#client';
import { readExamples } from '../../src/cmd/examples.ts';
import { dray, freePort, inFolder, readyClient } from './dray.ts';

/** The command fails with one line that matches. */
async function refused(expected: RegExp, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await dray(...args).ended;
  assert.match(stderr, expected);
  assert.equal(stderr.trim().split('\n').length, 1, stderr);
  assert.equal(code, 1, stderr);
}

test('a port in use is named', () =>
  inFolder(async (folder) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const expected = new RegExp(`^dray: cannot listen on 127\\.0\\.0\\.1:${String(port)} \\(another process listens there\\)\n$`);
    for (const command of ['up', 'apiserver']) await refused(expected, command, '--data-dir', folder, '--secure-port', String(port));
    server.close();
  }));

test('an address that is not of this machine is named', () =>
  inFolder((folder) =>
    refused(/^dray: cannot listen on 203\.0\.113\.7:\d+ \(EADDRNOTAVAIL\)\n$/, 'up', '--data-dir', folder, '--bind-address', '203.0.113.7'),
  ));

test('without a port the next free one is taken', () =>
  inFolder(async (folder) => {
    const start = (name: string) => dray('apiserver', '--store', 'memory', '--data-dir', join(folder, name));
    const runs = [start('a'), start('b')];
    try {
      const ports = new Set<string>();
      for (const [index, run] of runs.entries()) {
        const data = join(folder, index === 0 ? 'a' : 'b');
        await readyClient(run, data);
        ports.add(/server: https:\/\/127\.0\.0\.1:(\d+)/.exec(readFileSync(join(data, 'kubeconfig'), 'utf8'))?.[1] ?? '');
      }
      assert.equal(ports.size, 2);
      for (const port of ports) assert.ok(Number(port) >= 6443 && Number(port) < 6543, port);
    } finally {
      for (const { child } of runs) child.kill('SIGTERM');
      await Promise.all(runs.map((run) => run.ended));
    }
  }));

test('a data directory that cannot be written is named', { skip: process.getuid?.() === 0 ? 'root may write everywhere' : false }, () =>
  inFolder(async (folder) => {
    chmodSync(folder, 0o500);
    await refused(/^dray: cannot write to the data directory /, 'up', '--data-dir', join(folder, 'data'));
  }),
);

test('a node directory that cannot be used ends the cluster with one sentence', { timeout: 60_000 }, () =>
  inFolder(async (folder) => {
    mkdirSync(join(folder, 'nodes', 'node-1'), { recursive: true });
    writeFileSync(join(folder, 'nodes', 'node-1', 'plugins_registry'), '');
    const flags = ['--no-examples', '--nodes', '1', '--data-dir', folder, '--secure-port', String(await freePort())];
    await refused(/^dray: node agent node-1: EEXIST: .*plugins_registry'\n$/, 'up', ...flags, '--components', 'apiserver,nodeagent');
  }),
);

test('a data directory that cannot be made is named', () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'file'), '');
    await refused(/^dray: cannot write to the data directory .*file\/data: /, 'up', '--data-dir', join(folder, 'file', 'data'));
    await refused(/^dray: cannot write to the data directory \/proc\/dray: /, 'up', '--data-dir', '/proc/dray');
  }));

test('a kubeconfig that cannot be written is named, and the port is free again', () =>
  inFolder((folder) =>
    refused(/^dray: cannot write the kubeconfig \/proc\/kubeconfig: /, 'apiserver', '--data-dir', folder, '--kubeconfig', '/proc/kubeconfig'),
  ));

/** Makes a data directory with an object in it; then `damage` is done to its database, refused with what names the file, and undone. */
async function damaged(damage: (file: string) => void, expected: RegExp): Promise<void> {
  await inFolder(async (folder) => {
    const flags = ['--data-dir', folder, '--secure-port', String(await freePort())];
    const file = join(folder, 'dray.db');
    const first = dray('apiserver', ...flags);
    const client = await readyClient(first, folder);
    await client.create(CONFIG_MAPS, { metadata: { name: 'kept', namespace: 'default' }, data: { text: 'x'.repeat(100_000) } });
    first.child.kill('SIGTERM');
    assert.equal((await first.ended).code, 0);
    const whole = readFileSync(file);
    damage(file);
    const before = readFileSync(file);
    for (const command of ['apiserver', 'up']) await refused(expected, command, ...flags);
    assert.deepEqual(readFileSync(file), before, 'the damaged file was left as it was, for whoever can mend it');
    writeFileSync(file, whole);
    const second = dray('apiserver', ...flags);
    try {
      const again = await readyClient(second, folder);
      assert.equal((await again.get(CONFIG_MAPS, 'kept', 'default')).metadata.name, 'kept');
    } finally {
      second.child.kill('SIGTERM');
      await second.ended;
    }
  });
}

test('a database that is none is named, and left as it is', () =>
  damaged(
    (file) => writeFileSync(file, 'this is no database, but long enough to be taken for one'.repeat(100)),
    /^dray: the store file \S+dray\.db is damaged/,
  ));

test('a truncated database is named, and left as it is', () =>
  damaged((file) => truncateSync(file, Math.floor(statSync(file).size / 2 / 4096) * 4096), /^dray: the store file \S+dray\.db is damaged/));

test('a database with overwritten pages is named, and left as it is', () =>
  damaged((file) => {
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 4096, Math.min(bytes.length, 5 * 4096));
    writeFileSync(file, bytes);
  }, /^dray: the store file \S+dray\.db is damaged/));

test('a damaged certificate of the data directory is named', () =>
  inFolder(async (folder) => {
    mkdirSync(join(folder, 'pki'));
    for (const name of ['ca.crt', 'ca.key']) writeFileSync(join(folder, 'pki', name), 'no certificate');
    await refused(
      /^dray: the certificate \S+pki\/ca\.crt or its key is damaged; remove the folder \S+pki to have new ones made\n$/,
      'apiserver',
      '--data-dir',
      folder,
    );
  }));

const kubeconfig = {
  'current-context': 'c',
  contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'u', user: {} }],
};

for (const [what, text, expected] of [
  ['that is no YAML', '{', /^dray: kubeconfig \S+: The kubeconfig is not valid YAML: .*\n$/],
  ['that is a text', 'hello', /^dray: kubeconfig \S+: The kubeconfig is not a YAML mapping\.\n$/],
  ['without a server', { ...kubeconfig, clusters: [{ name: 'c', cluster: {} }] }, /^dray: kubeconfig \S+: Cluster "c" of the kubeconfig names no server\.\n$/],
  [
    'with a server that is no URL',
    { ...kubeconfig, clusters: [{ name: 'c', cluster: { server: 'here' } }] },
    /^dray: kubeconfig \S+: the server "here" is no URL\n$/,
  ],
  ['with an unknown context', { ...kubeconfig, 'current-context': 'x' }, /^dray: kubeconfig \S+: The kubeconfig has no entry "x" in contexts\.\n$/],
  ['with an unknown user', { ...kubeconfig, users: [] }, /^dray: kubeconfig \S+: The kubeconfig has no entry "u" in users\.\n$/],
  [
    'with a certificate that is none',
    { ...kubeconfig, users: [{ name: 'u', user: { 'client-certificate-data': 'AAAA', 'client-key-data': 'AAAA' } }] },
    /^dray: .*\n$/,
  ],
  ['with a file that is not there', { ...kubeconfig, users: [{ name: 'u', user: { tokenFile: 'gone' } }] }, /^dray: kubeconfig \S+: ENOENT.*gone'\n$/],
  ['of a server that does not answer', kubeconfig, /^dray: https:\/\/127\.0\.0\.1:1: connect ECONNREFUSED 127\.0\.0\.1:1\n$/],
] as const) {
  test(`a kubeconfig ${what} is named`, () =>
    inFolder(async (folder) => {
      const file = join(folder, 'kubeconfig');
      writeFileSync(file, typeof text === 'string' ? text : JSON.stringify(text));
      await refused(expected, 'get', 'pods', '--kubeconfig', file);
    }));
}

test('a kubeconfig that is not there, and a context that it does not have, are named', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'kubeconfig');
    for (const command of ['scheduler', 'controller-manager', 'nodeagent']) {
      await refused(/^dray: cannot read the kubeconfig \S+kubeconfig: ENOENT/, command, '--kubeconfig', file);
    }
    writeFileSync(file, JSON.stringify(kubeconfig));
    await refused(/^dray: kubeconfig \S+: The kubeconfig has no entry "other" in contexts\.\n$/, 'get', 'pods', '--kubeconfig', file, '--context', 'other');
  }));

for (const [what, text, expected] of [
  ['that is no YAML', 'a: b\nc: [', /^dray: \S+pod\.yaml:2: .*\n$/],
  ['that is no object', '# a comment\n- a\n', /^dray: \S+pod\.yaml:2: this is a list, not an object\n$/],
  ['without a kind', 'apiVersion: v1\nmetadata: {name: a}\n', /^dray: \S+pod\.yaml:1: the object has no kind\n$/],
  ['with nothing in it', '---\n', /^dray: \S+pod\.yaml: no objects in there\n$/],
] as const) {
  test(`a manifest ${what} is named with its line`, () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig));
      writeFileSync(join(folder, 'pod.yaml'), text);
      await refused(expected, 'apply', '-f', join(folder, 'pod.yaml'), '--kubeconfig', join(folder, 'kubeconfig'));
    }));
}

test('manifests that are not there are named', () =>
  inFolder(async (folder) => {
    const connected = ['--kubeconfig', join(folder, 'kubeconfig')];
    writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig));
    await refused(/^dray: cannot read \S+gone\.yaml: ENOENT/, 'apply', '-f', join(folder, 'gone.yaml'), ...connected);
    await refused(/^dray: the folder \S+ has no file that ends in \.yaml, \.yml or \.json\n$/, 'delete', '-f', folder, ...connected);
  }));

for (const [what, text, expected] of [
  ['that is no JSON', '{"pools":', /^dray: driver of node-1: example-gpu: \S+devices\.json: .*JSON.*\n$/],
  [
    'with an unknown field',
    '{"pools":{"a":{"slices":[{"device":[]}]}}}',
    /^dray: driver of node-1: example-gpu: \S+devices\.json: pools\.a\.slices\[0\]: unknown field "device"\n$/,
  ],
] as const) {
  test(`a device file ${what} ends the start of a cluster at once`, () =>
    inFolder(async (folder) => {
      const file = join(folder, 'devices.json');
      writeFileSync(file, text);
      await refused(expected, 'up', '--nodes', '1', '--devices', file, '--data-dir', folder, '--secure-port', String(await freePort()));
    }));
}

test('examples that are not there are named', () =>
  inFolder(async (folder) => {
    await assert.rejects(readExamples(join(folder, 'examples')), /^Error: the examples are missing: ENOENT.*examples'$/);
  }));
