/** Tests of the taints that rules add to published devices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { featuresFromGates, PoolIndex } from '#allocator';
import type { DeviceTaintRule, ResourceSlice } from '#api';
import { SliceTracker } from './slice-tracker.ts';

const NODE = { name: 'n1', labels: {} };
const FEATURES = featuresFromGates(new Map([['DRADeviceTaints', true]]));

function slice(devices: readonly string[], driver = 'gpu.example.com'): ResourceSlice {
  return {
    metadata: { name: `n1-${driver}` },
    spec: {
      driver,
      pool: { name: 'n1', generation: 1, resourceSliceCount: 1 },
      nodeName: 'n1',
      devices: devices.map((name) => ({ name, taints: [{ key: 'own', effect: 'None' }] })),
    },
  };
}

function rule(name: string, deviceSelector: DeviceTaintRule['spec']['deviceSelector']): DeviceTaintRule {
  return { metadata: { name }, spec: { taint: { key: name, effect: 'NoSchedule' }, ...(deviceSelector === undefined ? {} : { deviceSelector }) } };
}

/** The taints of each device as the allocator sees them. */
function taints(pools: PoolIndex): Readonly<Record<string, readonly string[]>> {
  const devices = pools.forNode({ ...NODE, labels: {} }, FEATURES).flatMap((pool) => pool.devices);
  return Object.fromEntries(devices.map(({ device }) => [device.name, (device.taints ?? []).map((taint) => taint.key)]));
}

test('rules add their taints after the own ones, by name, to the devices they select', () => {
  const pools = new PoolIndex();
  const tracker = new SliceTracker(pools);
  tracker.upsertRule(rule('z', { driver: 'gpu.example.com' }));
  tracker.upsertSlice(slice(['a', 'b']));
  tracker.upsertSlice(slice(['c'], 'nic.example.com'));
  tracker.upsertRule(rule('y', { device: 'a' }));
  tracker.upsertRule(rule('x', { pool: 'elsewhere' }));
  assert.deepEqual(taints(pools), { a: ['own', 'y', 'z'], b: ['own', 'z'], c: ['own'] });
});

test('a rule that changes or goes leaves nothing behind', () => {
  const pools = new PoolIndex();
  const tracker = new SliceTracker(pools);
  tracker.upsertSlice(slice(['a', 'b']));
  tracker.upsertRule(rule('r', { device: 'a' }));
  tracker.upsertRule(rule('r', { device: 'b' }));
  assert.deepEqual(taints(pools), { a: ['own'], b: ['own', 'r'] });
  tracker.deleteRule(rule('r', { device: 'b' }));
  assert.deepEqual(taints(pools), { a: ['own'], b: ['own'] });
});

test('a rule without selector selects nothing, an empty selector everything', () => {
  const pools = new PoolIndex();
  const tracker = new SliceTracker(pools);
  tracker.upsertSlice(slice(['a']));
  tracker.upsertRule(rule('none', undefined));
  tracker.upsertRule(rule('all', {}));
  assert.deepEqual(taints(pools), { a: ['own', 'all'] });
});
