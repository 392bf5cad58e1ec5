/** Tests of when device taints force pods off. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceTaint, DeviceTaintRule, DeviceToleration, ResourceClaim } from '#api';
import { evictionReasons, selects } from './eviction-time.ts';

const ADDED = '2026-01-01T00:00:00Z';
const ADDED_MS = Date.parse(ADDED);
const TAINT: DeviceTaint = { key: 'sick', value: 'yes', effect: 'NoExecute', timeAdded: ADDED };

function claim(tolerations: readonly DeviceToleration[]): ResourceClaim {
  const result = { request: 'r', driver: 'd', pool: 'p', device: 'x', tolerations };
  return { metadata: { name: 'c' }, spec: {}, status: { allocation: { devices: { results: [result] } } } };
}

/** Seconds after the taint was added at which each reason takes effect. */
function seconds(of: ResourceClaim, taints: readonly DeviceTaint[], rules: readonly DeviceTaintRule[] = []): readonly number[] {
  return evictionReasons(of, () => taints, rules).map(({ atMs }) => (atMs - ADDED_MS) / 1000);
}

test('only NoExecute taints force pods off, at once when nothing tolerates them', () => {
  assert.deepEqual(seconds(claim([]), [TAINT, { ...TAINT, effect: 'NoSchedule' }, { ...TAINT, effect: 'None' }]), [0]);
});

test('a toleration without end spares the pod, otherwise the shortest one counts', () => {
  const forever: DeviceToleration = { key: 'sick', operator: 'Exists' };
  const until = (tolerationSeconds: number): DeviceToleration => ({ ...forever, tolerationSeconds });
  assert.deepEqual(seconds(claim([forever, until(5)]), [TAINT]), []);
  assert.deepEqual(seconds(claim([until(30), until(5)]), [TAINT]), [5]);
  assert.deepEqual(seconds(claim([until(-7)]), [TAINT]), [0]);
  assert.deepEqual(seconds(claim([{ ...until(5), key: 'other' }]), [TAINT]), [0]);
});

test('rules act on the devices they select, also on devices that are not published any more', () => {
  const rule = (deviceSelector: DeviceTaintRule['spec']['deviceSelector']): DeviceTaintRule => ({
    metadata: { name: 'r' },
    spec: { taint: TAINT, ...(deviceSelector === undefined ? {} : { deviceSelector }) },
  });
  assert.deepEqual(seconds(claim([]), [], [rule({ device: 'x' }), rule({ pool: 'q' }), rule({})]), [0, 0]);
  assert.equal(selects(rule(undefined), { driver: 'd', pool: 'p', device: 'x' }), false);
});
