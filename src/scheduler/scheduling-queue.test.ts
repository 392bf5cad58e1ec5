/** Tests of the scheduling queue. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '#api';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { SchedulingQueue } from './scheduling-queue.ts';
import type { WakeCause } from './wake-cause.ts';

function pod(name: string, more: { priority?: number; uid?: string; labels?: Record<string, string> } = {}): Pod {
  return {
    metadata: { name, namespace: 'default', uid: more.uid ?? name, labels: more.labels ?? {} },
    spec: { containers: [], priority: more.priority ?? 0 },
  };
}

function causes(...list: WakeCause[]): ReadonlySet<WakeCause> {
  return new Set(list);
}

/** The name of the pod that can be had now, if any. */
async function takeNow(queue: SchedulingQueue): Promise<string | undefined> {
  const nobody = new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)));
  return (await Promise.race([queue.take(), nobody]))?.metadata.name;
}

test('higher priority goes first, then who has waited longest', async () => {
  const clock = new ManualClock();
  const queue = new SchedulingQueue(clock, () => true);
  queue.upsert(pod('old'));
  clock.advance(1);
  queue.upsert(pod('young'));
  queue.upsert(pod('important', { priority: 10 }));
  assert.deepEqual([await takeNow(queue), await takeNow(queue), await takeNow(queue)], ['important', 'old', 'young']);
});

test('a refused pod waits for a change that it cares about and for its backoff', async () => {
  const clock = new ManualClock();
  const queue = new SchedulingQueue(clock, () => true);
  queue.upsert(pod('a'));
  assert.equal(await takeNow(queue), 'a');
  queue.refused(pod('a'), causes('slice'));
  queue.wake('class');
  clock.advance(1500);
  assert.equal(await takeNow(queue), undefined);
  const next = queue.take();
  queue.wake('slice');
  assert.equal((await next)?.metadata.name, 'a', 'the backoff is over already');
  queue.refused(pod('a'), causes('slice'));
  const later = queue.take();
  queue.wake('slice');
  clock.advance(1999);
  queue.upsert(pod('b'));
  assert.equal((await later)?.metadata.name, 'b', 'the second backoff takes two seconds');
  clock.advance(1);
  assert.equal(await takeNow(queue), 'a');
});

test('what happens during an attempt is not missed', async () => {
  const clock = new ManualClock();
  const queue = new SchedulingQueue(clock, () => true);
  queue.upsert(pod('a'));
  await takeNow(queue);
  queue.wake('claim');
  queue.refused(pod('a'), causes('claim'));
  clock.advance(1000);
  assert.equal(await takeNow(queue), 'a');
});

test('a gated pod is handed out once it is ready', async () => {
  let ready = false;
  const queue = new SchedulingQueue(new ManualClock(), () => ready);
  queue.upsert(pod('a'));
  assert.equal(await takeNow(queue), undefined);
  const next = queue.take();
  ready = true;
  queue.recheck('default/a');
  assert.equal((await next)?.metadata.name, 'a');
});

test('the condition that the scheduler writes does not wake a pod, a change of labels does', async () => {
  const clock = new ManualClock();
  const queue = new SchedulingQueue(clock, () => true);
  queue.upsert(pod('a'));
  await takeNow(queue);
  queue.refused(pod('a'), causes('node'));
  clock.advance(5000);
  const next = queue.take();
  queue.upsert({ ...pod('a'), status: { conditions: [{ type: 'PodScheduled', status: 'False' }] } });
  queue.upsert(pod('b'));
  assert.equal((await next)?.metadata.name, 'b');
  queue.upsert(pod('a', { labels: { x: 'y' } }));
  assert.equal(await takeNow(queue), 'a');
});

test('an unschedulable pod is tried again after five minutes whatever happens', async () => {
  const clock = new ManualClock();
  const queue = new SchedulingQueue(clock, () => true);
  queue.upsert(pod('a'));
  await takeNow(queue);
  queue.refused(pod('a'), causes('node'));
  clock.advance(300_000);
  assert.equal(await takeNow(queue), 'a');
});

test('a removed pod is not handed out, and the answer for a former pod of its name does nothing', async () => {
  const clock = new ManualClock();
  const queue = new SchedulingQueue(clock, () => true);
  queue.upsert(pod('a', { uid: '1' }));
  await takeNow(queue);
  queue.upsert(pod('a', { uid: '2' }));
  queue.refused(pod('a', { uid: '1' }), causes('node'));
  queue.bound(pod('a', { uid: '1' }));
  queue.upsert(pod('b'));
  queue.remove('default/b');
  assert.equal(await takeNow(queue), 'a');
  assert.equal(await takeNow(queue), undefined);
});
