/** Tests of decisions: which node a pod gets in small and large clusters, and what is said when none fits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { featuresFromGates, Ledger, PoolIndex } from '#allocator';
import type { DeviceRequest, Node, Pod, ResourceClaim, ResourceSlice } from '#api';
import { decide } from './decide.ts';
import type { Snapshot } from './snapshot.ts';

const DRIVER = 'gpu.example.com';
const FEATURES = featuresFromGates(new Map([['DRAPrioritizedList', true]]));

function node(name: string, cpu = '8'): Node {
  return { metadata: { name, labels: { 'kubernetes.io/hostname': name } }, status: { allocatable: { cpu, memory: '16Gi', pods: '110' } } };
}

function nodes(count: number): Node[] {
  return Array.from({ length: count }, (_, i) => node(`n${String(i)}`));
}

function pod(name: string, cpu: string, more: Partial<NonNullable<Pod['spec']>> = {}): Pod {
  return { metadata: { name, namespace: 'default', uid: name }, spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }], ...more } };
}

function slice(nodeName: string, model: string): ResourceSlice {
  const device = { name: 'gpu-0', attributes: { model: { string: model } } };
  return {
    metadata: { name: nodeName },
    spec: { driver: DRIVER, nodeName, pool: { name: nodeName, generation: 1, resourceSliceCount: 1 }, devices: [device] },
  };
}

function claim(request: DeviceRequest): ResourceClaim {
  return { metadata: { name: 'c', namespace: 'default', uid: 'c' }, spec: { devices: { requests: [request] } } };
}

/** A snapshot of nodes, the pods on them, their slices and the one claim of the pod to place. */
function snapshotOf(
  all: readonly Node[],
  more: { running?: ReadonlyMap<string, readonly Pod[]>; slices?: readonly ResourceSlice[]; claim?: ResourceClaim },
): Snapshot {
  const pools = new PoolIndex();
  for (const one of more.slices ?? []) pools.upsertSlice(one);
  return {
    nodes: all,
    podsOn: (name) => more.running?.get(name) ?? [],
    nominatedTo: () => [],
    claimsOf: () => ({ ok: true, claims: more.claim === undefined ? [] : [more.claim] }),
    isInFlight: () => false,
    extendedClaimOf: () => undefined,
    deviceClass: (name) => ({ metadata: { name }, spec: { selectors: [{ cel: { expression: `device.driver == "${DRIVER}"` } }] } }),
    classesByResource: undefined,
    pools,
    ledger: new Ledger(),
    features: FEATURES,
    random: { below: () => 0, uuid: () => '00000000-0000-4000-8000-000000000000' },
    nowMs: 0,
    bindingTimeoutMs: 0,
  };
}

/** Where the pod goes, or what it is told. */
function decided(of: Pod, snapshot: Snapshot): string {
  const decision = decide(of, snapshot);
  return decision.kind === 'place' ? decision.nodeName : decision.message;
}

/** A wish for one device of the model. */
const byModel = (name: string, model: string) => ({
  name,
  allocationMode: 'ExactCount' as const,
  count: 1,
  deviceClassName: 'gpu',
  selectors: [{ cel: { expression: `device.attributes["${DRIVER}"].model == "${model}"` } }],
});

test('the node with most room is chosen, the first of equal ones', () => {
  for (const count of [3, 150]) {
    const running = new Map(
      nodes(count).map(({ metadata }) => [String(metadata.name), [pod(`on-${String(metadata.name)}`, metadata.name === 'n1' ? '1' : '4')]]),
    );
    assert.equal(decided(pod('p', '1'), snapshotOf(nodes(count), { running })), 'n1', `${String(count)} nodes`);
    assert.equal(decided(pod('p', '1'), snapshotOf(nodes(count), {})), 'n0', `${String(count)} empty nodes`);
  }
});

test('a better alternative of a claim outweighs any room, also where not all nodes are looked at', () => {
  const request: DeviceRequest = { name: 'gpu', firstAvailable: [byModel('best', 'a'), byModel('other', 'b')] };
  for (const count of [3, 150]) {
    const slices = nodes(count).map(({ metadata }) => slice(String(metadata.name), metadata.name === 'n2' ? 'a' : 'b'));
    const running = new Map([['n2', [pod('full', '6')]]]);
    assert.equal(decided(pod('p', '1'), snapshotOf(nodes(count), { slices, running, claim: claim(request) })), 'n2', `${String(count)} nodes`);
  }
});

test('the only node with the device is found however little room it has', () => {
  const request: DeviceRequest = { name: 'gpu', exactly: byModel('', 'a') };
  const running = new Map([['n149', [pod('full', '7')]]]);
  const snapshot = snapshotOf(nodes(150), { slices: [slice('n149', 'a'), slice('n3', 'b')], running, claim: claim(request) });
  assert.equal(decided(pod('p', '1'), snapshot), 'n149');
});

test('when no node fits the reasons of all are counted', () => {
  const request: DeviceRequest = { name: 'gpu', exactly: byModel('', 'a') };
  const all = [...nodes(120), { ...node('small', '500m') }, { ...node('closed'), spec: { unschedulable: true } }];
  assert.equal(
    decided(pod('p', '1'), snapshotOf(all, { claim: claim(request) })),
    '0/122 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable, 120 cannot allocate all claims. still not schedulable, preemption: 0/122 nodes are available: 122 Preemption is not helpful for scheduling.',
  );
});

test('without nodes there is nothing to say about any', () => {
  assert.equal(decided(pod('p', '1'), snapshotOf([], {})), 'no nodes available to schedule pods');
});
