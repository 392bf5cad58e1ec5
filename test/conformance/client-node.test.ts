/** A foreign TypeScript client works against dray: the typed API, patches, informers and logs of @kubernetes/client-node. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  CoreV1Api,
  KubeConfig,
  makeInformer,
  PatchStrategy,
  ResourceV1Api,
  setHeaderOptions,
  type ResourceV1ResourceClaim,
  VersionApi,
} from '@kubernetes/client-node';
import { dray, eventually, freePort, inFolder, readyClient } from '../e2e/dray.ts';

const NAMESPACE = 'default';

describe('@kubernetes/client-node', () => {
  let config: KubeConfig;
  let finish = (): void => {};
  let folderGone: Promise<void>;

  before(async () => {
    const port = String(await freePort());
    const started = Promise.withResolvers<void>();
    folderGone = inFolder(async (folder) => {
      const server = dray('apiserver', '--data-dir', folder, '--store', 'memory', '--secure-port', port, '--disable-admission-plugins', 'ServiceAccount');
      await readyClient(server, folder).then(() => started.resolve(), started.reject);
      config = new KubeConfig();
      config.loadFromFile(join(folder, 'kubeconfig'));
      await new Promise<void>((resolve) => (finish = resolve));
      server.child.kill('SIGTERM');
      await server.ended;
    });
    await started.promise;
  });

  after(async () => {
    finish();
    await folderGone;
  });

  test('creates, reads, replaces, patches and deletes by its typed API', async () => {
    const api = config.makeApiClient(CoreV1Api);
    const body = { metadata: { name: 'settings', labels: { app: 'a' } }, data: { key: 'one' } };
    const created = await api.createNamespacedConfigMap({ namespace: NAMESPACE, body });
    assert.ok(created.metadata?.creationTimestamp instanceof Date);
    const replaced = await api.replaceNamespacedConfigMap({ namespace: NAMESPACE, name: 'settings', body: { ...created, data: { key: 'two' } } });
    assert.equal(replaced.data?.['key'], 'two');
    await assert.rejects(api.replaceNamespacedConfigMap({ namespace: NAMESPACE, name: 'settings', body: created }), { code: 409 });
    const patch = { namespace: NAMESPACE, name: 'settings', body: { data: { key: 'three' } } };
    const patched = await api.patchNamespacedConfigMap(patch, setHeaderOptions('Content-Type', PatchStrategy.MergePatch));
    assert.deepEqual(patched.data, { key: 'three' });
    const { items } = await api.listNamespacedConfigMap({ namespace: NAMESPACE, labelSelector: 'app=a', limit: 1 });
    assert.deepEqual(
      items.map(({ metadata }) => metadata?.name),
      ['settings'],
    );
    assert.equal((await api.deleteNamespacedConfigMap({ namespace: NAMESPACE, name: 'settings' })).status, 'Success');
    await assert.rejects(api.readNamespacedConfigMap({ namespace: NAMESPACE, name: 'settings' }), { code: 404 });
    assert.equal((await config.makeApiClient(VersionApi).getCode()).major, '1');
  });

  test('its informer sees claims come, change and go, also while they are written', async () => {
    const api = config.makeApiClient(ResourceV1Api);
    const claim = (name: string): ResourceV1ResourceClaim => ({
      metadata: { name },
      spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu.example.com' } }] } },
    });
    await api.createNamespacedResourceClaim({ namespace: NAMESPACE, body: claim('before') });
    const path = `/apis/resource.k8s.io/v1/namespaces/${NAMESPACE}/resourceclaims`;
    const informer = makeInformer<ResourceV1ResourceClaim>(config, path, () => api.listNamespacedResourceClaim({ namespace: NAMESPACE }));
    const seen: string[] = [];
    for (const verb of ['add', 'update', 'delete'] as const) informer.on(verb, ({ metadata }) => void seen.push(`${verb} ${metadata?.name ?? ''}`));
    await informer.start();
    await api.createNamespacedResourceClaim({ namespace: NAMESPACE, body: claim('after') });
    const labels = { namespace: NAMESPACE, name: 'after', body: { metadata: { labels: { seen: 'yes' } } } };
    await api.patchNamespacedResourceClaim(labels, setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch));
    await api.deleteNamespacedResourceClaim({ namespace: NAMESPACE, name: 'before' });
    await eventually(async () => (seen.length >= 4 ? true : undefined));
    assert.deepEqual(seen, ['add before', 'add after', 'update after', 'delete before']);
    assert.equal(informer.get('after', NAMESPACE)?.spec.devices?.requests?.[0]?.exactly?.count, 1);
    await informer.stop();
  });
});
