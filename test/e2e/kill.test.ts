/** kill -9 at random moments of the demo: nothing that was acknowledged is lost, no device is given twice, nothing stays prepared. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Pod } from '#api';
import { expectationsOf, isReached } from '#cli';
import { CONFIG_MAPS, NAMESPACES, PODS, RESOURCE_CLAIMS, RESOURCE_SLICES, type RestClient } from '#client';
import { keyOf, Quantity } from '#machinery';
import { decodeCheckpoint } from '#nodeagent';
import { readExamples } from '../../src/cmd/examples.ts';
import { chance, SEED } from './chance.ts';
import { dray, type Dray, eventually, freePort, inFolder, processesIn, readyClient } from './dray.ts';

/** Rounds, and how long they may take together; DRAY_KILL_ROUNDS asks for more, without a bound in time. */
const ROUNDS = Number(process.env['DRAY_KILL_ROUNDS'] ?? 50);
const BUDGET_MS = process.env['DRAY_KILL_ROUNDS'] === undefined ? 180_000 : Number.POSITIVE_INFINITY;
/** Kills fall anywhere between the start of the process and so many times what the API server needs to answer: about when all examples run. */
const KILL_WITHIN_STARTS = 4;
/** Above 1: more kills fall early than late. */
const EARLINESS = 1.5;
/** What the first start is taken for. */
const FIRST_START_MS = 500;
/** Every so many rounds end in the middle of a shutdown, within so much time. */
const STOP_EVERY = 5;
const STOP_MS_MAX = 150;
/** Every so many rounds somebody deletes an example, so that claims are given back and made anew. */
const DELETE_EVERY = 3;
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
      await delay(WRITE_PAUSE_MS);
    }
  }

  /** Names of acknowledged objects that are gone or are others now. */
  async lost(client: RestClient): Promise<readonly string[]> {
    const found = new Map((await client.list(CONFIG_MAPS, { namespace: 'default' })).items.map((object) => [object.metadata.name ?? '', object.metadata.uid]));
    return [...this.#uids].flatMap(([name, uid]) => (found.get(name) === uid ? [] : [name]));
  }

  /** No device is in two claims, shared ones are not overbooked, and an allocated claim keeps its devices while it lives. */
  async checkDevices(client: RestClient): Promise<void> {
    const holders = new Map<string, string>();
    const consumed = new Map<string, Quantity>();
    for (const claim of (await client.list(RESOURCE_CLAIMS)).items) {
      const results = claim.status?.allocation?.devices?.results ?? [];
      for (const { driver, pool, device, shareID = '', adminAccess, consumedCapacity } of results) {
        if (adminAccess === true) continue;
        const id = `${driver}/${pool}/${device}`;
        assert.equal(holders.get(`${id}/${shareID}`), undefined, `${id} is in two claims`);
        holders.set(`${id}/${shareID}`, keyOf(claim));
        consumed.set(id, (consumed.get(id) ?? Quantity.of(0)).add(Quantity.parse(consumedCapacity?.['memory'] ?? '0')));
      }
      const devices = results.map(({ pool, device, shareID = '' }) => `${pool}/${device}/${shareID}`).join();
      if (devices === '') continue;
      const uid = claim.metadata.uid ?? '';
      assert.equal(devices, this.#devices.get(uid) ?? devices, `claim ${keyOf(claim)} changed its devices`);
      this.#devices.set(uid, devices);
    }
    for (const { spec } of (await client.list(RESOURCE_SLICES)).items) {
      for (const device of spec.devices ?? []) {
        const taken = consumed.get(`${spec.driver}/${spec.pool.name}/${device.name}`) ?? Quantity.of(0);
        const memory = Quantity.parse(device.capacity?.['memory']?.value ?? '0');
        assert.ok(taken.compare(memory) <= 0, `${device.name} is overbooked: ${taken.toString()} of ${memory.toString()}`);
      }
    }
  }
}

/** Where a round was hit: before the API server answered, while the demo ran, or while it was shutting down. */
type Hit = 'start' | 'run' | 'stop';

/** One cluster on one data directory, started and killed again and again. */
class Demo {
  readonly #folder: string;
  readonly #port: number;
  readonly #namespaces: readonly string[];
  readonly acknowledged = new Acknowledged();
  readonly hits: Record<Hit, number> = { start: 0, run: 0, stop: 0 };
  /** The longest that the API server needed to answer in the last rounds. */
  #startMs = FIRST_START_MS;

  constructor(folder: string, port: number, namespaces: readonly string[]) {
    this.#folder = folder;
    this.#port = port;
    this.#namespaces = namespaces;
  }

  start(): Dray {
    return dray('up', '--data-dir', this.#folder, '--secure-port', String(this.#port));
  }

  /** Starts, looks whether all is there, writes, and is killed in the middle of it. */
  async round(number: number): Promise<void> {
    const run = this.start();
    const startedMs = performance.now();
    // The first round is one of these: it tells how long a start takes here.
    const stopping = number % STOP_EVERY === 0;
    // Early moments are cheaper and as telling as late ones.
    const moment = delay(chance.fraction() ** EARLINESS * KILL_WITHIN_STARTS * this.#startMs);
    const ready = readyClient(run, this.#folder);
    const client = stopping ? await ready : await Promise.race([ready, moment.then(() => undefined)]);
    let writing: Promise<unknown> | undefined;
    if (client !== undefined) {
      this.#startMs = Math.max(performance.now() - startedMs, this.#startMs / 2);
      await this.check(client);
      writing = Promise.all([this.acknowledged.create(client, number), number % DELETE_EVERY === 0 ? this.#deleteOne(client) : undefined]);
      await moment;
    }
    if (stopping) {
      run.child.kill('SIGTERM');
      await delay(chance.below(STOP_MS_MAX));
    } else {
      assert.deepEqual([run.child.exitCode, run.child.signalCode], [null, null], `dray up ended by itself: ${await said(run)}`);
    }
    run.child.kill('SIGKILL');
    await run.ended;
    await Promise.all([writing, ready.catch(() => undefined)]);
    this.hits[stopping ? 'stop' : client === undefined ? 'start' : 'run']++;
  }

  /** Everything acknowledged is there, and no device is given twice. */
  async check(client: RestClient): Promise<void> {
    assert.deepEqual(await this.acknowledged.lost(client), []);
    await this.acknowledged.checkDevices(client);
  }

  /** Somebody deletes an example at a random moment. */
  async #deleteOne(client: RestClient): Promise<void> {
    await delay(chance.fraction() * this.#startMs);
    const name = this.#namespaces[chance.below(this.#namespaces.length)] ?? '';
    await client.delete(NAMESPACES, name).catch(() => undefined);
  }
}

/** What a process that ended said; "" of one that runs. */
async function said({ child, ended }: Dray): Promise<string> {
  return child.exitCode === null && child.signalCode === null ? '' : JSON.stringify(await ended);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Examples in which more pods ask for a device than it can serve: which of them wait depends on the order in which they came back. */
const COMPETING = /^(team-[ab]|partitions)\//;

/** Waits until every pod of the examples is as it declares; of those that compete, until each runs or was refused and as many run as can. */
async function examplesDone(client: RestClient): Promise<void> {
  const expectations = expectationsOf(await readExamples());
  await eventually(async () => {
    const pods = new Map((await client.list(PODS)).items.map((pod) => [keyOf(pod), pod]));
    const reached = (key: string, state: 'Running' | 'Pending'): boolean => isReached(state, pods.get(key));
    const missing = expectations.find(({ pod, state }) => (COMPETING.test(pod) ? !reached(pod, 'Running') && !reached(pod, 'Pending') : !reached(pod, state)));
    if (missing !== undefined) throw new Error(`${missing.pod} is not ${missing.state}: ${JSON.stringify(pods.get(missing.pod)?.status)}`);
    const running = (prefix: string): number => expectations.filter(({ pod }) => pod.startsWith(prefix) && reached(pod, 'Running')).length;
    assert.equal(running('team-'), 4, 'four shares of 10Gi in 40Gi');
    assert.ok(running('partitions/') >= 1, 'one partition at least');
    return true;
  }, 90_000);
}

/** Waits until nothing is left of the examples: no pod, no claim, nothing prepared on a node. */
async function nothingLeft(client: RestClient, folder: string): Promise<void> {
  await eventually(async () => {
    const left: readonly (Pod | object)[] = [...(await client.list(PODS)).items, ...(await client.list(RESOURCE_CLAIMS)).items];
    assert.deepEqual(left, []);
    assert.deepEqual(prepared(folder), []);
    return true;
  }, 90_000);
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

test('kill -9 at random moments loses nothing', { timeout: Number.isFinite(BUDGET_MS) ? 500_000 : undefined }, (t: TestContext) =>
  inFolder(async (folder) => {
    t.diagnostic(`seed ${String(SEED)}`);
    const namespaces = [...new Set(expectationsOf(await readExamples()).map(({ pod }) => pod.split('/')[0] ?? ''))];
    const demo = new Demo(folder, await freePort(), namespaces);
    const untilMs = performance.now() + BUDGET_MS;
    let rounds = 0;
    for (; rounds < ROUNDS && performance.now() < untilMs; rounds++) await demo.round(rounds);
    const last = demo.start();
    try {
      const client = await readyClient(last, folder);
      await examplesDone(client);
      await demo.check(client);
      for (const name of namespaces) await client.delete(NAMESPACES, name);
      await nothingLeft(client, folder);
      await demo.check(client);
    } finally {
      last.child.kill('SIGTERM');
    }
    const { code, stderr } = await last.ended;
    assert.equal(stderr, '');
    assert.equal(code, 0);
    await eventually(() => Promise.resolve(processesIn(folder).length === 0 || undefined), 10_000);
    const { start, run, stop } = demo.hits;
    const where = `${String(start)} while starting, ${String(run)} while running, ${String(stop)} while stopping`;
    t.diagnostic(`kill -9: ${String(rounds)} rounds (${where}), ${String(demo.acknowledged.count)} objects acknowledged, 0 lost`);
  }),
);
