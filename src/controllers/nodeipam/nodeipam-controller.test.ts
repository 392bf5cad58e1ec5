/** Tests of what becomes of nodes when there are more of them than ranges. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, Node } from '#api';
import { Metrics, silentLogger } from '#base';
import { RestClient } from '#client';
import { parseJson } from '#machinery';
import { ManualClock } from '../../base/manual-clock.test-data.ts';
import { fakeServer, FakeWatch } from '../../client/fake-server.test-data.ts';
import { SharedInformers } from '../controller-context.ts';
import { runNodeIpamController } from './nodeipam-controller.ts';

const random = { below: () => 0, uuid: () => '00000000-0000-4000-8000-000000000000' };

function nodeNumber(number: number): Node {
  const metadata = { name: `n${String(number)}`, uid: `u${String(number)}`, resourceVersion: '1' };
  return { metadata, spec: number < 256 ? { podCIDR: `10.244.${String(number)}.0/24` } : {} };
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !condition(); turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(condition());
}

test('the 257th node is told that there is no range for it, and gets the next one that is given back', async () => {
  const watch = new FakeWatch();
  const nodes = Array.from({ length: 257 }, (_, number) => nodeNumber(number));
  const { transport, requests } = fakeServer(({ method, path, body }) => {
    if (method !== 'GET') return { status: method === 'POST' ? 201 : 200, body: parseJson(body ?? '{}') };
    return path.includes('watch') ? watch : { body: { metadata: { resourceVersion: '1' }, items: parseJson(JSON.stringify(nodes)) } };
  });
  const written = (method: string): readonly string[] => requests.filter((request) => request.method === method).map(({ body }) => body ?? '');
  const stop = new AbortController();
  const parts = { client: new RestClient(transport, { userAgent: 'test' }), clock: new ManualClock(), random, logger: silentLogger };
  const informers = new SharedInformers(parts, stop.signal);
  const running = runNodeIpamController({ ...parts, metrics: new Metrics(), gates: new Map(), informers }, stop.signal);
  await until(() => written('POST').length === 1);
  const event = JSON.parse(written('POST')[0] ?? '') as Event;
  assert.deepEqual([event.type, event.reason, event.involvedObject.name], ['Warning', 'CIDRNotAvailable', 'n256']);
  assert.match(event.message ?? '', /^Node n256 gets no range of pod addresses: all of 10\.244\.0\.0\/16 are given/);
  assert.deepEqual(written('PATCH'), []);
  watch.send('DELETED', parseJson(JSON.stringify({ ...nodeNumber(7), metadata: { ...nodeNumber(7).metadata, resourceVersion: '2' } })));
  await until(() => written('PATCH').length === 1);
  assert.deepEqual(JSON.parse(written('PATCH')[0] ?? ''), { spec: { podCIDR: '10.244.7.0/24', podCIDRs: ['10.244.7.0/24'] } });
  stop.abort();
  await Promise.all([running, informers.ended()]);
});
