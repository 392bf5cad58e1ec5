/** Tests of the heap. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heap } from './pod-heap.ts';

test('a heap hands out any sequence in order', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const values = Array.from({ length: seed }, (_, i) => (i * 7919 * seed) % 101);
    const heap = new Heap<number>((a, b) => a < b);
    for (const value of values) heap.push(value);
    assert.equal(heap.size, seed);
    assert.deepEqual(
      Array.from(values, () => heap.pop()),
      values.toSorted((a, b) => a - b),
    );
    assert.equal(heap.pop(), undefined);
  }
});
