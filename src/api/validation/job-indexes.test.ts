/** Lists of completion indexes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexesOf, sharedIndex } from './job-indexes.ts';

test('a list of indexes rises, stays below the completions, and counts what it names', () => {
  assert.deepEqual(indexesOf('', 3), { total: 0 });
  assert.deepEqual(indexesOf('0-2,5', 6), { total: 4 });
  assert.equal(indexesOf('0,3', 3).problem, 'too large index: "3"');
  assert.equal(indexesOf('2,1', 3).problem, 'non-increasing order, previous: 2, current: 1');
  assert.equal(indexesOf('2-2', 3).problem, 'non-increasing order, previous: 2, current: 2');
  assert.equal(indexesOf('a', 3).problem, 'cannot convert string to integer for index: "a"');
  assert.match(indexesOf('0-1-2', 3).problem ?? '', /at most two parts/);
});

test('two lists share the first index that is in both', () => {
  assert.equal(sharedIndex('0-2,5', '3-4,6', 9), undefined);
  assert.equal(sharedIndex('0-2,5-7', '3,6-8', 9), 6);
  assert.equal(sharedIndex('x,5', '5', 9), 5);
});
