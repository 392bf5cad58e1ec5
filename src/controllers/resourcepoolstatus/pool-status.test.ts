/** Tests of the answers to pool status requests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Device, ResourceClaim, ResourcePoolStatusRequest, ResourceSlice } from '#api';
import { poolStatuses } from './pool-status.ts';

const DRIVER = 'gpu.example.com';

function slice(pool: string, devices: readonly Device[], more: Partial<ResourceSlice['spec']['pool']> = {}): ResourceSlice {
  return {
    metadata: { name: `${pool}-${String(devices[0]?.name)}` },
    spec: { driver: DRIVER, nodeName: pool, pool: { name: pool, generation: 1, resourceSliceCount: 1, ...more }, devices },
  };
}

function claim(pool: string, ...devices: readonly string[]): ResourceClaim {
  const results = devices.map((device) => ({ request: 'r', driver: DRIVER, pool, device }));
  return { metadata: { name: 'c' }, spec: {}, status: { allocation: { devices: { results } } } };
}

function ask(spec: Partial<ResourcePoolStatusRequest['spec']> = {}): ResourcePoolStatusRequest {
  return { metadata: { name: 'ask' }, spec: { driver: DRIVER, ...spec } };
}

test('devices are allocated, tainted or available', () => {
  const devices: Device[] = [{ name: 'a' }, { name: 'b', taints: [{ key: 'k', effect: 'NoSchedule' }] }, { name: 'c', taints: [{ key: 'k', effect: 'None' }] }];
  const { poolCount, pools } = poolStatuses(ask(), [slice('n1', devices)], [claim('n1', 'a'), claim('n2', 'c')]);
  assert.equal(poolCount, 1);
  assert.deepEqual(pools[0], {
    driver: DRIVER,
    poolName: 'n1',
    generation: 1,
    nodeName: 'n1',
    resourceSliceCount: 1,
    totalDevices: 3,
    allocatedDevices: 1,
    availableDevices: 1,
    unavailableDevices: 1,
  });
});

test('pools are counted all and listed up to the limit, by name', () => {
  const slices = ['b', 'c', 'a'].map((pool) => slice(pool, [{ name: 'x' }]));
  const { poolCount, pools } = poolStatuses(ask({ limit: 2 }), slices, []);
  assert.deepEqual([poolCount, ...pools.map(({ poolName }) => poolName)], [3, 'a', 'b']);
  assert.deepEqual(poolStatuses(ask({ poolName: 'c' }), slices, []).poolCount, 1);
  assert.deepEqual(poolStatuses(ask({ driver: 'other' }), slices, []), { poolCount: 0, pools: [] });
});

test('a pool that cannot be counted says why instead', () => {
  const why = (...slices: readonly ResourceSlice[]): string | undefined => poolStatuses(ask(), slices, []).pools[0]?.validationError;
  assert.equal(why(slice('p', [{ name: 'x' }], { resourceSliceCount: 2 })), 'pool is incomplete: 1 of 2 slices');
  assert.equal(why(slice('p', [{ name: 'x' }, { name: 'x' }])), 'pool is invalid: the device name x is not unique');
  assert.equal(
    why(slice('p', [{ name: 'x' }], { resourceSliceCount: 2 }), slice('p', [{ name: 'y' }], { resourceSliceCount: 3 })),
    'pool is invalid: its slices disagree about their number',
  );
  assert.equal(why(slice('p', [{ name: 'x' }], { resourceSliceCount: 2 }), slice('p', [{ name: 'y' }], { generation: 2 })), undefined);
});
