/** get, apply, delete and logs do the everyday things against a real API server, and say in one sentence what is in their way. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { featureGates, servedVersions } from '#api';
import { createApiServer } from '#apiserver';
import { silentLogger } from '#base';
import { CONFIG_MAPS, RestClient } from '#client';
import { memoryTransport, systemClock, systemRandom } from '#platform';
import { MemoryStore } from '#storage';
import { Applier } from './apply.ts';
import { deleteManifests, deleteSelected } from './delete.ts';
import { get } from './get.ts';
import type { GetOptions } from './get-options.ts';
import { getAndWatch } from './get-watch.ts';
import { logs } from './logs.ts';
import { type Manifest, parseManifests } from './manifests.ts';

const NEVER = new AbortController().signal;

/** A server with one pod `web` and two config maps, and a terminal that remembers. */
class Bench {
  readonly client: RestClient;
  out = '';
  err = '';
  #printed: () => void = () => undefined;

  constructor() {
    const server = createApiServer({
      store: new MemoryStore(),
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      gates: featureGates('1.36'),
      served: servedVersions('1.36', { 'resource.k8s.io/v1beta1': true }),
      emulatedVersion: '1.36',
      celCheck: () => [],
      admission: { disabled: ['ServiceAccount'] },
    });
    after(() => server.close());
    this.client = new RestClient(memoryTransport(server, { name: 'admin', groups: ['system:masters'] }), { userAgent: 'test' });
  }

  static async create(): Promise<Bench> {
    const bench = new Bench();
    await bench.apply(POD, config('one', 'a'), config('two', 'b'));
    return bench;
  }

  readonly terminal = {
    out: (text: string): void => {
      this.out += text;
      this.#printed();
    },
    err: (text: string): void => void (this.err += text),
  };

  async apply(...texts: readonly string[]): Promise<readonly string[]> {
    const applier = new Applier(this.client);
    const done: string[] = [];
    for (const manifest of await manifests(...texts)) {
      const { text, outcome } = await applier.apply(manifest);
      done.push(`${text} ${outcome}`);
    }
    return done;
  }

  /** What `get` printed on standard output. */
  async get(words: string, options: Partial<GetOptions> = {}): Promise<string> {
    this.out = '';
    await get(this.client, { namespace: 'default', format: 'table', ...options, words: words.split(' ') }, this.terminal);
    return this.out;
  }

  /** Resolves when the output matches. */
  async printed(expected: RegExp): Promise<void> {
    while (!expected.test(this.out)) await new Promise<void>((resolve) => (this.#printed = resolve));
  }

  delete(
    words: string,
    options: { readonly labelSelector?: string; readonly all?: boolean; readonly ignoreNotFound?: boolean; readonly timeoutMs?: number } = {},
  ): Promise<void> {
    const { labelSelector, all = false, ignoreNotFound = false, timeoutMs } = options;
    const how = { namespace: 'default', exclusive: false, wait: true, ignoreNotFound, timeoutMs };
    return deleteSelected(this.client, { words: words.split(' '), labelSelector, all }, how, { terminal: this.terminal, signal: NEVER });
  }
}

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: web}}\nspec: {containers: [{name: c, image: i}]}\n';

function config(name: string, value: string, more = ''): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, labels: {app: ${value}}${more}}\ndata: {key: ${value}}\n`;
}

function manifests(...texts: readonly string[]): Promise<readonly Manifest[]> {
  return parseManifests(texts.join('---\n'), 'test.yaml');
}

test('get prints the table of the server, wider ones, and those of all namespaces', async () => {
  const bench = await Bench.create();
  const age = '\\d+s';
  assert.match(await bench.get('pods'), new RegExp(`^NAME   READY   STATUS    RESTARTS   AGE\nweb    0/1     Pending   0          ${age}\n$`));
  assert.match(await bench.get('po', { format: 'wide' }), /AGE +IP +NODE +NOMINATED NODE +READINESS GATES\n/);
  assert.match(await bench.get('Pod', { namespace: undefined }), /^NAMESPACE   NAME .*\ndefault     web /);
  assert.match(await bench.get('pods', { noHeaders: true }), /^web /);
  assert.match(await bench.get('pods,configmaps'), /^NAME +READY .*\npod\/web .*\n\nNAME +DATA +AGE\nconfigmap\/one +1 .*\nconfigmap\/two +1 /);
});

test('get takes names, TYPE/NAME, selectors and types with their group', async () => {
  const bench = await Bench.create();
  assert.match(await bench.get('configmaps two one', { noHeaders: true }), /^two .*\none .*\n$/);
  assert.match(await bench.get('cm/one pod/web', { format: 'name' }), /^configmap\/one\npod\/web\n$/);
  assert.equal(await bench.get('cm', { format: 'name', labelSelector: 'app in (b)' }), 'configmap/two\n');
  assert.equal(await bench.get('cm', { format: 'name', fieldSelector: 'metadata.name=one' }), 'configmap/one\n');
  await bench.apply('apiVersion: resource.k8s.io/v1\nkind: DeviceClass\nmetadata: {name: gpu}\nspec: {}\n');
  for (const type of ['deviceclasses', 'deviceclass.resource.k8s.io', 'deviceclasses.v1beta1.resource.k8s.io']) {
    assert.equal(await bench.get(type, { format: 'name' }), 'deviceclass.resource.k8s.io/gpu\n');
  }
  assert.match(await bench.get('deviceclasses.v1beta1.resource.k8s.io gpu', { format: 'yaml' }), /^apiVersion: resource\.k8s\.io\/v1beta1\n/);
});

test('get prints objects that apply takes again, without managed fields', async () => {
  const bench = await Bench.create();
  const yaml = await bench.get('configmap one', { format: 'yaml' });
  assert.match(yaml, /^apiVersion: v1\nkind: ConfigMap\nmetadata:\n[^]*\ndata:\n {2}key: a\n$/);
  assert.doesNotMatch(yaml, /managedFields/);
  assert.deepEqual(await bench.apply(yaml), ['configmap/one unchanged']);
  const list: unknown = JSON.parse(await bench.get('configmaps', { format: 'json' }));
  assert.deepEqual(
    Object.entries(list ?? {}).map(([name]) => name),
    ['apiVersion', 'items', 'kind', 'metadata'],
  );
  assert.deepEqual(await bench.apply(JSON.stringify(list)), ['configmap/one unchanged', 'configmap/two unchanged']);
  assert.match(await bench.get('secrets', { format: 'yaml' }), /^apiVersion: v1\nitems: \[\]\nkind: List\n/);
});

test('texts that YAML 1.1 would take for something else come out quoted', async () => {
  const bench = await Bench.create();
  await bench.apply('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: odd}\ndata: {a: "yes", b: "0123", c: "null", d: "1e3"}\n');
  const yaml = await bench.get('configmap odd', { format: 'yaml' });
  assert.match(yaml, /a: "yes"\n {2}b: "0123"\n {2}c: "null"\n {2}d: "1e3"\n/);
});

test('get says what it did not find and prints the rest', async () => {
  const bench = await Bench.create();
  await bench.get('secrets');
  assert.equal(bench.err, 'No resources found in default namespace.\n');
  bench.err = '';
  await bench.get('secrets', { namespace: undefined });
  assert.equal(bench.err, 'No resources found\n');
  await assert.rejects(bench.get('cm one gone'), { message: 'configmaps "gone" not found' });
  assert.match(bench.out, /^NAME.*\none /);
  await assert.rejects(bench.get('cm gone lost'), (error: AggregateError) => error.errors.length === 2);
});

for (const [words, options, message] of [
  ['unicorns', {}, 'the server doesn\'t have a resource type "unicorns"'],
  ['cm one', { namespace: undefined }, 'a resource cannot be retrieved by name across all namespaces'],
  ['cm one', { labelSelector: 'a=b' }, 'a selector cannot be used with names'],
  ['cm/one two', {}, '"two" is not TYPE/NAME, and TYPE/NAME cannot be mixed with other forms'],
  ['cm/', {}, '"cm/" is not TYPE/NAME, and TYPE/NAME cannot be mixed with other forms'],
  [',', {}, '"," names no resource type'],
] as const) {
  test(`get ${words} ${JSON.stringify(options)} is refused`, async () => {
    await assert.rejects((await Bench.create()).get(words, options), { message });
  });
}

test('get --watch prints what is there, then changes below each other, and ends when told', async () => {
  const bench = await Bench.create();
  const stop = new AbortController();
  const watching = getAndWatch(bench.client, { words: ['cm'], namespace: 'default', format: 'table' }, bench.terminal, stop.signal);
  await bench.printed(/two /);
  await bench.apply(config('three', 'c'));
  await bench.printed(/three /);
  await bench.client.delete(CONFIG_MAPS, 'two', { namespace: 'default' });
  await bench.printed(/three .*\ntwo /);
  stop.abort();
  await watching;
  assert.match(bench.out, /^NAME +DATA +AGE\none +1 .*\ntwo +1 .*\nthree +1 .*\ntwo +1 .*\n$/);
});

test('get --watch of one object as YAML prints one document per change', async () => {
  const bench = await Bench.create();
  const stop = new AbortController();
  const watching = getAndWatch(bench.client, { words: ['cm/one'], namespace: 'default', format: 'yaml' }, bench.terminal, stop.signal);
  await bench.printed(/key: a/);
  await bench.apply(config('two', 'x'), config('one', 'z'));
  await bench.printed(/key: z/);
  stop.abort();
  await watching;
  assert.equal(bench.out.match(/^---$/gm)?.length, 2);
  assert.doesNotMatch(bench.out, /key: [bx]/);
});

test('get --watch follows one type', async () => {
  const bench = await Bench.create();
  const options = { namespace: 'default', format: 'table' } as const;
  await assert.rejects(getAndWatch(bench.client, { ...options, words: ['cm,pods'] }, bench.terminal, NEVER), {
    message: '--watch follows one resource type or one object',
  });
});

test('apply creates, changes, leaves alone, and takes away what a manifest no longer says', async () => {
  const bench = await Bench.create();
  const before = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: v, b: w}\n';
  assert.deepEqual(await bench.apply(before), ['configmap/m created']);
  assert.deepEqual(await bench.apply(before), ['configmap/m unchanged']);
  assert.deepEqual(await bench.apply(before.replace(', b: w', '')), ['configmap/m configured']);
  assert.deepEqual((await bench.client.get(CONFIG_MAPS, 'm', 'default')).data, { a: 'v' });
});

test('apply wins over other writers', async () => {
  const bench = await Bench.create();
  const one = await bench.client.get(CONFIG_MAPS, 'one', 'default');
  await bench.client.update(CONFIG_MAPS, { ...one, data: { key: 'other' } });
  assert.deepEqual(await bench.apply(config('one', 'a')), ['configmap/one configured']);
  assert.deepEqual((await bench.client.get(CONFIG_MAPS, 'one', 'default')).data, { key: 'a' });
});

test('apply generates names, and refuses what the server does not know', async () => {
  const bench = await Bench.create();
  assert.match((await bench.apply('apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: g-}\n')).join(), /^configmap\/g-\w{5} created$/);
  await assert.rejects(bench.apply('apiVersion: v7\nkind: Pod\nmetadata: {name: a}\n'), { message: 'no matches for kind "Pod" in version "v7"' });
  await assert.rejects(bench.apply('apiVersion: v1\nkind: Unicorn\nmetadata: {name: a}\n'), { message: 'no matches for kind "Unicorn" in version "v1"' });
  await assert.rejects(bench.apply('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndaata: {}\n'), /daata/);
});

test('apply with a namespace of its own refuses objects of others', async () => {
  const bench = await Bench.create();
  const applier = new Applier(bench.client, { namespace: 'default', exclusive: true });
  const [other] = await manifests(config('a', 'a', ', namespace: kube-system'));
  assert.ok(other !== undefined);
  await assert.rejects(applier.apply(other), { message: 'configmap/a is of namespace "kube-system", not "default" as --namespace says' });
});

test('delete takes names, selectors, all, and manifests from the last to the first', async () => {
  const bench = await Bench.create();
  await bench.delete('cm/one');
  await assert.rejects(bench.delete('cm one'), { message: 'configmaps "one" not found' });
  await bench.delete('cm one', { ignoreNotFound: true });
  await bench.apply(config('one', 'a'));
  await bench.delete('cm', { labelSelector: 'app=b' });
  assert.equal(await bench.get('cm', { format: 'name' }), 'configmap/one\n');
  await bench.delete('cm', { all: true });
  await bench.delete('cm', { all: true });
  assert.equal(bench.err, 'No resources found\n');
  const both = await manifests(config('one', 'a'), config('two', 'b'));
  await bench.apply(config('one', 'a'), config('two', 'b'));
  bench.out = '';
  const how = { namespace: 'default', exclusive: false, wait: true, ignoreNotFound: false };
  await deleteManifests(bench.client, both, how, { terminal: bench.terminal, signal: NEVER });
  assert.equal(bench.out, 'configmap "two" deleted\nconfigmap "one" deleted\n');
});

test('delete does nothing when it is not clear what', async () => {
  const bench = await Bench.create();
  await assert.rejects(bench.delete('cm'), { message: 'name the configmaps to delete, or choose them with --selector or --all' });
  await assert.rejects(bench.delete('cm one', { all: true }), { message: 'name objects or choose them with --selector or --all, not both' });
  assert.equal(await bench.get('cm', { format: 'name' }), 'configmap/one\nconfigmap/two\n');
});

test('delete waits until the object is gone, and says in time what holds it', async () => {
  const bench = await Bench.create();
  await bench.apply(config('held', 'a', ', finalizers: [example.com/hold]'));
  await assert.rejects(bench.delete('cm held', { timeoutMs: 1 }), {
    message: 'configmap "held" is marked for deletion but not gone: it waits for its finalizers example.com/hold',
  });
  const held = await bench.client.get(CONFIG_MAPS, 'held', 'default');
  let gone = false;
  const waiting = bench.delete('cm held').then(() => (gone = true));
  await bench.printed(/held" deleted\n[^]*held" deleted/);
  assert.equal(gone, false);
  await bench.client.update(CONFIG_MAPS, { ...held, metadata: { ...held.metadata, finalizers: [] } });
  await waiting;
});

test('logs says why there are none', async () => {
  const bench = await Bench.create();
  const read = (pod: string): Promise<void> => logs(bench.client, { pod, namespace: 'default' }, () => undefined, NEVER);
  await assert.rejects(read('gone'), { message: 'pods "gone" not found' });
  await assert.rejects(read('cm/one'), { message: '"cm/one" is not a pod: logs are those of pods' });
});
