/** Tests of the leader election: two candidates over one scripted Lease. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import type { Lease } from '#api';
import { RestClient, type Transport } from '#client';
import { conflict, notFound, parseJson } from '#machinery';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { DEFAULT_LEADER_ELECTION, leaderElectionProblem, runAsLeader } from './leader-election.ts';

const LEASES = { group: 'coordination.k8s.io', resource: 'leases' };
const random = { below: () => 0, uuid: () => '00000000-0000-4000-8000-000000000000' };

/** A server that keeps one Lease and refuses stale writes; `broken` makes it refuse everything. */
class LeaseServer {
  lease: Lease | undefined;
  broken = false;
  /** Requests get no answer any more. */
  hangs = false;
  #revision = 0;

  readonly transport: Transport = (request) => {
    if (this.hangs) return new Promise(() => undefined);
    if (request.path.includes('/events')) return answer(201, parseJson(request.body ?? '{}'));
    if (this.broken) return Promise.reject(new Error('connection refused'));
    if (request.method === 'GET') return this.lease === undefined ? answer(404, notFound(LEASES, 'l').status) : answer(200, this.lease);
    const sent = parseJson(request.body ?? '{}') as unknown as Lease;
    const current = this.lease?.metadata.resourceVersion;
    if (request.method === 'PUT' && sent.metadata.resourceVersion !== current) return answer(409, conflict(LEASES, 'l', 'stale').status);
    this.lease = { ...sent, metadata: { ...sent.metadata, resourceVersion: String(++this.#revision) } };
    return answer(200, this.lease);
  };
}

function answer(status: number, body: unknown): ReturnType<Transport> {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  return Promise.resolve({ status, headers: {}, body: once(bytes) });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Lets time pass in steps small enough for every timer in between. */
async function pass(clock: ManualClock, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    for (let turn = 0; turn < 5; turn++) await settled();
    clock.advance(1_000);
  }
  for (let turn = 0; turn < 5; turn++) await settled();
}

class Candidate {
  readonly stop = new AbortController();
  works = false;
  readonly ended: Promise<Error | undefined>;

  constructor(identity: string, server: LeaseServer, clock: ManualClock) {
    const settings = { namespace: 'kube-system', name: 'l', identity, ...DEFAULT_LEADER_ELECTION };
    const client = new RestClient(server.transport, { userAgent: identity });
    const work = async (signal: AbortSignal): Promise<void> => {
      this.works = true;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      this.works = false;
    };
    this.ended = runAsLeader({ client, clock, random, logger: silentLogger, settings }, work, this.stop.signal).then(
      () => undefined,
      (error: unknown) => error as Error,
    );
  }
}

test('one of two candidates works, and the other takes over at once when it is stopped', async () => {
  const clock = new ManualClock();
  const server = new LeaseServer();
  const first = new Candidate('a', server, clock);
  await pass(clock, 1);
  const second = new Candidate('b', server, clock);
  await pass(clock, 60);
  assert.deepEqual([first.works, second.works], [true, false]);
  assert.equal(server.lease?.spec?.holderIdentity, 'a');
  first.stop.abort();
  assert.equal(await first.ended, undefined);
  await pass(clock, 5);
  assert.deepEqual([first.works, second.works], [false, true]);
  assert.equal(server.lease?.spec?.leaseTransitions, 1);
  second.stop.abort();
  assert.equal(await second.ended, undefined);
});

test('a leader that cannot renew stops working before another may begin', async () => {
  const clock = new ManualClock();
  const server = new LeaseServer();
  const leader = new Candidate('a', server, clock);
  await pass(clock, 3);
  server.broken = true;
  await pass(clock, 7);
  assert.equal(leader.works, true, 'within the renew deadline');
  await pass(clock, 6);
  assert.equal(leader.works, false);
  assert.match((await leader.ended)?.message ?? '', /lost the lease kube-system\/l/);
});

test('work that breaks off gives the lease back and is reported', async () => {
  const clock = new ManualClock();
  const server = new LeaseServer();
  const settings = { namespace: 'kube-system', name: 'l', identity: 'a', ...DEFAULT_LEADER_ELECTION };
  const client = new RestClient(server.transport, { userAgent: 'a' });
  const work = (): Promise<void> => Promise.reject(new Error('broken'));
  await assert.rejects(runAsLeader({ client, clock, random, logger: silentLogger, settings }, work, new AbortController().signal), /broken/);
  assert.equal(server.lease?.spec?.holderIdentity, '');
});

test('a lease that is not renewed is taken when its time, as seen by the candidate, is over', async () => {
  const clock = new ManualClock();
  const server = new LeaseServer();
  server.lease = {
    metadata: { name: 'l', namespace: 'kube-system', resourceVersion: '0' },
    spec: { holderIdentity: 'gone', leaseDurationSeconds: 15, renewTime: '2020-01-01T00:00:00.000000Z' },
  };
  const candidate = new Candidate('b', server, clock);
  await pass(clock, 13);
  assert.equal(candidate.works, false, 'however old its renewTime is');
  await pass(clock, 6);
  assert.equal(candidate.works, true);
  candidate.stop.abort();
  await candidate.ended;
});

test('times that would let two lead are refused', () => {
  const settings = { namespace: 'kube-system', name: 'l', identity: 'a', ...DEFAULT_LEADER_ELECTION };
  assert.equal(leaderElectionProblem(settings), undefined);
  assert.match(leaderElectionProblem({ ...settings, renewDeadlineMs: 15_000 }) ?? '', /lease duration/);
  assert.match(leaderElectionProblem({ ...settings, retryPeriodMs: 9_000 }) ?? '', /renew deadline/);
});

test('neither a leader nor a candidate waits at its end for a server that does not answer', async () => {
  const server = new LeaseServer();
  const clock = new ManualClock();
  const leader = new Candidate('a', server, clock);
  await pass(clock, 1);
  const candidate = new Candidate('b', server, clock);
  await pass(clock, 1);
  server.hangs = true;
  await pass(clock, 3);
  assert.ok(leader.works);
  leader.stop.abort();
  candidate.stop.abort();
  await pass(clock, 5);
  const soon = (ended: Promise<Error | undefined>): Promise<unknown> => Promise.race([ended, settled().then(() => 'still waiting')]);
  assert.equal(await soon(leader.ended), undefined);
  assert.equal(await soon(candidate.ended), undefined);
});
