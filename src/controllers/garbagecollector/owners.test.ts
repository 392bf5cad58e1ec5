/** Tests of the judgement about owners. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject } from '#machinery';
import { blocks, judge, ownerState } from './owners.ts';

function owned(owners: number, finalizers: readonly string[] = []): ApiObject {
  return {
    metadata: {
      name: 'x',
      finalizers,
      ownerReferences: Array.from({ length: owners }, (_, i) => ({ apiVersion: 'v1', kind: 'Pod', name: `o${i}`, uid: `u${i}` })),
    },
  };
}

test('an object stays while one owner lives, and loses the references of the others', () => {
  assert.deepEqual(judge(owned(0), [], false), { kind: 'keep' });
  assert.deepEqual(judge(owned(1), ['solid'], false), { kind: 'keep' });
  const verdict = judge(owned(2), ['dangling', 'solid'], false);
  assert.deepEqual(verdict.kind === 'dropReferences' && verdict.keep.map((reference) => reference.uid), ['u1']);
});

test('an object without living owner is deleted in the way its finalizers ask for', () => {
  assert.deepEqual(judge(owned(1), ['dangling'], false), { kind: 'delete', propagationPolicy: 'Background' });
  assert.deepEqual(judge(owned(1, ['orphan']), ['dangling'], false), { kind: 'delete', propagationPolicy: 'Orphan' });
  assert.deepEqual(judge(owned(1), ['waiting'], true), { kind: 'delete', propagationPolicy: 'Foreground' });
  assert.deepEqual(judge(owned(1), ['waiting'], false), { kind: 'delete', propagationPolicy: 'Background' });
});

test('an owner counts as waiting only while it is deleted in the foreground', () => {
  const deletionTimestamp = '2026-01-01T00:00:00Z';
  assert.equal(ownerState(undefined), 'dangling');
  assert.equal(ownerState({ metadata: { finalizers: ['foregroundDeletion'] } }), 'solid');
  assert.equal(ownerState({ metadata: { deletionTimestamp, finalizers: ['foregroundDeletion'] } }), 'waiting');
});

test('only references that say so hold up the owner', () => {
  const reference = { apiVersion: 'v1', kind: 'Pod', name: 'o', uid: 'u' };
  assert.ok(blocks({ metadata: { ownerReferences: [{ ...reference, blockOwnerDeletion: true }] } }, 'u'));
  assert.ok(!blocks({ metadata: { ownerReferences: [reference] } }, 'u'));
});
