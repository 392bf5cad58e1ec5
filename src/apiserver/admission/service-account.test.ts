/** Pods and the accounts that they run as. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock } from '#base';
import { isJsonObject, type Json, type JsonObject } from '#machinery';
import { TestServer } from '../api-server.test-data.ts';

const NAMESPACE = '/api/v1/namespaces/default';
/** Pauses end at once. */
const clock: Clock = {
  nowMs: () => 0,
  monotonicMs: () => 0,
  setTimer: (delayMs, callback) => {
    if (delayMs <= 1000) queueMicrotask(callback);
    return () => undefined;
  },
};
const server = (): TestServer => new TestServer({ clock, admission: {} });
const pod = (name: string, spec: object = {}): Json => ({ metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } });

async function specOf(cluster: TestServer, body: Json): Promise<JsonObject> {
  const { spec } = await cluster.must('POST', `${NAMESPACE}/pods`, body);
  assert.ok(isJsonObject(spec));
  return spec;
}

test('a pod runs as the default account and finds a token that is renewed', async () => {
  const cluster = server();
  await cluster.must('POST', `${NAMESPACE}/serviceaccounts`, { metadata: { name: 'default' }, imagePullSecrets: [{ name: 'registry' }] });
  const { serviceAccountName, volumes, containers, imagePullSecrets } = await specOf(cluster, pod('a'));
  assert.equal(serviceAccountName, 'default');
  assert.deepEqual(imagePullSecrets, [{ name: 'registry' }]);
  assert.ok(Array.isArray(volumes) && Array.isArray(containers));
  const [volume, container] = [volumes[0] as JsonObject, containers[0] as JsonObject];
  assert.deepEqual(container['volumeMounts'], [{ name: volume['name'], readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }]);
  assert.match(JSON.stringify(volume), /"serviceAccountToken":\{"expirationSeconds":3607,"path":"token"\}/);
});

test('a pod or its account may do without the token', async () => {
  const cluster = server();
  await cluster.must('POST', `${NAMESPACE}/serviceaccounts`, { metadata: { name: 'default' } });
  await cluster.must('POST', `${NAMESPACE}/serviceaccounts`, { metadata: { name: 'silent' }, automountServiceAccountToken: false });
  assert.equal((await specOf(cluster, pod('a', { automountServiceAccountToken: false })))['volumes'], undefined);
  assert.equal((await specOf(cluster, pod('b', { serviceAccountName: 'silent' })))['volumes'], undefined);
  assert.ok(Array.isArray((await specOf(cluster, pod('c', { serviceAccountName: 'silent', automountServiceAccountToken: true })))['volumes']));
});

test('a mirror pod refers to no secret, by no way', async () => {
  const env = [{ name: 'E', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }];
  const metadata = { name: 'm', annotations: { 'kubernetes.io/config.mirror': 'h' } };
  const mirror = { metadata, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i', env }] } };
  const { status, body } = await server().send('POST', `${NAMESPACE}/pods`, mirror);
  assert.deepEqual([status, body['message']], [403, 'pods "m" is forbidden: a mirror pod may not reference secrets']);
});

test('an account may limit its pods to the secrets that it names', async () => {
  const cluster = server();
  const metadata = { name: 'strict', annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } };
  await cluster.must('POST', `${NAMESPACE}/serviceaccounts`, { metadata, secrets: [{ name: 'known' }], imagePullSecrets: [{ name: 'registry' }] });
  const refusal = async (spec: object): Promise<Json | undefined> =>
    (await cluster.send('POST', `${NAMESPACE}/pods?dryRun=All`, pod('a', { serviceAccountName: 'strict', ...spec }))).body['message'];
  const volume = (secretName: string): object => ({ volumes: [{ name: 'v', secret: { secretName } }] });
  const container = (env: object): object => ({ containers: [{ name: 'c', image: 'i', ...env }] });
  const because = 'is not allowed because service account strict does not reference that';
  assert.equal(await refusal(volume('known')), undefined);
  assert.equal(await refusal(volume('other')), `pods "a" is forbidden: volume with secret.secretName="other" ${because} secret`);
  assert.equal(
    await refusal(container({ env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'other', key: 'k' } } }] })),
    `pods "a" is forbidden: container c with envVar E referencing secret.secretName="other" ${because} secret`,
  );
  assert.equal(
    await refusal({ initContainers: [{ name: 'i', image: 'i', envFrom: [{ secretRef: { name: 'other' } }] }] }),
    `pods "a" is forbidden: init container i with envFrom referencing secret.secretName="other" ${because} secret`,
  );
  assert.equal(
    await refusal({ imagePullSecrets: [{ name: 'registry' }, { name: 'other' }] }),
    `pods "a" is forbidden: imagePullSecrets[1].name="other" ${because} imagePullSecret`,
  );
});

test('a pod of an account that does not come is refused', async () => {
  const { status, body } = await server().send('POST', `${NAMESPACE}/pods`, pod('a', { serviceAccountName: 'nobody' }));
  assert.equal(status, 403);
  assert.match(String(body['message']), /error looking up service account default\/nobody: serviceaccount "nobody" not found$/);
});
