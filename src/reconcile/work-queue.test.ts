/** Tests of the work queue. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '#base';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { WorkQueue } from './work-queue.ts';
import { workQueueMetrics } from './work-queue-metrics.ts';

test('a key added twice is handed out once', async () => {
  const queue = new WorkQueue(new ManualClock());
  queue.add('a');
  queue.add('a');
  queue.add('b');
  assert.equal(await queue.take(), 'a');
  assert.equal(await queue.take(), 'b');
  assert.equal(queue.length, 0);
});

test('a key added while it is worked on comes again, but not before the work is done', async () => {
  const queue = new WorkQueue(new ManualClock());
  queue.add('a');
  assert.equal(await queue.take(), 'a');
  queue.add('a');
  assert.equal(queue.length, 0);
  queue.done('a');
  assert.equal(await queue.take(), 'a');
  queue.done('a');
  assert.ok(queue.idle);
});

test('a taker that waits gets the next key', async () => {
  const queue = new WorkQueue(new ManualClock());
  const taken = queue.take();
  queue.add('a');
  assert.equal(await taken, 'a');
  queue.add('a');
  assert.equal(queue.length, 0, 'the key is being worked on');
});

test('a key is delayed, and the earlier of two delays counts', async () => {
  const clock = new ManualClock();
  const queue = new WorkQueue(clock);
  queue.addAfter('a', 1000);
  queue.addAfter('a', 100);
  queue.addAfter('a', 500);
  clock.advance(99);
  assert.equal(queue.length, 0);
  clock.advance(1);
  assert.equal(await queue.take(), 'a');
  assert.equal(clock.pending, 0);
});

test('pauses after failures double up to the limit and start anew after success', () => {
  const clock = new ManualClock();
  const queue = new WorkQueue(clock, { retry: { firstMs: 10, maxMs: 35 } });
  for (const pauseMs of [10, 20, 35, 35]) {
    queue.addRateLimited('a');
    clock.advance(pauseMs - 1);
    assert.equal(queue.length, 0);
    clock.advance(1);
    assert.equal(queue.length, 1);
    void queue.take();
    queue.done('a');
  }
  queue.forget('a');
  assert.equal(queue.failures('a'), 0);
  queue.addRateLimited('a');
  clock.advance(10);
  assert.equal(queue.length, 1);
});

test('closing frees takers, cancels timers and ignores additions', async () => {
  const clock = new ManualClock();
  const queue = new WorkQueue(clock);
  const taken = queue.take();
  queue.addAfter('a', 10);
  queue.close();
  queue.add('b');
  assert.equal(await taken, undefined);
  assert.equal(await queue.take(), undefined);
  assert.equal(clock.pending, 0);
});

test('a queue with metrics counts what is added, waits and is retried', async () => {
  const clock = new ManualClock();
  const metrics = new Metrics();
  const queue = new WorkQueue(clock, { metrics: workQueueMetrics(metrics, 'claims') });
  queue.add('a');
  queue.add('a');
  queue.add('b');
  clock.advance(2_000);
  await queue.take();
  clock.advance(500);
  queue.done('a');
  queue.addRateLimited('a');
  const lines = metrics.exposition();
  assert.match(lines, /^workqueue_adds_total\{name="claims"\} 2$/m);
  assert.match(lines, /^workqueue_depth\{name="claims"\} 1$/m);
  assert.match(lines, /^workqueue_retries_total\{name="claims"\} 1$/m);
  assert.match(lines, /^workqueue_queue_duration_seconds_sum\{name="claims"\} 2$/m);
  assert.match(lines, /^workqueue_work_duration_seconds_sum\{name="claims"\} 0\.5$/m);
});
