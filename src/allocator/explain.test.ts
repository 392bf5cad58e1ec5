/** Every kind of reason, from the smallest world in which it is the reason. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Device, DeviceClass, DeviceRequest, ExactDeviceRequest, ResourceClaim, ResourceSlice } from '#api';
import { Allocator, countReasons, type Features, Ledger, NO_FEATURES, PoolIndex, reasonText, type Refusal } from './index.ts';

const NODE = { name: 'node-1', labels: {} };
const ALL_ON: Features = {
  ...NO_FEATURES,
  adminAccess: true,
  prioritizedList: true,
  partitionableDevices: true,
  deviceTaints: true,
  consumableCapacity: true,
  compatibilityGroups: true,
  optionalNodeOperations: true,
};

/** What differs from a world with one free device and a claim for it. */
interface World {
  readonly devices?: readonly Device[];
  readonly slice?: Partial<ResourceSlice['spec']>;
  readonly counters?: Readonly<Record<string, { readonly value: string }>>;
  readonly exactly?: Partial<ExactDeviceRequest>;
  readonly requests?: readonly DeviceRequest[];
  readonly constraints?: NonNullable<ResourceClaim['spec']['devices']>['constraints'];
  readonly classSelector?: string;
  readonly held?: readonly string[];
  readonly features?: Partial<Features>;
}

function request(exactly: Partial<ExactDeviceRequest> = {}): DeviceRequest {
  return { name: 'r', exactly: { deviceClassName: 'any', allocationMode: 'ExactCount', count: 1, ...exactly } };
}

function explained(world: World): Refusal {
  const pools = new PoolIndex();
  const pool = { name: 'p', generation: 1, resourceSliceCount: world.counters === undefined ? 1 : 2 };
  const common = { driver: 'd', pool, nodeName: 'node-1' };
  const place = world.slice?.perDeviceNodeSelection === true ? { driver: 'd', pool } : common;
  pools.upsertSlice({ metadata: { name: 'devices' }, spec: { ...place, devices: world.devices ?? [{ name: 'dev' }], ...world.slice } });
  if (world.counters !== undefined) {
    pools.upsertSlice({ metadata: { name: 'counters' }, spec: { ...common, sharedCounters: [{ name: 'set', counters: world.counters }] } });
  }
  const ledger = new Ledger();
  for (const device of world.held ?? []) {
    const allocation = { devices: { results: [{ request: 'r', driver: 'd', pool: 'p', device }] } };
    ledger.upsertClaim({ metadata: { namespace: 'ns', name: `of-${device}` }, spec: {}, status: { allocation } });
  }
  const cel = world.classSelector === undefined ? [] : [{ cel: { expression: world.classSelector } }];
  const deviceClass: DeviceClass = { metadata: { name: 'any' }, spec: { selectors: cel } };
  const devices = { requests: world.requests ?? [request(world.exactly)], constraints: world.constraints };
  const claim: ResourceClaim = { metadata: { namespace: 'ns', name: 'c' }, spec: { devices } };
  const random = { below: () => 0, uuid: () => 'share' };
  const features = { ...ALL_ON, ...world.features };
  const allocator = new Allocator({ claims: [claim], pools, ledger, features, random, deviceClass: () => deviceClass });
  const refusal = allocator.explain(NODE);
  assert.ok(refusal !== undefined, 'the claim does not fit');
  assert.deepEqual(allocator.explain(NODE), refusal, 'asked again, the same is said');
  return refusal;
}

/** The reasons for the last request, in words, by device. */
function reasons(world: World): Readonly<Record<string, string>> {
  const devices = explained(world).requests.at(-1)?.devices ?? [];
  return Object.fromEntries(devices.map(({ device, reason }) => [device.slice('d/p/'.length), reasonText(reason)]));
}

const uses = (units: string, compatibilityGroups?: readonly string[]): Device['consumesCounters'] => [
  { counterSet: 'set', counters: { units: { value: units } }, ...(compatibilityGroups && { compatibilityGroups }) },
];
const memory = (value: string, requestPolicy?: object): Device['capacity'] => ({ memory: { value, ...(requestPolicy && { requestPolicy }) } });
const model = (name: string, value: string): Device => ({ name, attributes: { model: { string: value } } });
const wants = (amount: string): Partial<ExactDeviceRequest> => ({ capacity: { requests: { memory: amount } } });

const CASES: Readonly<Record<string, readonly [World, Readonly<Record<string, string>>]>> = {
  'a class selector': [{ classSelector: 'false' }, { dev: 'selector #0 of class any is false' }],
  'a selector of the request': [
    { exactly: { selectors: ['true', 'false'].map((expression) => ({ cel: { expression } })) } },
    { dev: 'selector #1 of the request is false' },
  ],
  'another node': [
    {
      slice: { perDeviceNodeSelection: true },
      devices: [
        { name: 'dev', nodeName: 'node-2' },
        { name: 'own', nodeName: 'node-1' },
      ],
      held: ['own'],
    },
    { dev: 'belongs to another node', own: 'in use by ns/of-own' },
  ],
  'a feature that is off': [{ devices: [{ name: 'dev', bindingConditions: ['ready'] }] }, { dev: 'needs the feature gate DRADeviceBindingConditions' }],
  'in use': [{ held: ['dev'] }, { dev: 'in use by ns/of-dev' }],
  'needed by another request': [{ requests: [request(), { ...request(), name: 's' }] }, { dev: 'needed by another request of the pod' }],
  'a node that cannot skip its preparation': [
    { slice: { skipNodeOperations: ['NodePrepareResources'] } as World['slice'] & object },
    { dev: 'needs a node that can skip its preparation' },
  ],
  'a counter that is short': [
    {
      counters: { units: { value: '5' } },
      devices: [
        { name: 'dev', consumesCounters: uses('3') },
        { name: 'used', consumesCounters: uses('4') },
      ],
      held: ['used'],
    },
    { dev: 'counter set/units: 3 wanted, 1 left', used: 'in use by ns/of-used' },
  ],
  'no group in common': [
    {
      counters: { units: { value: '5' } },
      devices: [
        { name: 'dev', consumesCounters: uses('1', ['x']) },
        { name: 'used', consumesCounters: uses('1', ['y']) },
      ],
      held: ['used'],
    },
    { dev: 'no compatibility group in common with the users of set', used: 'in use by ns/of-used' },
  ],
  'a taint': [{ devices: [{ name: 'dev', taints: [{ key: 'ill', value: 'very', effect: 'NoSchedule' }] }] }, { dev: 'taint ill=very:NoSchedule' }],
  'a constraint that devices agree': [
    { devices: [model('a', 'x'), model('b', 'y')], exactly: { count: 2 }, constraints: [{ matchAttribute: 'd/model' }] },
    { b: 'constraint #0: another d/model, or none' },
  ],
  'a constraint that devices differ': [
    { devices: [model('a', 'x'), model('b', 'x')], exactly: { count: 2 }, constraints: [{ distinctAttribute: 'd/model' }] },
    { b: 'constraint #0: the same d/model, or none' },
  ],
  'a capacity that is missing': [{ exactly: wants('1Gi') }, { dev: 'has no memory' }],
  'a capacity that the policy does not hand out': [
    {
      devices: [{ name: 'dev', allowMultipleAllocations: true, capacity: memory('8Gi', { default: '1Gi', validRange: { min: '1Gi', max: '2Gi' } }) }],
      exactly: wants('4Gi'),
    },
    { dev: 'does not hand out 4Gi memory' },
  ],
  'a capacity that is used up': [{ devices: [{ name: 'dev', capacity: memory('8Gi') }], exactly: wants('9Gi') }, { dev: 'memory: 9Gi wanted, 8Gi left' }],
};

for (const [name, [world, expected]] of Object.entries(CASES)) test(`the trace tells: ${name}`, () => assert.deepEqual(reasons(world), expected));

test('devices that would do alone are counted, and reasons are counted in words', () => {
  const { cause, message, requests, steps } = explained({
    devices: ['a', 'b', 'c', 'd'].map((name) => ({ name })),
    held: ['a', 'b', 'c'],
    exactly: { count: 2 },
  });
  assert.deepEqual({ cause, message }, { cause: 'noFit', message: 'cannot allocate all claims' });
  assert.ok(steps > 0);
  const [first] = requests;
  assert.ok(first !== undefined);
  assert.deepEqual({ wanted: first.wanted, usable: first.usable }, { wanted: 2, usable: 1 });
  assert.deepEqual(
    countReasons(first),
    ['a', 'b', 'c'].map((name) => ({ text: `in use by ns/of-${name}`, devices: 1 })),
  );
});

test('a pool that cannot be used and a search that reached its limit are causes of their own', () => {
  const twice = explained({ devices: [{ name: 'twin' }, { name: 'twin' }] });
  assert.deepEqual([twice.cause, twice.pools], ['invalidPools', [{ pool: 'd/p', state: 'invalid', reason: 'duplicate device name twin' }]]);
  const partial = explained({ slice: { pool: { name: 'p', generation: 1, resourceSliceCount: 2 } } });
  assert.deepEqual([partial.cause, partial.pools], ['noFit', [{ pool: 'd/p', state: 'incomplete', reason: undefined }]]);
  const all = explained({ slice: { pool: { name: 'p', generation: 1, resourceSliceCount: 2 } }, exactly: { allocationMode: 'All', count: undefined } });
  assert.equal(all.cause, 'poolUnavailable');
  const failed = explained({ classSelector: 'device.nothing' });
  assert.equal(failed.cause, 'failed');
  assert.match(failed.message, /CEL compile error/);
});
