/** The flags of an API server and of a cluster do what they say. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { NODES, PODS, RESOURCE_SLICES, type RestClient } from '#client';
import { dray, eventually, freePort, inFolder, readyClient } from './dray.ts';

/** An API server on the memory store, alone unless the flags begin with another command, until `check` is done. */
function inServer(flags: readonly string[], check: (client: RestClient, url: string) => Promise<void>): Promise<void> {
  return inFolder(async (folder) => {
    const command = flags[0]?.startsWith('-') === true || flags.length === 0 ? ['apiserver', ...flags] : flags;
    const run = dray(...command, '--store', 'memory', '--data-dir', folder, '--secure-port', String(await freePort()));
    try {
      const client = await readyClient(run, folder);
      const url = /server: (\S+)/.exec(readFileSync(join(folder, 'kubeconfig'), 'utf8'))?.[1] ?? '';
      await check(client, url);
      assert.equal(existsSync(join(folder, 'dray.db')), false, 'nothing is stored on disk');
    } finally {
      run.child.kill('SIGTERM');
    }
    const { code, stderr } = await run.ended;
    assert.deepEqual([code, stderr], [0, '']);
  });
}

/** The JSON of a path; empty when it is not served. */
async function getJson(client: RestClient, path: string): Promise<Readonly<Record<string, unknown>>> {
  const response = await client.raw({ method: 'GET', path, headers: {} }, AbortSignal.timeout(10_000));
  const text = Buffer.concat(await Array.fromAsync(response.body)).toString();
  return response.status === 200 ? JSON.parse(text) : {};
}

/** Versions of resource.k8s.io, the preferred one first; none when the group is not served. */
async function draVersions(client: RestClient): Promise<readonly string[]> {
  const group = await getJson(client, '/apis/resource.k8s.io');
  return Array.isArray(group['versions']) ? group['versions'].map((each: { version: string }) => each.version) : [];
}

/** The status of a request without certificate, with a bearer token or none. */
function statusOf(url: string, path: string, token?: string): Promise<number> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    request(`${url}${path}`, { rejectUnauthorized: false, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

for (const [version, served] of Object.entries({ '1.31': [], '1.33': [], '1.34': ['v1'], '1.36': ['v1'], 'kube=1.37': ['v1'] })) {
  test(`--emulated-version ${version}`, () =>
    inServer(['--emulated-version', version], async (client) => {
      assert.equal((await getJson(client, '/version'))['minor'], version.slice(-2));
      assert.deepEqual(await draVersions(client), served);
    }));
}

test('--runtime-config serves what is asked for and not what is refused', async () => {
  await inServer(['--emulated-version', '1.31', '--runtime-config', 'resource.k8s.io/v1alpha3=true'], async (client) => {
    assert.deepEqual(await draVersions(client), ['v1alpha3']);
  });
  await inServer(['--runtime-config', 'api/beta=true,resource.k8s.io/v1=false'], async (client) => {
    assert.deepEqual(await draVersions(client), ['v1beta2', 'v1beta1']);
  });
});

test('--token-auth-file knows its tokens and no others', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'tokens.csv');
    writeFileSync(file, '# token,user,uid,groups\nroot-token,admin,1,"system:masters,other"\r\nplain-token,"jane ""j"" doe",2\n');
    await inServer(['--token-auth-file', file], async (_client, url) => {
      assert.equal(await statusOf(url, '/api/v1/pods', 'root-token'), 200);
      assert.equal(await statusOf(url, '/api/v1/pods', 'plain-token'), 403);
      assert.equal(await statusOf(url, '/api/v1/pods', 'other-token'), 401);
    });
  }));

test('--anonymous-auth lets those without credentials look at health and nothing else', async () => {
  await inServer(['--anonymous-auth'], async (_client, url) => {
    assert.deepEqual([await statusOf(url, '/livez'), await statusOf(url, '/api/v1/pods')], [200, 403]);
  });
  await inServer(['--anonymous-auth=false'], async (_client, url) => {
    assert.deepEqual([await statusOf(url, '/livez'), await statusOf(url, '/api/v1/pods')], [401, 401]);
  });
});

test('--allow-privileged: a server alone takes privileged containers when told to, a cluster unless told not to', async () => {
  const containers = [{ name: 'c', image: 'i', securityContext: { privileged: true } }];
  const create = (client: RestClient): Promise<unknown> =>
    client.create(PODS, { metadata: { name: 'driver', namespace: 'default' }, spec: { serviceAccountName: 'nobody', containers } });
  const refuses = (client: RestClient): Promise<void> =>
    assert.rejects(
      create(client),
      /^ApiError: Pod "driver" is invalid: spec\.containers\[0\]\.securityContext\.privileged: Forbidden: disallowed by cluster policy$/,
    );
  const without = ['--disable-admission-plugins', 'ServiceAccount'];
  await inServer(without, refuses);
  await inServer([...without, '--allow-privileged'], async (client) => void (await create(client)));
  const up = ['up', '--components', 'apiserver', '--no-examples', ...without];
  await inServer(up, async (client) => void (await create(client)));
  await inServer([...up, '--allow-privileged=false'], refuses);
});

test('--bind-address: clients are told where to connect', async () => {
  await inServer(['--bind-address', '127.0.0.2'], async (_client, url) => assert.match(url, /^https:\/\/127\.0\.0\.2:/));
  await inServer(['--bind-address', '0.0.0.0'], async (_client, url) => assert.match(url, /^https:\/\/127\.0\.0\.1:/));
});

test('--nodes, --devices, --root-dir, --components and -v shape a cluster', { timeout: 120_000 }, () =>
  inFolder(async (folder) => {
    const devices = join(folder, 'devices.json');
    const slices = [{ devices: [{ name: 'one' }] }];
    writeFileSync(devices, JSON.stringify({ pools: { 'node-1': { slices }, 'node-3-more': { slices }, everywhere: { allNodes: true, slices } } }));
    const [data, roots] = [join(folder, 'data'), join(folder, 'roots')];
    const shape = ['--nodes', '3', '--devices', devices, '--root-dir', roots, '--components', 'apiserver,nodeagent,driver,controller-manager', '-v'];
    const run = dray('up', '--no-examples', '--data-dir', data, '--secure-port', String(await freePort()), ...shape);
    try {
      const client = await readyClient(run, data);
      const pools = await eventually(async () => {
        const { items } = await client.list(RESOURCE_SLICES);
        return items.length === 3 ? items.map((slice) => `${slice.spec.pool.name} of ${slice.spec.nodeName ?? 'all nodes'}`).sort() : undefined;
      }, 60_000);
      assert.deepEqual(pools, ['everywhere of all nodes', 'node-1 of node-1', 'node-3-more of node-3']);
      assert.deepEqual(new Set((await client.list(NODES)).items.map((node) => node.metadata.name)), new Set(['node-1', 'node-2', 'node-3']));
      for (const node of ['node-1', 'node-2', 'node-3']) assert.ok(existsSync(join(roots, node, 'plugins_registry')), node);
    } finally {
      run.child.kill('SIGTERM');
    }
    const { code, stdout, stderr } = await run.ended;
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /^scheduler /m);
    assert.match(stderr, /"component":"nodeagent\/node-1"/);
  }),
);
