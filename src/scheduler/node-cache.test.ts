/** Tests of what takes room on a node. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '#api';
import { NodeCache } from './node-cache.ts';

const pod = (uid: string): Pod => ({ metadata: { name: 'p', namespace: 'ns', uid }, spec: { containers: [] } });

test('a binding that failed takes no room from the pod that has the name now', () => {
  const cache = new NodeCache();
  cache.assume(pod('former'), 'n1');
  cache.remove('ns/p');
  cache.assume(pod('now'), 'n2');
  cache.forget(pod('former'));
  assert.deepEqual(cache.podsOn('n2'), [pod('now')]);
  cache.forget(pod('now'));
  assert.deepEqual(cache.podsOn('n2'), []);
});
