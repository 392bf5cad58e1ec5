/** Each component as a process of its own: together they are a cluster; each outlives the API server, and ends cleanly when told. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PODS, RESOURCE_CLAIMS, RESOURCE_SLICES, type RestClient } from '#client';
import { expectationsOf, isReached, parseManifests } from '#cli';
import { keyOf } from '#machinery';
import { readFileSync, readdirSync } from 'node:fs';
import { type Dray, dray, eventually, freePort, inFolder, readyClient } from './dray.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
const NODES = ['node-1', 'node-2'];
/** A line of a driver's log, which goes to standard error: what it publishes, and what it has to try again. */
const LOG_LINE = /^\{"level":\d\d,/;
/** A driver puts deleted slices right after half a minute. */
const DEADLINE_MS = 90_000;

const files = readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml'));
const manifests = (await Promise.all(files.sort().map((name) => parseManifests(readFileSync(join(EXAMPLES, name), 'utf8'), name)))).flat();

/** Waits until every pod of the examples is as it declares. */
async function examplesDone(client: RestClient): Promise<void> {
  const expectations = expectationsOf(manifests);
  await eventually(async () => {
    const pods = new Map((await client.list(PODS)).items.map((pod) => [keyOf(pod), pod]));
    const missing = expectations.find(({ pod, state }) => !isReached(state, pods.get(pod)));
    if (missing !== undefined) throw new Error(`${missing.pod} is not ${missing.state}: ${JSON.stringify(pods.get(missing.pod)?.status)}`);
    return true;
  }, DEADLINE_MS);
}

/** Waits until the drivers of all nodes have published their devices. */
async function devicesPublished(client: RestClient): Promise<void> {
  await eventually(async () => {
    const pools = new Set((await client.list(RESOURCE_SLICES)).items.map((slice) => slice.spec.pool.name));
    return NODES.every((node) => pools.has(node)) || undefined;
  }, DEADLINE_MS);
}

/** A cluster of processes; everything it started ends with `check`. */
async function inCluster(store: 'sqlite' | 'memory', check: (cluster: Cluster) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const cluster = new Cluster(folder, ['--data-dir', folder, '--secure-port', String(await freePort()), '--store', store]);
    try {
      await check(cluster);
    } finally {
      await cluster.stop();
    }
  });
}

class Cluster {
  readonly #folder: string;
  readonly #serverFlags: readonly string[];
  readonly #running = new Map<string, Dray>();

  constructor(folder: string, serverFlags: readonly string[]) {
    this.#folder = folder;
    this.#serverFlags = serverFlags;
  }

  /** Starts the API server and waits until it answers. */
  async startServer(): Promise<RestClient> {
    const server = dray('apiserver', ...this.#serverFlags);
    this.#running.set('apiserver', server);
    return readyClient(server, this.#folder);
  }

  /** Starts all other components. */
  startOthers(): void {
    const connected = ['--kubeconfig', join(this.#folder, 'kubeconfig')];
    for (const name of ['scheduler', 'controller-manager']) {
      this.#running.set(name, dray(name, ...connected, '--secure-port', '0', '--leader-elect=false'));
    }
    for (const node of NODES) {
      const rest = [...connected, '--node-name', node, '--root-dir', join(this.#folder, node)];
      this.#running.set(`nodeagent ${node}`, dray('nodeagent', ...rest));
      this.#running.set(`driver ${node}`, dray('driver', 'run', 'showcase', ...rest));
    }
  }

  /** Runs a client command that must succeed without a complaint. */
  async run(...args: readonly string[]): Promise<void> {
    const { code, stderr } = await dray(...args, '--kubeconfig', join(this.#folder, 'kubeconfig')).ended;
    assert.deepEqual([code, stderr], [0, ''], args.join(' '));
  }

  /** Ends a component; it must end with 0 and without a word on standard error, where only drivers keep a log. */
  async end(name: string, signal: NodeJS.Signals): Promise<void> {
    const run = this.#running.get(name);
    assert.ok(run !== undefined);
    run.child.kill(signal);
    const { code, stderr } = await run.ended;
    const complaints = stderr.split('\n').filter((line) => line !== '' && !(name.startsWith('driver') && LOG_LINE.test(line)));
    assert.deepEqual([code, complaints], [0, []], `${name} on ${signal}`);
    this.#running.delete(name);
  }

  /** Names of what runs, what was started last first. */
  get names(): readonly string[] {
    return [...this.#running.keys()].reverse();
  }

  /** Ends what still runs: those that were started first last, since node agents end their containers. */
  async stop(): Promise<void> {
    for (const { child, ended } of [...this.#running.values()].reverse()) {
      child.kill('SIGTERM');
      await ended;
    }
  }
}

test('a cluster of separate processes runs the examples, outlives its API server, and ends cleanly', { timeout: 180_000 }, () =>
  inCluster('sqlite', async (cluster) => {
    const before = await cluster.startServer();
    cluster.startOthers();
    await devicesPublished(before);
    await cluster.run('apply', '-f', EXAMPLES);
    await examplesDone(before);
    await cluster.end('apiserver', 'SIGTERM');
    const client = await cluster.startServer();
    // Only with all components back a claim is given back, made anew, allocated and prepared.
    await cluster.run('delete', 'namespace', 'two-gpus', '--timeout', '60');
    assert.deepEqual((await client.list(RESOURCE_CLAIMS, { namespace: 'two-gpus' })).items, []);
    await cluster.run('apply', '-f', join(EXAMPLES, '06-two-gpus.yaml'));
    await examplesDone(client);
    const signals = ['SIGTERM', 'SIGINT'] as const;
    for (const [index, name] of cluster.names.filter((each) => each !== 'apiserver').entries()) await cluster.end(name, signals[index % 2] ?? 'SIGTERM');
    await cluster.end('apiserver', 'SIGINT');
  }),
);

test('components go on with an API server that has forgotten everything', { timeout: 180_000 }, () =>
  inCluster('memory', async (cluster) => {
    const before = await cluster.startServer();
    cluster.startOthers();
    await devicesPublished(before);
    await cluster.run('apply', '-f', EXAMPLES);
    await examplesDone(before);
    await cluster.end('apiserver', 'SIGTERM');
    const client = await cluster.startServer();
    assert.deepEqual((await client.list(PODS)).items, []);
    // Which of the pods that compete for a device gets it is certain only if they come one after another.
    await devicesPublished(client);
    await cluster.run('apply', '-f', EXAMPLES);
    await examplesDone(client);
  }),
);
