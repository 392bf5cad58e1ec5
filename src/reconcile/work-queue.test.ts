/** Tests of the work queue. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { WorkQueue } from './work-queue.ts';

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
  const queue = new WorkQueue(clock, { firstMs: 10, maxMs: 35 });
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
