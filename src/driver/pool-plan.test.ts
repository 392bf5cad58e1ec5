/** What to write for a pool. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Device, ResourceSlice } from '#api';
import { type DesiredPool, planPool, splitDevices } from './pool-plan.ts';

const OWNER = { driver: 'd.example.com', nodeName: 'n', nodeReference: { apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u', controller: true } };
const devices = (count: number): Device[] => Array.from({ length: count }, (_, i) => ({ name: `dev-${i}` }));

/** What the server would have stored after the plan's creates and updates. */
function stored(slices: readonly ResourceSlice[]): ResourceSlice[] {
  return slices.map((slice, i) => ({
    ...slice,
    metadata: {
      ...slice.metadata,
      name: slice.metadata.name ?? `${slice.metadata.generateName ?? ''}abc`,
      uid: slice.metadata.uid ?? `uid-${i}`,
      resourceVersion: '1',
    },
  }));
}

function published(pool: DesiredPool): ResourceSlice[] {
  return stored(planPool('n', pool, [], OWNER).creates);
}

test('the first publication has generation 1, the full count and names in order', () => {
  const { creates } = planPool('n', { slices: splitDevices(devices(130)) }, [], OWNER);
  assert.deepEqual(
    creates.map((s) => [s.metadata.generateName, s.spec.pool, s.spec.devices?.length]),
    [
      ['00000-d.example.com-n-', { name: 'n', generation: 1, resourceSliceCount: 2 }, 128],
      ['00001-d.example.com-n-', { name: 'n', generation: 1, resourceSliceCount: 2 }, 2],
    ],
  );
});

test('the same content is not written again', () => {
  const pool = { slices: splitDevices(devices(3)) };
  assert.deepEqual(planPool('n', pool, published(pool), OWNER), { deletes: [], updates: [], creates: [] });
});

test('one changed slice keeps the generation', () => {
  const existing = published({ slices: splitDevices(devices(130)) });
  const plan = planPool('n', { slices: splitDevices([...devices(128), { name: 'x' }]) }, existing, OWNER);
  assert.deepEqual(
    plan.updates.map((s) => [s.metadata.name, s.spec.pool.generation]),
    [['00001-d.example.com-n-abc', 1]],
  );
});

test('a further slice raises the generation of all', () => {
  const existing = published({ slices: splitDevices(devices(3)) });
  const plan = planPool('n', { slices: splitDevices(devices(130)) }, existing, OWNER);
  assert.deepEqual(
    [...plan.updates, ...plan.creates].map((s) => s.spec.pool),
    Array(2).fill({ name: 'n', generation: 2, resourceSliceCount: 2 }),
  );
});

test('a slice too many is deleted and the count of the others follows', () => {
  const existing = published({ slices: splitDevices(devices(130)) });
  const plan = planPool('n', { slices: splitDevices(devices(128)) }, existing, OWNER);
  assert.deepEqual(
    plan.deletes.map((s) => s.metadata.name),
    ['00001-d.example.com-n-abc'],
  );
  assert.deepEqual(
    plan.updates.map((s) => s.spec.pool.resourceSliceCount),
    [1],
  );
});

test('a pool that is not wanted goes', () => {
  const existing = published({ slices: splitDevices(devices(1)) });
  assert.deepEqual(planPool('n', undefined, existing, OWNER).deletes, existing);
});

test('a time that the server gave a taint is no difference', () => {
  const pool = (taints: Device['taints']): DesiredPool => ({ slices: splitDevices([{ name: 'a', taints }]) });
  const existing = published(pool([{ key: 'k', effect: 'NoSchedule', timeAdded: '2026-01-01T00:00:00Z' }]));
  assert.deepEqual(planPool('n', pool([{ key: 'k', effect: 'NoSchedule' }]), existing, OWNER).updates, []);
  assert.equal(planPool('n', pool([{ key: 'k', effect: 'NoExecute' }]), existing, OWNER).updates.length, 1);
});

test('devices with taints come in slices of 64, counter sets in slices of their own by 8', () => {
  const tainted = devices(65).map((device) => ({ ...device, taints: [{ key: 'k', effect: 'None' as const }] }));
  const sets = Array.from({ length: 9 }, (_, i) => ({ name: `s${i}`, counters: { c: { value: '1' } } }));
  assert.deepEqual(
    splitDevices(tainted, sets).map((s) => [s.sharedCounters?.length ?? 0, s.devices?.length ?? 0]),
    [
      [8, 0],
      [1, 0],
      [0, 64],
      [0, 1],
    ],
  );
  assert.deepEqual(splitDevices([]), [{ devices: [] }]);
});
