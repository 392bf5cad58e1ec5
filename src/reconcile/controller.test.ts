/** Tests of the controller loop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import { Controller } from './controller.ts';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { WorkQueue } from './work-queue.ts';

/** Lets everything happen that is only waiting for promises. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('a key whose reconciler rejects is tried again after a pause', async () => {
  const clock = new ManualClock();
  const queue = new WorkQueue(clock);
  const stop = new AbortController();
  let calls = 0;
  const reconcile = (): Promise<void> => (++calls === 1 ? Promise.reject(new Error('no')) : Promise.resolve());
  const running = new Controller({ name: 'test', reconcile, queue, logger: silentLogger, workers: 2 }).run(stop.signal);
  queue.add('a');
  await settled();
  assert.equal(calls, 1);
  clock.advance(5);
  await settled();
  assert.equal(calls, 2);
  assert.equal(queue.failures('a'), 0);
  stop.abort();
  await running;
});

test('a reconciler may ask to be called again later', async () => {
  const clock = new ManualClock();
  const queue = new WorkQueue(clock);
  const stop = new AbortController();
  let calls = 0;
  const reconcile = (): Promise<{ requeueAfterMs: number }> => Promise.resolve({ requeueAfterMs: 100 * ++calls });
  const running = new Controller({ name: 'test', reconcile, queue, logger: silentLogger }).run(stop.signal);
  queue.add('a');
  await settled();
  clock.advance(100);
  await settled();
  assert.equal(calls, 2);
  clock.advance(199);
  await settled();
  assert.equal(calls, 2);
  stop.abort();
  await running;
});

test('one key is never worked on by two workers, two keys are', async () => {
  const queue = new WorkQueue(new ManualClock());
  const stop = new AbortController();
  const active: string[] = [];
  const finish: (() => void)[] = [];
  const reconcile = (key: string): Promise<void> => {
    active.push(key);
    return new Promise((resolve) => finish.push(resolve));
  };
  const running = new Controller({ name: 'test', reconcile, queue, logger: silentLogger, workers: 3 }).run(stop.signal);
  queue.add('a');
  queue.add('b');
  await settled();
  queue.add('a');
  await settled();
  assert.deepEqual(active, ['a', 'b']);
  finish[0]?.();
  await settled();
  assert.deepEqual(active, ['a', 'b', 'a']);
  stop.abort();
  for (const end of finish) end();
  await running;
});
