/** Tests of what the recorded cases cannot show: sequences of allocations, state kept over time, and the reasons of refusals. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AllocationResult, Device, DeviceClass, ResourceClaim, ResourceSlice } from '#api';
import { type AllocateOutcome, Allocator, type Features, featuresFromGates, Ledger, NO_FEATURES, PoolIndex } from './index.ts';

const NODE = { name: 'node-1', labels: { 'kubernetes.io/hostname': 'node-1' } };
const ANY: DeviceClass = { metadata: { name: 'any' }, spec: {} };

function slice(name: string, devices: readonly Device[], extra: Partial<ResourceSlice['spec']> = {}): ResourceSlice {
  const pool = { name: 'pool', generation: 1, resourceSliceCount: 1 };
  return { metadata: { name }, spec: { driver: 'd.example.com', nodeName: 'node-1', pool, devices, ...extra } };
}

function claim(name: string, ...requests: NonNullable<NonNullable<ResourceClaim['spec']['devices']>['requests']>): ResourceClaim {
  return { metadata: { name, namespace: 'default' }, spec: { devices: { requests } } };
}

function wanting(name: string, count: number): ResourceClaim {
  return claim(name, { name: 'r', exactly: { deviceClassName: 'any', allocationMode: 'ExactCount', count } });
}

interface World {
  readonly pools: PoolIndex;
  readonly ledger: Ledger;
  readonly features?: Features;
}

function allocatorOf({ pools, ledger, features = NO_FEATURES }: World, claims: readonly ResourceClaim[], effortMax?: number): Allocator {
  let shares = 0;
  const random = { below: () => 0, uuid: () => `share-${shares++}` };
  return new Allocator({ claims, pools, ledger, features, random, effortMax, deviceClass: (name) => (name === 'any' ? ANY : undefined) });
}

function run(world: World, claims: readonly ResourceClaim[], effortMax?: number): AllocateOutcome {
  return allocatorOf(world, claims, effortMax).allocate(NODE);
}

function allocated(claimed: ResourceClaim, allocation: AllocationResult | undefined): ResourceClaim {
  return { ...claimed, status: { allocation } };
}

function devicesOf(allocation: AllocationResult | undefined): readonly string[] {
  return (allocation?.devices?.results ?? []).map((result) => `${result.driver}/${result.pool}/${result.device}`);
}

function worldOf(...slices: readonly ResourceSlice[]): World {
  const pools = new PoolIndex();
  for (const item of slices) pools.upsertSlice(item);
  return { pools, ledger: new Ledger() };
}

const names = (count: number): readonly Device[] => Array.from({ length: count }, (_, i) => ({ name: `dev-${i}` }));

/** One action: allocate a pod with claims of these counts, or give back the claim with this number. */
const action = fc.oneof(fc.record({ pod: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }) }), fc.record({ release: fc.nat(20) }));

test('whatever is allocated and released, no device is given to two claims at once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(action, { maxLength: 20 }), (deviceCount, actions) => {
      const world = worldOf(slice('s', names(deviceCount)));
      const holders = new Map<string, string>();
      actions.forEach((step, at) => {
        if ('release' in step) {
          const [owner] = [...new Set(holders.values())].slice(step.release);
          if (owner === undefined) return;
          world.ledger.deleteClaim(owner);
          for (const [device, holder] of holders) if (holder === owner) holders.delete(device);
          return;
        }
        const claims = step.pod.map((count, i) => wanting(`c-${at}-${i}`, count));
        const outcome = run(world, claims);
        const wanted = step.pod.reduce((sum, count) => sum + count, 0);
        assert.equal(outcome.kind === 'allocated', wanted <= deviceCount - holders.size, 'allocated exactly when enough devices are free');
        if (outcome.kind !== 'allocated') return;
        claims.forEach((each, i) => {
          for (const device of devicesOf(outcome.allocations[i])) {
            assert.equal(holders.has(device), false, `${device} is given twice`);
            holders.set(device, `default/${each.metadata.name ?? ''}`);
          }
          world.ledger.upsertClaim(allocated(each, outcome.allocations[i]));
        });
      });
    }),
  );
});

test('shares of a device never exceed its capacity', () => {
  const features = { ...NO_FEATURES, consumableCapacity: true };
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 12 }), (amounts) => {
      const shared: Device = { name: 'dev', allowMultipleAllocations: true, capacity: { memory: { value: '16' } } };
      const world = { ...worldOf(slice('s', [shared])), features };
      let used = 0;
      amounts.forEach((amount, i) => {
        const asking = claim(`c-${i}`, {
          name: 'r',
          exactly: { deviceClassName: 'any', allocationMode: 'ExactCount', count: 1, capacity: { requests: { memory: `${amount}` } } },
        });
        const outcome = run(world, [asking]);
        assert.equal(outcome.kind, used + amount <= 16 ? 'allocated' : 'unschedulable');
        if (outcome.kind !== 'allocated') return;
        used += amount;
        world.ledger.upsertClaim(allocated(asking, outcome.allocations[0]));
      });
    }),
  );
});

test('nobody gets a device as a whole while shares of it are held, though its driver has stopped sharing it', () => {
  const capacity = { memory: { value: '40Gi', requestPolicy: { default: '10Gi' } } };
  const sharing = {
    ...worldOf(slice('s', [{ name: 'gpu', allowMultipleAllocations: true, capacity }])),
    features: { ...NO_FEATURES, consumableCapacity: true },
  };
  const first = wanting('first', 1);
  const outcome = run(sharing, [first]);
  assert.equal(outcome.kind, 'allocated');
  if (outcome.kind !== 'allocated') return;
  assert.notEqual(outcome.allocations[0]?.devices?.results?.[0]?.shareID, undefined);
  const { pools } = worldOf(slice('s', [{ name: 'gpu', capacity }]));
  const exclusive = { ...sharing, pools };
  assert.equal(run(exclusive, [wanting('second', 1)]).kind, 'allocated', 'before the share is known');
  sharing.ledger.upsertClaim(allocated(first, outcome.allocations[0]));
  assert.equal(run(exclusive, [wanting('second', 1)]).kind, 'unschedulable');
});

test('an index that saw slices come, change and go offers what a fresh one does', () => {
  const change = fc.record({
    slice: fc.nat(3),
    devices: fc.nat(3),
    generation: fc.integer({ min: 1, max: 2 }),
    count: fc.integer({ min: 1, max: 2 }),
    gone: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const kept = worldOf();
      const current = new Map<string, ResourceSlice>();
      for (const { slice: number, devices, generation, count, gone } of changes) {
        const name = `s-${number}`;
        const item = slice(
          name,
          names(devices).map(({ name: device }) => ({ name: `${name}-${device}` })),
          { pool: { name: `pool-${number % 2}`, generation, resourceSliceCount: count } },
        );
        if (gone) kept.pools.deleteSlice(name);
        else kept.pools.upsertSlice(item);
        if (gone) current.delete(name);
        else current.set(name, item);
        const asking = [wanting('c', 2)];
        assert.deepEqual(run(kept, asking), run(worldOf(...current.values()), asking));
      }
    }),
  );
});

test('allocating changes neither the pools nor the ledger', () => {
  const world = worldOf(slice('s', names(2)));
  assert.deepEqual(run(world, [wanting('c', 2)]), run(world, [wanting('c', 2)]));
  assert.equal(world.ledger.revision, 0);
});

test('a refusal says for each device why it was not given', () => {
  const features = { ...NO_FEATURES, deviceTaints: true };
  const world = { ...worldOf(slice('s', [{ name: 'used' }, { name: 'ill', taints: [{ key: 'wear', effect: 'NoSchedule' }] }, { name: 'free' }])), features };
  const first = run(world, [wanting('a', 1)]);
  assert.ok(first.kind === 'allocated');
  world.ledger.upsertClaim(allocated(wanting('a', 1), first.allocations[0]));
  const refusal = allocatorOf(world, [wanting('b', 2)]).explain(NODE);
  assert.equal(refusal?.message, 'cannot allocate all claims');
  assert.deepEqual(refusal.requests, [
    {
      claim: 'default/b',
      request: 'r',
      wanted: 2,
      usable: 1,
      devices: [
        { device: 'd.example.com/pool/used', reason: { kind: 'allocated', by: ['default/a'] } },
        { device: 'd.example.com/pool/ill', reason: { kind: 'taint', taint: { key: 'wear', effect: 'NoSchedule' } } },
      ],
    },
  ]);
});

test('a broken pool is named in the trace and not in the text', () => {
  const refusal = allocatorOf(worldOf(slice('s', [{ name: 'twin' }, { name: 'twin' }])), [wanting('c', 1)]).explain(NODE);
  assert.equal(refusal?.message, 'invalid resource pools were encountered');
  assert.deepEqual(refusal.pools, [{ pool: 'd.example.com/pool', state: 'invalid', reason: 'duplicate device name twin' }]);
});

test('a search without prospect ends after its share of steps', () => {
  // Any two devices leave too little for a third, which counting devices does not tell.
  const counters = (at: number): Device['consumesCounters'] => [{ counterSet: 'set', counters: { units: { value: `${34 + (at % 3)}` } } }];
  const devices = names(24).map((device, at) => ({ ...device, consumesCounters: counters(at), attributes: { at: { int: at } } }));
  const pool = { name: 'pool', generation: 1, resourceSliceCount: 2 };
  const set = slice('counters', [], { pool, sharedCounters: [{ name: 'set', counters: { units: { value: '305' } } }] });
  const world = { ...worldOf(slice('s', devices, { pool }), set), features: { ...NO_FEATURES, partitionableDevices: true } };
  const outcome = run(world, [wanting('a', 9)], 10_000);
  assert.ok(outcome.kind === 'unschedulable');
  assert.equal(outcome.cause, 'searchLimit');
  assert.equal(outcome.reason, 'timed out trying to allocate devices');
});

test('a wish that counting alone refutes is refused at once, however it is put', () => {
  const world = worldOf(slice('s', names(31)));
  const single = (at: number) => ({ name: `r${at}`, exactly: { deviceClassName: 'any', allocationMode: 'ExactCount' as const, count: 1 } });
  const wishes = {
    'too many of one request': [wanting('a', 32)],
    'two claims': [wanting('a', 16), wanting('b', 16)],
    '32 requests': [claim('a', ...Array.from({ length: 32 }, (_, at) => single(at)))],
    'claims of many requests': [
      claim('a', ...Array.from({ length: 20 }, (_, at) => single(at))),
      claim('b', ...Array.from({ length: 12 }, (_, at) => single(at))),
    ],
  };
  for (const [name, claims] of Object.entries(wishes)) {
    const outcome = run(world, claims, 20_000);
    assert.ok(outcome.kind === 'unschedulable' && outcome.cause === 'noFit', name);
    assert.ok(outcome.steps < 100, `${name}: ${outcome.steps} steps`);
  }
});

test('looking on with adminAccess neither needs nor takes a free device', () => {
  const features = { ...NO_FEATURES, adminAccess: true };
  const world = { ...worldOf(slice('s', names(1))), features };
  const admin = claim('admin', { name: 'r', exactly: { deviceClassName: 'any', allocationMode: 'ExactCount', count: 1, adminAccess: true } });
  const outcome = run(world, [admin, wanting('user', 1)]);
  assert.ok(outcome.kind === 'allocated');
  world.ledger.upsertClaim(allocated(admin, outcome.allocations[0]));
  assert.equal(run(world, [wanting('later', 1)]).kind, 'allocated');
});

test('a shared device that was looked at draws its counters when it is first used', () => {
  const features = { ...NO_FEATURES, adminAccess: true, consumableCapacity: true, partitionableDevices: true };
  const draws = (name: string): Device => ({
    name,
    allowMultipleAllocations: true,
    consumesCounters: [{ counterSet: 'set', counters: { units: { value: '3' } } }],
  });
  const pool = { name: 'pool', generation: 1, resourceSliceCount: 2 };
  const counters = {
    metadata: { name: 'c' },
    spec: { driver: 'd.example.com', nodeName: 'node-1', pool, sharedCounters: [{ name: 'set', counters: { units: { value: '5' } } }] },
  };
  const exactly = { deviceClassName: 'any', allocationMode: 'ExactCount' as const, count: 1 };
  const looking = claim('looking', { name: 'r', exactly: { ...exactly, adminAccess: true } });
  const world = { ...worldOf(slice('s', [draws('dev-0'), draws('dev-1')], { pool }), counters), features };
  assert.equal(run(world, [looking, wanting('a', 1), wanting('b', 1)]).kind, 'allocated');
  assert.equal(run(world, [looking, wanting('a', 1), wanting('b', 2)]).kind, 'unschedulable');
});

test('a device that binds to its node does so whatever the gates', () => {
  const world = worldOf(slice('s', [{ name: 'dev-0', bindsToNode: true }], { nodeName: undefined, allNodes: true }));
  const outcome = run(world, [wanting('a', 1)]);
  assert.ok(outcome.kind === 'allocated');
  assert.equal(outcome.allocations[0]?.nodeSelector?.nodeSelectorTerms[0]?.matchFields?.[0]?.key, 'metadata.name');
});

test('features come from gates, and binding conditions need both of theirs', () => {
  assert.deepEqual(featuresFromGates(new Map()), NO_FEATURES);
  assert.equal(featuresFromGates(new Map([['DRADeviceBindingConditions', true]])).deviceBindingAndStatus, false);
  const both = new Map([
    ['DRADeviceBindingConditions', true],
    ['DRAResourceClaimDeviceStatus', true],
  ]);
  assert.equal(featuresFromGates(both).deviceBindingAndStatus, true);
});

test('a copied ledger goes its own way', () => {
  const ledger = new Ledger();
  const result = { devices: { results: [{ request: 'r', driver: 'd.example.com', pool: 'pool', device: 'dev-0' }] } };
  ledger.upsertClaim(allocated(wanting('a', 1), result));
  const copy = ledger.copy();
  copy.deleteClaim('default/a');
  const pools = worldOf(slice('s', names(1))).pools;
  assert.equal(run({ pools, ledger }, [wanting('b', 1)]).kind, 'unschedulable');
  assert.equal(run({ pools, ledger: copy }, [wanting('b', 1)]).kind, 'allocated');
});

/** One request with two alternatives, the first of which asks for all devices; the constraint forbids that. */
function allOrOne(second: string): ResourceClaim {
  const firstAvailable = [
    { name: 'all', deviceClassName: 'any', allocationMode: 'All' as const },
    {
      name: 'one',
      deviceClassName: 'any',
      allocationMode: 'ExactCount' as const,
      count: 1,
      selectors: [{ cel: { expression: second } }],
    },
  ];
  const base = claim('c', { name: 'r', firstAvailable });
  return { ...base, spec: { devices: { ...base.spec.devices, constraints: [{ matchAttribute: 'd.example.com/model' }] } } };
}

test('an alternative for all devices that violates a constraint gives way to the next; without one that fits, the claim is at fault', () => {
  const features = { ...NO_FEATURES, prioritizedList: true };
  const models = ['a', 'b'].map((model) => ({ name: model, attributes: { model: { string: model } } }));
  const world = { ...worldOf(slice('s', models)), features };
  const fits = run(world, [allOrOne('true')]);
  assert.ok(fits.kind === 'allocated');
  assert.deepEqual(
    fits.allocations[0]?.devices?.results?.map(({ request, device }) => [request, device]),
    [['r/one', 'a']],
  );
  const message = 'claim default/c, request all: cannot add device d.example.com/pool/b because a claim constraint would not be satisfied';
  assert.deepEqual(run(world, [allOrOne('false')]), { kind: 'failed', message });
});

test('an interrupted search ends with the cause', () => {
  const { pools, ledger } = worldOf(slice('s', names(4)));
  let steps = 0;
  const interrupted = (): string | undefined => (++steps > 3 ? 'pod is gone' : undefined);
  const random = { below: () => 0, uuid: () => '' };
  const allocator = new Allocator({ claims: [wanting('c', 4)], pools, ledger, features: NO_FEATURES, random, interrupted, deviceClass: () => ANY });
  assert.deepEqual(allocator.allocate(NODE), { kind: 'failed', message: 'filter operation aborted: pod is gone', isInterrupted: true });
});

test('too many devices are refused in the words of the emulated version', () => {
  const world = worldOf(slice('s', names(1)));
  const many = claim(
    'c',
    ...[32, 1].map((count, at) => ({ name: `r${at}`, exactly: { deviceClassName: 'any', allocationMode: 'ExactCount' as const, count } })),
  );
  const text = (features: Features): string => {
    const outcome = run({ ...world, features }, [many]);
    return outcome.kind === 'failed' ? outcome.message : outcome.kind;
  };
  assert.equal(text(featuresFromGates(new Map())), 'claim default/c: number of requested devices 33 exceeds the claim limit of 32');
  const later = featuresFromGates(new Map([['DRADerivedAttributes', false]]));
  assert.equal(text(later), 'claim default/c, request r1: adding 1 devices exceeds the claim limit of 32, with 32 already accounted for');
});
