/** Tests of how a publisher knows its own writes again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject } from '#machinery';
import { OwnWrites } from './own-writes.ts';

function slice(name: string, resourceVersion: number): ApiObject {
  return { metadata: { name, resourceVersion: String(resourceVersion) } };
}

test('an own write is known once, one of somebody else never', () => {
  const writes = new OwnWrites();
  writes.add(slice('a', 5));
  writes.add(slice('a', 10));
  assert.equal(writes.arrived(slice('a', 5)), true);
  assert.equal(writes.arrived(slice('a', 7)), false);
  assert.equal(writes.arrived(slice('a', 10)), true);
  assert.equal(writes.arrived(slice('a', 10)), false);
  assert.equal(writes.arrived(slice('b', 1)), false);
});

test('what never arrives is forgotten: skipped by a list, deleted, or come and gone unseen', () => {
  const writes = new OwnWrites();
  for (let version = 1; version <= 1000; version++) writes.add(slice('skipped', version));
  assert.equal(writes.arrived(slice('skipped', 2000)), false);
  writes.add(slice('deleted', 2001));
  writes.gone(slice('deleted', 2001));
  writes.add(slice('unseen', 2002));
  writes.add(slice('here', 2003));
  writes.keepOnly([slice('here', 2003)]);
  assert.equal(writes.size, 1);
  assert.equal(writes.arrived(slice('here', 2003)), true);
  assert.equal(writes.size, 0);
});
