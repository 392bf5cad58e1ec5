/** What is kept of objects that were decoded or shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS } from '#api';
import { MemoryStore } from '#storage';
import { onlyScopeOf } from '../catalog.ts';
import { ObjectStore, type StoredObject } from './object-store.ts';

test('lines and decoded objects are kept for a while, of large ones for few', async () => {
  const kind = KINDS.find((known) => known.kind === 'ConfigMap');
  assert.ok(kind !== undefined);
  const scope = onlyScopeOf(kind);
  const objects = new ObjectStore(new MemoryStore());
  const put = async (name: string): Promise<StoredObject> => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { text: 'x'.repeat(1_000_000) } };
    const stored = await objects.put(scope, object, 0);
    assert.ok(stored !== undefined);
    return stored;
  };
  const look = async (name: string): Promise<void> => {
    const stored = await put(name);
    assert.ok(stored.eventLine('ADDED', scope).length > 1_000_000);
    assert.equal(stored.object.metadata.name, name);
  };
  const first = await put('first');
  const [line, object] = [first.eventLine('ADDED', scope), first.object];
  for (let i = 0; i < 10; i++) await look(`next-${String(i)}`);
  assert.ok(first.eventLine('ADDED', scope) === line);
  assert.ok(first.object === object);
  for (let i = 0; i < 10; i++) await look(`more-${String(i)}`);
  assert.ok(first.eventLine('ADDED', scope) !== line);
  assert.ok(first.object !== object);
});
