/** Pools that no server would find wrong slice by slice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { poolProblems } from './pool-problems.ts';

test('a device or counter set may occur once in a pool, in whichever slices', () => {
  const slices = [
    { sharedCounters: [{ name: 's', counters: {} }] },
    { sharedCounters: [{ name: 's', counters: {} }] },
    { devices: [{ name: 'a' }, { name: 'b' }] },
    { devices: [{ name: 'a' }] },
  ];
  assert.deepEqual(poolProblems('p', { slices }), ['found duplicate device "a" in pool "p"', 'found duplicate counter set "s" in pool "p"']);
});

test('what a device consumes must be there', () => {
  const consumesCounters = [
    { counterSet: 's', counters: { memory: { value: '1' }, cores: { value: '1' } } },
    { counterSet: 't', counters: { memory: { value: '1' } } },
  ];
  const slices = [{ sharedCounters: [{ name: 's', counters: { memory: { value: '9' } } }] }, { devices: [{ name: 'a', consumesCounters }] }];
  assert.deepEqual(poolProblems('p', { slices }), [
    'device "a" in pool "p" consumes the unknown counter "s/cores"',
    'device "a" in pool "p" consumes counters of the unknown counter set "t"',
  ]);
});

test('a sound pool has no problems', () => {
  assert.deepEqual(poolProblems('p', { slices: [{ devices: [{ name: 'a' }, { name: 'b' }] }] }), []);
});
