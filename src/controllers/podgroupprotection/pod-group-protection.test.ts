/** Tests of when a pod group may go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, PodGroup } from '#api';
import { isReleased } from './pod-group-protection.ts';

function group(deletionTimestamp?: string): PodGroup {
  return { metadata: { name: 'g', deletionTimestamp, finalizers: ['scheduling.k8s.io/podgroup-protection'] }, spec: { schedulingPolicy: {} } };
}

function pod(phase: NonNullable<Pod['status']>['phase']): Pod {
  return { metadata: { name: 'p' }, spec: { containers: [] }, status: { phase } };
}

test('a group goes once it is deleted and none of its pods runs', () => {
  const deleted = group('2026-01-01T00:00:00Z');
  assert.equal(isReleased(deleted, []), true);
  assert.equal(isReleased(deleted, [pod('Succeeded'), pod('Failed')]), true);
  assert.equal(isReleased(deleted, [pod('Pending')]), false);
  assert.equal(isReleased(group(), []), false);
  assert.equal(isReleased({ ...deleted, metadata: { ...deleted.metadata, finalizers: [] } }, []), false);
});
