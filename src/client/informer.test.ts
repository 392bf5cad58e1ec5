/** Tests of the informer over a scripted server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import type { Json } from '#machinery';
import { FakeWatch, fakeServer } from './fake-server.test-data.ts';
import { Informer } from './informer.ts';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { NODES } from './resource.ts';
import { RestClient } from './rest-client.ts';

const random = { below: () => 0, uuid: () => '00000000-0000-4000-8000-000000000000' };

function node(name: string, resourceVersion: string, uid = name): Json {
  return { metadata: { name, resourceVersion, uid } };
}

function list(resourceVersion: string, ...items: Json[]): { body: Json } {
  return { body: { kind: 'NodeList', apiVersion: 'v1', metadata: { resourceVersion }, items } };
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** An informer whose events are written down, and a server that answers lists and watches one after another. */
function setUp(lists: { body: Json }[], watches: FakeWatch[]) {
  const { transport, requests } = fakeServer((request) => {
    const answer = request.path.includes('watch=true') ? watches.shift() : lists.shift();
    assert.ok(answer !== undefined, `unexpected ${request.path}`);
    return answer;
  });
  const clock = new ManualClock();
  const informer = new Informer({ client: new RestClient(transport, { userAgent: 'test' }), resource: NODES, clock, random, logger: silentLogger });
  const log: string[] = [];
  informer.addHandler({
    added: (now) => log.push(`+${now.metadata.name ?? ''}@${now.metadata.resourceVersion ?? ''}`),
    updated: (old, now) => log.push(`${now.metadata.name ?? ''}@${old.metadata.resourceVersion ?? ''}>${now.metadata.resourceVersion ?? ''}`),
    deleted: (last) => log.push(`-${last.metadata.name ?? ''}@${last.metadata.resourceVersion ?? ''}`),
  });
  return { informer, clock, log, requests };
}

test('an informer lists, then follows the watch from where the list stood', async () => {
  const watch = new FakeWatch();
  const { informer, log, requests } = setUp([list('5', node('a', '3'))], [watch]);
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  await informer.whenSynced();
  watch.send('MODIFIED', node('a', '6'));
  watch.send('ADDED', node('b', '7'));
  watch.send('BOOKMARK', { metadata: { resourceVersion: '9' } });
  watch.send('DELETED', node('a', '10'));
  await settled();
  assert.deepEqual(log, ['+a@3', 'a@3>6', '+b@7', '-a@10']);
  assert.deepEqual(
    informer.lister.list().map((object) => object.metadata.name),
    ['b'],
  );
  assert.match(requests[1]?.path ?? '', /resourceVersion=5&allowWatchBookmarks=true/);
  stop.abort();
  await running;
});

test('a watch that ends is resumed after the last bookmark without listing', async () => {
  const [first, second] = [new FakeWatch(), new FakeWatch()];
  const { informer, clock, requests } = setUp([list('5')], [first, second]);
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  await informer.whenSynced();
  first.send('BOOKMARK', { metadata: { resourceVersion: '12' } });
  await settled();
  first.end();
  await settled();
  clock.advance(2000);
  await settled();
  assert.equal(requests.length, 3);
  assert.match(requests[2]?.path ?? '', /resourceVersion=12&/);
  stop.abort();
  await running;
});

test('when the history is gone the collection is listed anew and only differences are told', async () => {
  const [first, second] = [new FakeWatch(), new FakeWatch()];
  const relisted = list('50', node('kept', '2'), node('changed', '40'), node('replaced', '41', 'other-uid'));
  const { informer, clock, log } = setUp(
    [list('5', node('kept', '2'), node('changed', '3'), node('gone', '4'), node('replaced', '5')), relisted],
    [first, second],
  );
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  await informer.whenSynced();
  log.length = 0;
  first.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' });
  await settled();
  clock.advance(2000);
  await settled();
  assert.deepEqual(log, ['-gone@4', 'changed@3>40', '-replaced@5', '+replaced@41']);
  stop.abort();
  await running;
});

test('when the server starts anew with fewer revisions the collection is listed anew', async () => {
  const { transport } = fakeServer((request) => {
    if (request.path.includes('resourceVersion=90')) {
      const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
      return { status: 504, body: { kind: 'Status', reason: 'Timeout', code: 504, details: { causes } } };
    }
    return request.path.includes('watch=true') ? watch : (lists.shift() ?? list('4'));
  });
  const watch = new FakeWatch();
  const lists = [list('90', node('a', '80')), list('3', node('b', '2'))];
  const clock = new ManualClock();
  const informer = new Informer({ client: new RestClient(transport, { userAgent: 'test' }), resource: NODES, clock, random, logger: silentLogger });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  await informer.whenSynced();
  await settled();
  clock.advance(60_000);
  await settled();
  assert.deepEqual(
    informer.lister.list().map((object) => object.metadata.name),
    ['b'],
  );
  stop.abort();
  await running;
});

test('a handler that is added late learns what is there, and one that throws stops nobody', async () => {
  const watch = new FakeWatch();
  const { informer, log } = setUp([list('5', node('a', '3'))], [watch]);
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  await informer.whenSynced();
  const late: string[] = [];
  informer.addHandler({
    added: (object) => {
      late.push(object.metadata.name ?? '');
      throw new Error('a defect');
    },
  });
  watch.send('ADDED', node('b', '6'));
  await settled();
  assert.deepEqual(late, ['a', 'b']);
  assert.deepEqual(log, ['+a@3', '+b@6']);
  stop.abort();
  await running;
});

test('indexes follow additions, changes and deletions', () => {
  const { informer } = setUp([], []);
  informer.addIndex('zone', (object) => [object.metadata.labels?.['zone'] ?? 'none']);
  informer.replace([{ metadata: { name: 'a', resourceVersion: '1', labels: { zone: 'x' } } }, { metadata: { name: 'b', resourceVersion: '1' } }]);
  informer.apply({ type: 'MODIFIED', object: { metadata: { name: 'b', resourceVersion: '2', labels: { zone: 'x' } } } });
  assert.deepEqual(
    informer.lister.byIndex('zone', 'x').map((object) => object.metadata.name),
    ['a', 'b'],
  );
  assert.deepEqual(informer.lister.byIndex('zone', 'none'), []);
  informer.apply({ type: 'DELETED', object: { metadata: { name: 'a', resourceVersion: '3' } } });
  assert.deepEqual(
    informer.lister.byIndex('zone', 'x').map((object) => object.metadata.name),
    ['b'],
  );
});
