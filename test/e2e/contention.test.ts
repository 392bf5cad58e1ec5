/** Two schedulers, one standing by, over an API server that is killed again and again, while pods contend for few devices: no device ever has two holders. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { DEVICE_CLASSES, LEASES, NODES, PODS, RESOURCE_CLAIMS, RESOURCE_SLICES, type RestClient } from '#client';
import { isExpired } from '#machinery';
import type { Pod, ResourceClaim } from '#api';
import { chance, SEED } from './chance.ts';
import { dray, type Dray, eventually, freePort, inFolder, readyClient } from './dray.ts';

/** DRAY_CONTENTION_KILLS=100 is the long form. */
const KILLS = Number(process.env['DRAY_CONTENTION_KILLS'] ?? 5);
const DEVICES = ['d0', 'd1', 'd2', 'd3'];
const PODS_AT_A_TIME = 10;
const DRIVER = 'contended.example.com';
/** Kills come soon after so many further allocations: while the next ones are being written. */
const ALLOCATIONS_MAX = 4;
const KILL_AFTER_MS_MAX = 60;
const ROUND_MS_MAX = 20_000;
/** Every so many kills hit the scheduler that leads, too. */
const SCHEDULER_EVERY = 3;
const CHURN_PAUSE_MS = 50;
/** Short, so that the standby takes over within a round. */
const ELECTION = ['--leader-elect-lease-duration', '6s', '--leader-elect-renew-deadline', '4s', '--leader-elect-retry-period', '500ms'];

/** Follows every state that any claim ever had, over all restarts of the server, and knows at each who holds what. */
class Holders {
  readonly #claims = new Map<string, readonly string[]>();
  readonly wrong: string[] = [];
  readonly allocations = new Set<string>();
  #last = 0;
  expired = 0;

  /** Follows until the connection breaks. */
  async follow(client: RestClient): Promise<void> {
    try {
      if (this.#last === 0) this.#last = Number((await client.list(RESOURCE_CLAIMS)).metadata.resourceVersion);
      for await (const { type, object } of client.watch(RESOURCE_CLAIMS, { resourceVersion: String(this.#last) }, AbortSignal.timeout(600_000))) {
        this.#last = Number(object.metadata.resourceVersion);
        if (type !== 'BOOKMARK') this.#see(object, type === 'DELETED');
      }
    } catch (error) {
      if (isExpired(error)) this.expired++;
    }
  }

  #see({ metadata, status }: ResourceClaim, isGone: boolean): void {
    const { uid = '', name = '' } = metadata;
    const devices = isGone ? [] : (status?.allocation?.devices?.results ?? []).map(({ device }) => device);
    const before = this.#claims.get(uid) ?? [];
    for (const device of devices) {
      this.allocations.add(`${uid}/${device}/${status?.allocation?.allocationTimestamp ?? ''}`);
      for (const [other, held] of this.#claims)
        if (other !== uid && held.includes(device)) this.wrong.push(`${device}: given to ${name} (${uid}) while ${other} holds it`);
    }
    if (before.length > 0 && devices.length > 0 && before.join() !== devices.join()) this.wrong.push(`${name}: ${before.join()} became ${devices.join()}`);
    this.#claims.set(uid, devices);
  }
}

/** A process that is started again whenever it ends: one that lost its lease does. */
class Kept {
  readonly #args: readonly string[];
  #current: Dray;
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(...args: readonly string[]) {
    this.#args = args;
    this.#current = dray(...args);
    this.#running = this.#keep();
  }

  get pid(): number | undefined {
    return this.#current.child.pid;
  }

  kill(): void {
    this.#current.child.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.kill();
    await this.#running;
  }

  async #keep(): Promise<void> {
    for (;;) {
      await this.#current.ended;
      if (this.#stopped) return;
      this.#current = dray(...this.#args);
    }
  }
}

async function furnish(client: RestClient): Promise<void> {
  const allocatable = { cpu: '64', memory: '64Gi', pods: '110' };
  for (const name of ['n1', 'n2']) {
    const node = await client.create(NODES, { metadata: { name } });
    await client.updateStatus(NODES, { ...node, status: { allocatable, capacity: allocatable, conditions: [{ type: 'Ready', status: 'True' }] } });
  }
  await client.create(DEVICE_CLASSES, { metadata: { name: 'contended' }, spec: { selectors: [{ cel: { expression: `device.driver == "${DRIVER}"` } }] } });
  const pool = { name: 'pool', generation: 1, resourceSliceCount: 1 };
  const devices = DEVICES.map((name) => ({ name }));
  await client.create(RESOURCE_SLICES, { metadata: { name: 'slice' }, spec: { driver: DRIVER, pool, allNodes: true, devices } });
}

async function createPod(client: RestClient, name: string): Promise<void> {
  const requests = [{ name: 'r', exactly: { deviceClassName: 'contended' } }];
  await client.create(RESOURCE_CLAIMS, { metadata: { name, namespace: 'default' }, spec: { devices: { requests } } });
  await client.create(PODS, {
    metadata: { name, namespace: 'default' },
    spec: {
      containers: [{ name: 'c', image: 'i', resources: { claims: [{ name: 'r' }] } }],
      resourceClaims: [{ name: 'r', resourceClaimName: name }],
    },
  });
}

async function deletePod(client: RestClient, { metadata: { name = '' } }: Pod): Promise<void> {
  await client.delete(PODS, name, { namespace: 'default', gracePeriodSeconds: 0 });
  await client.delete(RESOURCE_CLAIMS, name, { namespace: 'default' });
}

/** Users come and go, also under a name that another had. A step that fails (a claim that is being given back still has the name) is left out. */
async function churn(client: RestClient, until: AbortSignal): Promise<void> {
  while (!until.aborted) {
    await churnOnce(client).catch(() => undefined);
    await delay(CHURN_PAUSE_MS);
  }
}

async function churnOnce(client: RestClient): Promise<void> {
  const pods = (await client.list(PODS, { namespace: 'default' })).items;
  const placed = pods.filter(({ spec }) => spec?.nodeName !== undefined);
  const leaving = placed[chance.below(2 * placed.length)];
  if (leaving !== undefined) await deletePod(client, leaving);
  if (pods.length < PODS_AT_A_TIME) await createPod(client, `p${String(chance.below(2 * PODS_AT_A_TIME))}`);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits for so many more allocations; in vain only so long: a standby that takes over takes its time. */
async function moreAllocations(holders: Holders, count: number): Promise<void> {
  const wanted = holders.allocations.size + count;
  await eventually(async () => holders.allocations.size >= wanted || undefined, ROUND_MS_MAX).catch(() => undefined);
}

/** As many pods run as there are devices, each with its claim reserved for it. */
async function settled(client: RestClient): Promise<void> {
  await eventually(async () => {
    const pods = (await client.list(PODS, { namespace: 'default' })).items.filter(({ spec }) => spec?.nodeName !== undefined);
    const claims = new Map((await client.list(RESOURCE_CLAIMS)).items.map((claim) => [claim.metadata.name, claim]));
    const served = pods.filter(({ metadata }) => claims.get(metadata.name)?.status?.reservedFor?.some(({ uid }) => uid === metadata.uid) === true);
    assert.equal(served.length, pods.length, 'a pod that was placed has its claim');
    assert.equal(served.length, DEVICES.length);
    return true;
  }, 60_000);
}

test('no device has two holders, whoever is killed', { timeout: Number.POSITIVE_INFINITY }, (t: TestContext) =>
  inFolder(async (folder) => {
    t.diagnostic(`seed ${String(SEED)}`);
    const port = String(await freePort());
    const start = (): Dray => dray('apiserver', '--data-dir', folder, '--secure-port', port);
    const holders = new Holders();
    const leaders = new Set<string>();
    let server = start();
    let client = await readyClient(server, folder);
    await furnish(client);
    const flags = ['--kubeconfig', join(folder, 'kubeconfig'), '--secure-port', '0', ...ELECTION];
    const schedulers = [new Kept('scheduler', ...flags), new Kept('scheduler', ...flags)];
    const controllers = new Kept('controller-manager', ...flags);
    let following = holders.follow(client);
    try {
      await eventually(async () => (await client.list(LEASES, { namespace: 'kube-system' })).items.length >= 2 || undefined);
      for (let kill = 0; kill < KILLS; kill++) {
        const dying = new AbortController();
        const churning = churn(client, dying.signal);
        await moreAllocations(holders, 1 + chance.below(ALLOCATIONS_MAX));
        const lease = await client.get(LEASES, 'kube-scheduler', 'kube-system').catch(() => undefined);
        leaders.add(lease?.spec?.holderIdentity ?? '');
        await delay(chance.below(KILL_AFTER_MS_MAX));
        if (kill % SCHEDULER_EVERY === 0) schedulers[kill % 2]?.kill();
        server.child.kill('SIGKILL');
        dying.abort();
        await Promise.all([churning, following, server.ended]);
        server = start();
        client = await readyClient(server, folder);
        following = holders.follow(client);
      }
      for (let left = DEVICES.length; left > 0; left--) await createPod(client, `last${String(left)}`);
      await settled(client);
    } finally {
      await Promise.all([...schedulers, controllers].map((process) => process.stop()));
      server.child.kill('SIGKILL');
      await Promise.all([server.ended, following]);
    }
    t.diagnostic(
      `${String(KILLS)} kills of the API server, ${String(leaders.size)} leading schedulers, ${String(holders.allocations.size)} allocations, ${String(holders.wrong.length)} devices with two holders`,
    );
    assert.deepEqual(holders.wrong, []);
    assert.equal(holders.expired, 0);
    assert.ok(holders.allocations.size >= DEVICES.length, 'something was allocated');
  }),
);
