/** LeaseCandidates are checked as upstream checks them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiObject } from '#machinery';
import type { StrategyContext } from '../kind.ts';
import { LEASE_CANDIDATE } from './lease-candidate.ts';

const context: StrategyContext = { gates: new Map(), subresource: '', now: '2026-01-01T00:00:00Z', checkSelector: () => [] };

function problems(spec: object): readonly string[] {
  const object = { apiVersion: 'coordination.k8s.io/v1beta1', kind: 'LeaseCandidate', metadata: { name: 'a', namespace: 'default' }, spec } as ApiObject;
  return (LEASE_CANDIDATE.validateCreate?.(object, context) ?? []).map(({ path, message }) => `${path}: ${message}`);
}

test('a candidate names a lease, its versions and a strategy', () => {
  const good = { leaseName: 'scheduler', binaryVersion: '1.36.0', emulationVersion: '1.35.0', strategy: 'OldestEmulationVersion' };
  assert.deepEqual(problems(good), []);
  assert.deepEqual(problems({}), ['spec.leaseName: Required value', 'spec.binaryVersion: Required value', 'spec.strategy: Required value']);
  assert.deepEqual(problems({ ...good, binaryVersion: '1.34.0' }), [
    'spec.binaryVersion: Invalid value: "1.34.0": must be greater than or equal to `emulationVersion`',
  ]);
  assert.deepEqual(problems({ ...good, emulationVersion: undefined }), [
    "spec.emulationVersion: Required value: must be specified when `strategy` is 'OldestEmulationVersion'",
  ]);
  assert.deepEqual(problems({ ...good, strategy: 'Youngest' }), [
    'spec.strategy.strategy: Unsupported value: "Youngest": supported values: "OldestEmulationVersion"',
  ]);
});
