/** Tests of when volumes are written, and of what may be mounted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, VolumeMount } from '#api';
import { RestClient } from '#client';
import type { JsonObject } from '#machinery';
import type { HostFiles } from '#ports';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { fakeServer } from '../client/fake-server.test-data.ts';
import { PodVolumes } from './pod-volumes.ts';

const POD: Pod = {
  metadata: { name: 'p', namespace: 'ns', uid: 'u' },
  spec: {
    containers: [],
    volumes: [
      { name: 'access', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
      { name: 'scratch', emptyDir: {} },
    ],
  },
};

/** Volumes of a pod, on a server whose clock is beside the node's by so much. */
class Bench {
  readonly clock = new ManualClock();
  readonly #client: RestClient;
  readonly volumes: PodVolumes;
  /** What fails to be made; everything by its path. */
  broken = '';
  readonly tokens: string[] = [];
  /** The config map that every volume refers to. */
  settings: JsonObject = { data: { a: '1', b: '1' } };
  /** Names of files in the order in which they were written. */
  readonly written: string[] = [];
  readonly removed: string[] = [];
  /** What a node agent that ran before left in each volume. */
  left: readonly string[] = [];

  constructor(serverAheadMs = 0) {
    const { transport } = fakeServer(({ path }) => {
      if (path.includes('/configmaps/')) return { status: 200, body: this.settings };
      const token = `t${String(this.tokens.length)}`;
      this.tokens.push(token);
      const expirationTimestamp = new Date(this.clock.nowMs() + serverAheadMs + 3_600_000).toISOString();
      return { status: 201, body: { status: { token, expirationTimestamp } } };
    });
    this.#client = new RestClient(transport, { userAgent: 'test' });
    const write = async (path: string): Promise<void> => {
      if (this.broken !== '' && path.includes(this.broken)) throw new Error('disk full');
    };
    const writeAtomic = async (path: string): Promise<void> => {
      await write(path);
      this.written.push(path.slice(path.lastIndexOf('/') + 1));
    };
    const list = async (): ReturnType<HostFiles['list']> => this.left.map((name) => ({ name, kind: 'file' }));
    const files = { makeDirectory: write, writeAtomic, list, remove: async (path: string) => void this.removed.push(path) };
    // Volumes are only listed, written and removed.
    this.volumes = new PodVolumes({ files: files as Partial<HostFiles> as HostFiles, clock: this.clock, rootDir: '/r' }, 'u');
  }

  setUp(pod = POD): Promise<void> {
    return this.volumes.setUp(pod, { client: this.#client, hostIP: '', podIP: '' });
  }

  mounts(...volumeMounts: readonly VolumeMount[]): readonly (string | undefined)[] {
    return this.volumes.mountsOf({ name: 'c', volumeMounts }).map(({ source, options }) => `${source ?? ''} ${options?.at(-1) ?? ''}`);
  }
}

test('a token is renewed when four fifths of its life are over', async () => {
  const bench = new Bench();
  await bench.setUp();
  assert.equal(bench.volumes.dueInMs, 2_880_000);
});

test('volumes without a token are written once', async () => {
  const bench = new Bench();
  await bench.setUp({ ...POD, spec: { containers: [], volumes: [{ name: 'scratch', emptyDir: {} }] } });
  assert.equal(bench.volumes.dueInMs, Infinity);
});

/** Config and token in one directory, as every pod has them. */
const ACCESS: Pod = {
  ...POD,
  spec: {
    containers: [],
    volumes: [{ name: 'access', projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { configMap: { name: 'settings' } }] } }],
  },
};

test('config maps are looked at again after a minute, and only files that changed are touched', async () => {
  const bench = new Bench();
  const nextMinute = async (): Promise<readonly string[]> => {
    assert.equal(bench.volumes.dueInMs, 60_000);
    bench.clock.advance(60_000);
    assert.equal(bench.volumes.dueInMs, 0);
    await bench.setUp(ACCESS);
    return bench.written.splice(0);
  };
  await bench.setUp(ACCESS);
  assert.deepEqual(bench.written.splice(0), ['token', 'a', 'b']);
  assert.deepEqual(await nextMinute(), []);
  bench.settings = { data: { a: '2' }, binaryData: { c: 'AAE=' } };
  assert.deepEqual(await nextMinute(), ['a', 'c']);
  assert.deepEqual(bench.removed, ['/r/pods/u/volumes/access/b']);
  assert.deepEqual(await nextMinute(), []);
  assert.equal(bench.tokens.length, 1, 'a token is asked for when it is due, not with all else');
  bench.clock.advance(3_000_000);
  await bench.setUp(ACCESS);
  assert.equal(bench.tokens.length, 2);
});

test('a file that was written before another failed is put back when its content goes back', async () => {
  const bench = new Bench();
  await bench.setUp(ACCESS);
  bench.clock.advance(60_000);
  bench.settings = { data: { a: '2', b: '2' } };
  bench.broken = 'access/b';
  await assert.rejects(bench.setUp(ACCESS));
  bench.settings = { data: { a: '1', b: '1' } };
  bench.broken = '';
  bench.written.splice(0);
  bench.clock.advance(500);
  await bench.setUp(ACCESS);
  assert.deepEqual(bench.written, ['a']);
});

test('what an earlier run left and the config map has no more goes; directories of files and empty directories are left alone', async () => {
  const bench = new Bench();
  bench.left = ['a', 'gone', 'deep'];
  const items = [
    { key: 'a', path: 'a' },
    { key: 'b', path: 'deep/b' },
  ];
  const settings = { name: 'settings', configMap: { name: 'settings', items } };
  await bench.setUp({ ...POD, spec: { containers: [], volumes: [settings, { name: 'scratch', emptyDir: {} }] } });
  assert.deepEqual(bench.written, ['a', 'b']);
  assert.deepEqual(bench.removed, ['/r/pods/u/volumes/settings/gone']);
});

test('a name that every JavaScript object has is no key of a config map', async () => {
  const bench = new Bench();
  const settings = { name: 'settings', configMap: { name: 'settings', items: [{ key: 'constructor', path: 'c' }] } };
  await assert.rejects(
    bench.setUp({ ...POD, spec: { containers: [], volumes: [settings] } }),
    /references non-existent configmap "settings" key: constructor$/,
  );
});

test('a config map that never changes is not looked at again', async () => {
  const bench = new Bench();
  bench.settings = { ...bench.settings, immutable: true };
  await bench.setUp({ ...POD, spec: { containers: [], volumes: [{ name: 'settings', configMap: { name: 'settings' } }] } });
  assert.equal(bench.volumes.dueInMs, Infinity);
});

test('a token that is over by the clock of this machine is not asked for without end', async () => {
  const bench = new Bench(-7_200_000);
  await bench.setUp();
  assert.equal(bench.volumes.dueInMs, 60_000);
});

test('a failure is tried again after growing pauses, and unmakes nothing', async () => {
  const bench = new Bench();
  bench.broken = 'scratch';
  await assert.rejects(bench.setUp(), { message: 'MountVolume.SetUp failed for volume "scratch" : disk full' });
  assert.deepEqual([bench.volumes.areReady, bench.volumes.dueInMs], [false, 500]);
  await assert.rejects(bench.setUp());
  assert.equal(bench.volumes.dueInMs, 1000);
  bench.broken = '';
  await bench.setUp();
  bench.broken = 'token';
  bench.clock.advance(3_000_000);
  await assert.rejects(bench.setUp());
  assert.deepEqual([bench.volumes.areReady, bench.volumes.dueInMs], [true, 500]);
});

test('only empty directories are writable, and no mount leaves its volume', async () => {
  const bench = new Bench();
  assert.deepEqual(bench.mounts({ name: 'scratch', mountPath: '/s' }), [], 'nothing is made yet');
  await bench.setUp();
  const mounts = bench.mounts({ name: 'access', mountPath: '/a' }, { name: 'scratch', mountPath: '/s', subPath: 'x' });
  assert.deepEqual(mounts, ['/r/pods/u/volumes/access ro', '/r/pods/u/volumes/scratch/x rw']);
  assert.throws(() => bench.mounts({ name: 'scratch', mountPath: '/s', subPath: '../access' }), { message: 'subPath "../access" leaves the volume "scratch"' });
  assert.throws(() => bench.mounts({ name: 'scratch', mountPath: '/s', subPathExpr: '$(A)' }), /not supported/);
  await bench.volumes.tearDown();
  assert.deepEqual([bench.removed, bench.mounts({ name: 'scratch', mountPath: '/s' })], [['/r/pods/u'], []]);
});
