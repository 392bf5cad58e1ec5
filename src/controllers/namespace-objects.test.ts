/** Tests of the objects that every namespace has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap } from '#api';
import { Metrics, silentLogger } from '#base';
import { CONFIG_MAPS, RestClient } from '#client';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { fakeServer, FakeWatch } from '../client/fake-server.test-data.ts';
import { SharedInformers } from './controller-context.ts';
import { keepInNamespaces } from './namespace-objects.ts';

const random = { below: () => 0, uuid: () => '00000000-0000-4000-8000-000000000000' };
const WANTED = { metadata: { name: 'kept' }, data: { a: 'right' } };

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !condition(); turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(condition());
}

test('an object that somebody else made first is mended as soon as it is seen', async () => {
  const watch = new FakeWatch();
  const forged = { metadata: { name: 'kept', namespace: 'ns', uid: 'u', resourceVersion: '2' }, data: { a: 'wrong' } };
  const { transport, requests } = fakeServer(({ method, path }) => {
    if (method === 'POST') return { status: 409, body: { kind: 'Status', status: 'Failure', reason: 'AlreadyExists', code: 409, message: 'there' } };
    if (method === 'PUT') return { body: { ...forged, data: WANTED.data } };
    if (path.includes('watch')) return path.includes('configmaps') ? watch : new FakeWatch();
    const namespace = { metadata: { name: 'ns', uid: 'n', resourceVersion: '1' } };
    return { body: { metadata: { resourceVersion: '1' }, items: path.includes('configmaps') ? [] : [namespace] } };
  });
  const sent = (method: string): readonly string[] => requests.filter((request) => request.method === method).map(({ body }) => body ?? '');
  const stop = new AbortController();
  const parts = { client: new RestClient(transport, { userAgent: 'test' }), clock: new ManualClock(), random, logger: silentLogger };
  const informers = new SharedInformers(parts, stop.signal);
  const mended = (live: ConfigMap): ConfigMap | undefined => (live.data?.['a'] === 'right' ? undefined : { ...live, data: WANTED.data });
  const kept = { controller: 'test', resource: CONFIG_MAPS, wanted: WANTED, mended };
  const running = keepInNamespaces({ ...parts, metrics: new Metrics(), gates: new Map(), informers }, kept, stop.signal);
  await until(() => sent('POST').length === 1);
  watch.send('ADDED', forged);
  await until(() => sent('PUT').length === 1);
  assert.match(sent('PUT')[0] ?? '', /"right"/);
  stop.abort();
  await Promise.all([running, informers.ended()]);
});
