/** What the ledger says is in use, beside a count over all claims. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceRequestAllocationResult, ResourceClaim } from '#api';
import { parseQuantity, Quantity } from '#machinery';
import { type SeededRandom, seededRandom } from '../../test/property/seeded-random.ts';
import type { DeviceEntry } from './device.ts';
import { Ledger, type Pairable } from './ledger.ts';

const DEVICES = ['a', 'b', 'c', 'd'];
/** First few claims that change often, then so many that those which are gone are forgotten in between. */
const STEPS = 24_000;
const COMPARED_EVERY = 100;
const [FEW, MANY] = [8, 3_000];

// All that the ledger looks at.
const entries = DEVICES.map((name) => ({ slice: { pool: 'driver/pool' }, device: { name } }) as unknown as DeviceEntry);
// An id as `poolId` makes it.
const pool = { id: 'driver/pool', devices: entries, pairing: {} } as unknown as Pairable;

function randomClaim(random: SeededRandom, name: string, step: number): ResourceClaim {
  const results = Array.from({ length: random.below(4) }, (): DeviceRequestAllocationResult => {
    const whole = { request: 'r', driver: 'driver', pool: 'pool', device: random.pick(DEVICES) };
    if (random.chance(0.1)) return { ...whole, adminAccess: true };
    if (random.chance(0.5)) return whole;
    return { ...whole, shareID: String(step), consumedCapacity: { memory: `${String(random.below(5))}Gi`, rate: `${String(random.below(900))}m` } };
  });
  return { metadata: { name, namespace: 'ns' }, spec: {}, status: random.chance(0.1) ? {} : { allocation: { devices: { results } } } };
}

/** Counted anew. */
function useOf(device: string, claims: readonly ResourceClaim[]): { whole: number; shares: number; memory: Quantity } {
  const use = { whole: 0, shares: 0, memory: Quantity.of(0) };
  for (const { status } of claims) {
    for (const result of status?.allocation?.devices?.results ?? []) {
      if (result.device !== device || result.adminAccess === true) continue;
      if (result.shareID === undefined) use.whole++;
      else use.shares++;
      use.memory = use.memory.add(parseQuantity(result.consumedCapacity?.['memory'] ?? '0') ?? Quantity.of(0));
    }
  }
  return use;
}

function assertAgrees(ledger: Ledger, claims: readonly ResourceClaim[]): void {
  const counted = DEVICES.map((device) => useOf(device, claims));
  const paired = ledger.usesOf(pool);
  for (const [at, entry] of entries.entries()) {
    for (const use of [ledger.useOf(entry), paired[at]]) {
      assert.deepEqual([use?.whole ?? 0, use?.shares ?? 0], [counted[at]?.whole, counted[at]?.shares]);
      assert.equal((use?.amounts.get('memory') ?? Quantity.of(0)).compare(counted[at]?.memory ?? Quantity.of(0)), 0);
    }
  }
  if (ledger.areAllHeld(pool)) assert.ok(counted.every(({ whole }) => whole > 0));
}

test('devices, shares and amounts are those of the claims that are there, whatever came and went', () => {
  const random = seededRandom(3);
  const ledger = new Ledger();
  const claims = new Map<string, ResourceClaim>();
  for (let step = 0; step < STEPS; step++) {
    const name = `c${String(random.below(step < STEPS / 2 ? FEW : MANY))}`;
    if (random.chance(step < STEPS / 2 ? 0.4 : 0.6)) {
      ledger.deleteClaim(`ns/${name}`);
      claims.delete(name);
    } else {
      const claim = randomClaim(random, name, step);
      ledger.upsertClaim(claim);
      if (claim.status?.allocation === undefined) claims.delete(name);
      else claims.set(name, claim);
    }
    if (step % COMPARED_EVERY !== 0) continue;
    assertAgrees(ledger, [...claims.values()]);
    assert.deepEqual(new Set(ledger.claims()), new Set(claims.values()));
  }
});
