/** Tests of what becomes of devices when a write of the scheduler gets no answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from '#allocator';
import { Metrics, silentLogger } from '#base';
import type { AllocationResult, Pod, ResourceClaim } from '#api';
import { IndexedStore, RestClient, type Transport } from '#client';
import { keyOf } from '#machinery';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { ClaimBinder } from './claim-binder.ts';
import { ClaimCache } from './claim-cache.ts';
import { schedulerMetrics } from './metrics.ts';

const POD: Pod = { metadata: { name: 'p', namespace: 'ns', uid: 'p-uid' }, spec: { containers: [], resourceClaims: [{ name: 'x', resourceClaimName: 'c' }] } };
const CLAIM: ResourceClaim = { metadata: { name: 'c', namespace: 'ns', uid: 'c-uid', resourceVersion: '1' }, spec: {} };
const ALLOCATION = allocationOf('dev');

function allocationOf(device: string): AllocationResult {
  return { devices: { results: [{ request: 'r', driver: 'd', pool: 'p', device }] } };
}

/** A server of one claim, whose connection breaks at the status write: before or after it was carried out. */
class BreakingServer {
  claim = CLAIM;
  reachable = true;
  readonly clock = new ManualClock();
  readonly ledger = new Ledger();
  readonly lister = new IndexedStore<ResourceClaim>();
  readonly cache: ClaimCache;
  readonly binder: ClaimBinder;
  readonly stop = new AbortController();
  readonly #carriesOut: boolean;

  constructor(carriesOut: boolean) {
    this.#carriesOut = carriesOut;
    this.lister.put(CLAIM);
    this.cache = new ClaimCache(this.lister, this.ledger, this.clock);
    this.binder = new ClaimBinder({
      client: new RestClient((request) => this.#answer(request), { userAgent: 'test' }),
      cache: this.cache,
      clock: this.clock,
      logger: silentLogger,
      metrics: schedulerMetrics(new Metrics(), 'test', () => ({ active: 0, backoff: 0, unschedulable: 0, gated: 0 })),
      extendedClaimOf: () => undefined,
      groupOf: () => undefined,
      signal: this.stop.signal,
    });
  }

  async #answer({ method, path, body }: Parameters<Transport>[0]): ReturnType<Transport> {
    if (!this.reachable) throw new Error('connect ECONNREFUSED');
    const breaks = path.endsWith('/status');
    if (method === 'PUT' && (JSON.parse(body ?? '') as ResourceClaim).metadata.uid !== this.claim.metadata.uid) return conflicting();
    if (method === 'PUT' && (!breaks || this.#carriesOut)) this.#store(JSON.parse(body ?? '') as ResourceClaim);
    if (breaks) {
      this.reachable = false;
      throw new Error('socket hang up');
    }
    return { status: 200, headers: {}, body: pieces(JSON.stringify(this.claim)) };
  }

  #store(claim: ResourceClaim): void {
    this.claim = { ...claim, metadata: { ...claim.metadata, resourceVersion: String(Number(this.claim.metadata.resourceVersion) + 1) } };
  }

  /** Binds; the connection is back after three seconds. */
  async bind(): Promise<ResourceClaim> {
    const plan = { claim: CLAIM, allocation: ALLOCATION };
    this.binder.assume([plan]);
    const bound = this.binder.bind(POD, plan);
    bound.catch(() => undefined);
    for (let second = 0; second < 3; second++) {
      await settled();
      assert.ok(this.cache.isInFlight(keyOf(CLAIM)), 'nobody else may get the device');
      this.reachable = second === 2;
      this.clock.advance(1000);
    }
    return bound;
  }
}

function conflicting(): Awaited<ReturnType<Transport>> {
  return {
    status: 409,
    headers: {},
    body: pieces(JSON.stringify({ kind: 'Status', status: 'Failure', reason: 'Conflict', code: 409, message: 'another UID' })),
  };
}

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('an allocation whose answer got lost counts once the server shows it', async () => {
  const server = new BreakingServer(true);
  const claim = await server.bind();
  assert.deepEqual(claim.status?.reservedFor, [{ resource: 'pods', name: 'p', uid: 'p-uid' }]);
  assert.equal(server.cache.isInFlight(keyOf(CLAIM)), false);
  assert.equal(server.cache.get(keyOf(CLAIM))?.status?.allocation?.devices?.results?.[0]?.device, 'dev', 'the device stays taken without the informer');
});

test('an allocation that never reached the server is given up when the server says so', async () => {
  const server = new BreakingServer(false);
  await assert.rejects(server.bind(), /add allocation and reservation to claim ns\/c: socket hang up/);
  assert.equal(server.cache.isInFlight(keyOf(CLAIM)), false);
  assert.equal(server.cache.get(keyOf(CLAIM))?.status?.allocation, undefined);
});

test('a decision that is taken back leaves the devices of a later decision for a claim of the same name taken', async () => {
  const server = new BreakingServer(false);
  const [first, second] = [{ claim: CLAIM, allocation: ALLOCATION }, allocationOf('other')];
  server.binder.assume([first]);
  server.cache.endAllocation(keyOf(CLAIM), ALLOCATION);
  const namesake: ResourceClaim = { ...CLAIM, metadata: { ...CLAIM.metadata, uid: 'd-uid', resourceVersion: '9' } };
  server.lister.put(namesake);
  server.binder.assume([{ claim: namesake, allocation: second }]);
  // Another claim of the first pod took long to fail.
  await server.binder.unreserve(POD, [first]);
  assert.ok(server.cache.isInFlight(keyOf(CLAIM)));
  assert.deepEqual(
    [...server.ledger.claims()].map(({ status }) => status?.allocation),
    [second],
  );
});

test('a claim that was deleted and created again under its name gets no allocation that was decided for the old one', async () => {
  for (const when of ['before the write', 'between write and retry']) {
    const server = new BreakingServer(false);
    const namesake: ResourceClaim = { ...CLAIM, metadata: { ...CLAIM.metadata, uid: 'd-uid', resourceVersion: '9' } };
    const plan = { claim: CLAIM, allocation: ALLOCATION };
    server.binder.assume([plan]);
    server.claim = namesake;
    if (when === 'before the write') server.lister.put(namesake);
    await assert.rejects(server.binder.bind(POD, plan), { message: 'claim ns/c got deleted in the meantime' }, when);
    assert.equal(server.claim, namesake, when);
    assert.equal(server.cache.isInFlight(keyOf(CLAIM)), false, when);
  }
});

test('the end of the scheduler ends the wait for an answer', async () => {
  const server = new BreakingServer(true);
  const plan = { claim: CLAIM, allocation: ALLOCATION };
  server.binder.assume([plan]);
  const bound = server.binder.bind(POD, plan);
  bound.catch(() => undefined);
  await settled();
  server.stop.abort(new Error('stopped'));
  await assert.rejects(bound, /stopped/);
});
