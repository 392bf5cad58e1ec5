/** Tests of how many pods a replica set lacks, and which of too many go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, ReplicaSet } from '#api';
import { nextAvailableMs, replicaPlan, replicaStatus, sameCounts } from './replicas.ts';

const NOW = Date.parse('2026-01-01T00:01:00Z');

function set(replicas: number, minReadySeconds = 0): ReplicaSet {
  return { metadata: { name: 's', generation: 3 }, spec: { replicas, minReadySeconds, selector: {}, template: { metadata: { labels: { app: 'a' } } } } };
}

function pod(name: string, more: { phase?: NonNullable<Pod['status']>['phase']; ready?: string; node?: string; cost?: string; going?: boolean } = {}): Pod {
  const { phase = 'Running', ready, node = 'n1', cost, going = false } = more;
  return {
    metadata: {
      name,
      labels: { app: 'a' },
      ...(cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
      ...(going ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: { containers: [], nodeName: node },
    status: { phase, conditions: ready === undefined ? [] : [{ type: 'Ready', status: 'True', lastTransitionTime: ready }] },
  };
}

test('pods that are over or going are replaced', () => {
  const pods = [pod('a'), pod('b', { phase: 'Failed' }), pod('c', { phase: 'Succeeded' }), pod('d', { going: true })];
  assert.deepEqual(replicaPlan(set(3), pods), { create: 2, remove: [] });
});

test('of too many pods those go that are missed least', () => {
  const ready = '2026-01-01T00:00:00Z';
  const pods = [
    pod('cheap', { ready, cost: '-5' }),
    pod('dear', { ready, cost: '5' }),
    pod('unready'),
    pod('pending', { phase: 'Pending' }),
    pod('homeless', { phase: 'Pending', node: '' }),
  ];
  const names = replicaPlan(set(1), pods).remove.map(({ metadata }) => metadata.name);
  assert.deepEqual(names, ['homeless', 'pending', 'unready', 'cheap']);
});

test('a pod is available once it has been ready for long enough', () => {
  const pods = [pod('a', { ready: '2026-01-01T00:00:55Z' }), pod('b', { ready: '2026-01-01T00:00:00Z' }), pod('c')];
  const status = replicaStatus(set(3, 30), pods, NOW);
  assert.deepEqual([status.replicas, status.readyReplicas, status.availableReplicas, status.fullyLabeledReplicas, status.observedGeneration], [3, 2, 1, 3, 3]);
  assert.equal(nextAvailableMs(set(3, 30), pods, NOW), 25_000);
  assert.equal(nextAvailableMs(set(3), pods, NOW), undefined);
});

test('an absent count is nothing', () => {
  assert.ok(sameCounts({ replicas: 0, readyReplicas: 1 }, { readyReplicas: 1 }));
  assert.ok(!sameCounts({ replicas: 1 }, undefined));
});
