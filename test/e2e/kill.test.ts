/** kill -9 at random moments of the demo: nothing that was acknowledged is lost, no device is given twice, nothing stays prepared. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CONFIG_MAPS, NAMESPACES, PODS, RESOURCE_CLAIMS, type RestClient } from '#client';
import { keyOf } from '#machinery';
import { decodeCheckpoint } from '#nodeagent';
import { dray, type Dray, eventually, freePort, inFolder, readyClient } from './dray.ts';

/** Rounds, and how long they may take together; DRAY_KILL_ROUNDS asks for more, without a bound in time. */
const ROUNDS = Number(process.env['DRAY_KILL_ROUNDS'] ?? 50);
const BUDGET_MS = process.env['DRAY_KILL_ROUNDS'] === undefined ? 75_000 : Number.POSITIVE_INFINITY;
/** Kills fall anywhere between the API server's first answer and a little after all examples run. */
const KILL_AFTER_MS_MAX = 1_600;
/** Pause between two writes of the client: the rounds are to be many, not the objects. */
const WRITE_PAUSE_MS = 5;

/** What the server acknowledged, kept over all rounds. */
class Acknowledged {
  readonly #uids = new Map<string, string>();
  readonly #devices = new Map<string, string>();

  get count(): number {
    return this.#uids.size;
  }

  /** Creates objects one after another until the server dies. */
  async create(client: RestClient, round: number): Promise<void> {
    for (let number = 0; ; number++) {
      const name = `kept-${String(round)}-${String(number)}`;
      const made = await client.create(CONFIG_MAPS, { metadata: { name, namespace: 'default' }, data: { round: String(round) } }).catch(() => undefined);
      if (made === undefined) return;
      this.#uids.set(name, made.metadata.uid ?? '');
      await new Promise((resolve) => setTimeout(resolve, WRITE_PAUSE_MS));
    }
  }

  /** Names of acknowledged objects that are gone or are others now. */
  async lost(client: RestClient): Promise<readonly string[]> {
    const found = new Map((await client.list(CONFIG_MAPS, { namespace: 'default' })).items.map((object) => [object.metadata.name ?? '', object.metadata.uid]));
    return [...this.#uids].flatMap(([name, uid]) => (found.get(name) === uid ? [] : [name]));
  }

  /** No device is in two claims, and an allocated claim keeps its devices while it lives. */
  async checkDevices(client: RestClient): Promise<void> {
    const holders = new Map<string, string>();
    for (const claim of (await client.list(RESOURCE_CLAIMS)).items) {
      const devices = (claim.status?.allocation?.devices?.results ?? []).map((result) => `${result.driver}/${result.pool}/${result.device}`);
      if (devices.length === 0) continue;
      for (const device of devices) {
        assert.equal(holders.get(device), undefined, `${device} is in two claims`);
        holders.set(device, keyOf(claim));
      }
      const uid = claim.metadata.uid ?? '';
      const before = this.#devices.get(uid);
      assert.equal(devices.join(), before ?? devices.join(), `claim ${keyOf(claim)} changed its devices`);
      this.#devices.set(uid, devices.join());
    }
  }
}

async function kill({ child, ended }: Dray): Promise<void> {
  child.kill('SIGKILL');
  await ended;
}

async function runningPods(client: RestClient): Promise<true | undefined> {
  const pods = (await client.list(PODS)).items;
  const running = pods.filter(
    (pod) => pod.status?.phase === 'Running' && pod.status.containerStatuses?.every((container) => container.ready === true) === true,
  );
  return pods.length > 0 && pods.length - running.length === 1 ? true : undefined;
}

/** Claims that a node agent of the data directory still has prepared, and CDI files that are still there. */
function prepared(folder: string): readonly string[] {
  return readdirSync(join(folder, 'nodes')).flatMap((node) => {
    const directory = join(folder, 'nodes', node);
    const checkpoint = join(directory, 'dra_manager_state');
    const claims = existsSync(checkpoint) ? decodeCheckpoint(readFileSync(checkpoint, 'utf8')).map((claim) => claim.ClaimName) : [];
    const files = existsSync(join(directory, 'cdi')) ? readdirSync(join(directory, 'cdi')) : [];
    return [...claims, ...files];
  });
}

test('kill -9 at random moments loses nothing', () =>
  inFolder(async (folder) => {
    const start = (): Dray => dray('up', '--data-dir', folder, '--secure-port', String(port));
    const port = await freePort();
    const acknowledged = new Acknowledged();
    const untilMs = performance.now() + BUDGET_MS;
    let rounds = 0;
    let lost: readonly string[] = [];
    for (; rounds < ROUNDS && performance.now() < untilMs; rounds++) {
      const run = start();
      const client = await readyClient(run, folder);
      lost = await acknowledged.lost(client);
      assert.deepEqual(lost, []);
      await acknowledged.checkDevices(client);
      const creating = acknowledged.create(client, rounds);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * KILL_AFTER_MS_MAX));
      await kill(run);
      await creating;
    }
    const last = start();
    try {
      const client = await readyClient(last, folder);
      await eventually(() => runningPods(client), 60_000);
      await acknowledged.checkDevices(client);
      lost = await acknowledged.lost(client);
      assert.deepEqual(lost, []);
      for (const { metadata } of (await client.list(PODS)).items) await client.delete(NAMESPACES, metadata.namespace ?? '').catch(() => undefined);
      await eventually(
        async () => ((await client.list(RESOURCE_CLAIMS)).items.length === 0 && (await client.list(PODS)).items.length === 0 ? true : undefined),
        60_000,
      );
      assert.deepEqual(await eventually(() => Promise.resolve(prepared(folder).length === 0 ? [] : undefined), 10_000).catch(() => prepared(folder)), []);
    } finally {
      last.child.kill('SIGTERM');
    }
    const { code, stderr } = await last.ended;
    assert.equal(stderr, '');
    assert.equal(code, 0);
    console.log(`kill -9: ${String(rounds)} rounds, ${String(acknowledged.count)} objects acknowledged, ${String(lost.length)} lost`);
  }));
