/** What a node agent puts into the volumes of a pod, and where its containers find it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Pod, Volume } from '#api';
import { CONFIG_MAPS, EVENTS, PODS, type RestClient, SERVICE_ACCOUNTS } from '#client';
import type { OciMount } from '#cdi';
import { isNotFound } from '#machinery';
import type { ContainerRuntime } from '#nodeagent';
import { eventually, inWorld, NODE } from './node-world.ts';

const PLACE = '/var/run/secrets/kubernetes.io/serviceaccount';
/** As the admission plugin ServiceAccount adds it. */
const ACCESS: Volume = {
  name: 'kube-api-access-abcde',
  projected: {
    defaultMode: 0o644,
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
    ],
  },
};
const ROOT_CA = { metadata: { name: 'kube-root-ca.crt', namespace: 'default' }, data: { 'ca.crt': 'PEM' } };

/** A pod of an image that nothing executes. */
function podWith(volumes: readonly Volume[]): Pod {
  const volumeMounts = volumes.map(({ name }, at) => ({ name, mountPath: at === 0 ? PLACE : `/v${String(at)}`, readOnly: at === 0 }));
  const containers = [{ name: 'main', image: 'example.com/any:1', volumeMounts }];
  return { metadata: { name: 'p', namespace: 'default', labels: { a: 'b' } }, spec: { nodeName: NODE, serviceAccountName: 'default', containers, volumes } };
}

async function phase(client: RestClient): Promise<string | undefined> {
  return (await client.get(PODS, 'p', 'default')).status?.phase;
}

/** The claims of a token, unchecked. */
function claimsOf(token: string): { readonly sub?: unknown; readonly 'kubernetes.io'?: { readonly pod?: { readonly uid?: unknown } } } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as ReturnType<typeof claimsOf>;
}

test('a pod finds a token bound to it, the root certificates and its namespace in one directory, which goes with the pod', () =>
  inWorld(async ({ client, rootDir, startAgent }) => {
    await client.create(SERVICE_ACCOUNTS, { metadata: { name: 'default', namespace: 'default' } });
    await client.create(CONFIG_MAPS, ROOT_CA);
    startAgent();
    const { uid = '' } = (await client.create(PODS, podWith([ACCESS]))).metadata;
    await eventually('running pod', async () => (await phase(client)) === 'Running');
    const directory = join(rootDir, 'pods', uid, 'volumes', ACCESS.name);
    const file = (name: string): string => readFileSync(join(directory, name), 'utf8');
    const { sub, 'kubernetes.io': own } = claimsOf(file('token'));
    assert.deepEqual([sub, own?.pod?.uid], ['system:serviceaccount:default:default', uid]);
    assert.deepEqual([file('ca.crt'), file('namespace')], ['PEM', 'default']);
    assert.equal(statSync(join(directory, 'token')).mode & 0o777, 0o644);
    const { mounts } = JSON.parse(readFileSync(join(rootDir, 'bundles', uid, 'main', 'config.json'), 'utf8')) as { mounts: readonly { destination: string }[] };
    assert.deepEqual(
      mounts.find(({ destination }) => destination === PLACE),
      { destination: PLACE, type: 'bind', source: directory, options: ['rbind', 'rprivate', 'ro'] },
    );
    await client.delete(PODS, 'p', { namespace: 'default', gracePeriodSeconds: 1 });
    await eventually('end of the pod', async () => client.get(PODS, 'p', 'default').then(() => false, isNotFound));
    assert.ok(!existsSync(join(rootDir, 'pods', uid)));
  }));

test('a pod whose volume cannot be made waits, says why, and starts once it can', () =>
  inWorld(async ({ client, startAgent }) => {
    await client.create(SERVICE_ACCOUNTS, { metadata: { name: 'default', namespace: 'default' } });
    startAgent();
    await client.create(PODS, podWith([ACCESS]));
    const event = await eventually('event', async () =>
      (await client.list(EVENTS, { namespace: 'default' })).items.find(({ reason }) => reason === 'FailedMount'),
    );
    assert.equal(event.message, 'MountVolume.SetUp failed for volume "kube-api-access-abcde" : configmap "kube-root-ca.crt" not found');
    assert.equal(await phase(client), 'Pending');
    await client.create(CONFIG_MAPS, ROOT_CA);
    await eventually('running pod', async () => (await phase(client)) === 'Running');
  }));

test('config maps, fields of the pod and empty directories are volumes too', () =>
  inWorld(async ({ client, rootDir, startAgent }) => {
    await client.create(CONFIG_MAPS, { metadata: { name: 'settings', namespace: 'default' }, data: { 'a.conf': 'a', 'b.conf': 'b' } });
    startAgent();
    const volumes: readonly Volume[] = [
      { name: 'settings', configMap: { name: 'settings' } },
      { name: 'some', configMap: { name: 'settings', items: [{ key: 'b.conf', path: 'deep/b', mode: 0o666 }] } },
      { name: 'about', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
      { name: 'empty', emptyDir: {} },
      { name: 'optional', configMap: { name: 'nowhere', optional: true } },
    ];
    const { uid = '' } = (await client.create(PODS, podWith(volumes))).metadata;
    await eventually('running pod', async () => (await phase(client)) === 'Running');
    const path = (...parts: readonly string[]): string => join(rootDir, 'pods', uid, 'volumes', ...parts);
    assert.equal(readFileSync(path('settings', 'a.conf'), 'utf8'), 'a');
    const modes = [path('some', 'deep', 'b'), path('empty'), path()].map((place) => statSync(place).mode & 0o777);
    assert.deepEqual(modes, [0o666, 0o777, 0o750], 'whatever mask the process has');
    assert.equal(readFileSync(path('about', 'labels'), 'utf8'), 'a="b"');
    assert.ok(existsSync(path('empty')) && existsSync(path('optional')));
    const { mounts } = JSON.parse(readFileSync(join(rootDir, 'bundles', uid, 'main', 'config.json'), 'utf8')) as { mounts: readonly OciMount[] };
    const accessOf = (name: string): string | undefined => mounts.find(({ source }) => source === path(name))?.options?.at(-1);
    assert.deepEqual([accessOf('some'), accessOf('about'), accessOf('empty')], ['ro', 'ro', 'rw'], 'a container writes only into empty directories');
  }));

test('a pod that is over leaves no token on its node', () =>
  inWorld(async ({ client, rootDir, startAgent }) => {
    await client.create(SERVICE_ACCOUNTS, { metadata: { name: 'default', namespace: 'default' } });
    await client.create(CONFIG_MAPS, ROOT_CA);
    startAgent();
    const pod = podWith([ACCESS]);
    const containers = [{ name: 'main', image: 'dray.local/sh', command: ['sh', '-c', 'exit 0'] }];
    const { uid = '' } = (await client.create(PODS, { ...pod, spec: { ...pod.spec, restartPolicy: 'Never', containers } })).metadata;
    await eventually('end of the container', async () => (await phase(client)) === 'Succeeded');
    assert.ok(!existsSync(join(rootDir, 'pods', uid)));
  }));

test('the volumes of a pod that vanished before it had a container go too', () =>
  inWorld(async ({ rootDir, startAgent }) => {
    const directory = join(rootDir, 'pods', 'gone');
    mkdirSync(join(directory, 'volumes', 'v'), { recursive: true });
    writeFileSync(join(directory, 'volumes', 'v', 'token'), 't');
    startAgent();
    await eventually('removal', async () => !existsSync(directory));
  }));

test('a node agent that starts again starts no container without the volumes that it cannot make', () =>
  inWorld(async ({ client, startAgent }) => {
    await client.create(CONFIG_MAPS, { metadata: { name: 'settings', namespace: 'default' }, data: { a: 'a' } });
    const first = startAgent();
    const pod = podWith([{ name: 'settings', configMap: { name: 'settings' } }]);
    await client.create(PODS, pod);
    await eventually('running pod', async () => (await phase(client)) === 'Running');
    await first.stop();
    await client.delete(CONFIG_MAPS, 'settings', { namespace: 'default' });
    const started: (readonly OciMount[])[] = [];
    const start: ContainerRuntime['start'] = async ({ oci }) => {
      started.push(oci.mounts ?? []);
      return { id: 'again', exited: new Promise(() => undefined), stop: async () => undefined };
    };
    // The container ended meanwhile.
    startAgent({ runtimes: [{ name: 'test', accepts: () => true, start, adopt: async () => undefined }] });
    await eventually('event', async () => (await client.list(EVENTS, { namespace: 'default' })).items.some(({ reason }) => reason === 'FailedMount'));
    assert.deepEqual(started, []);
    await client.create(CONFIG_MAPS, { metadata: { name: 'settings', namespace: 'default' }, data: { a: 'b' } });
    const mounts = await eventually<readonly OciMount[]>('container', async () => started[0]);
    assert.ok(mounts.some(({ destination }) => destination === PLACE));
  }));
