/** Preparing and unpreparing, against a driver and files in memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '#api';
import { RestClient, type Transport } from '#client';
import type { HostFiles } from '#ports';
import { create, draV1 } from '#wire';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { decodeCheckpoint } from './checkpoint.ts';
import { ClaimManager } from './claim-manager.ts';

const DRIVER = 'd';

/** An API server that knows claims only, a driver that records its calls, one file. */
class Fixture {
  readonly calls: string[] = [];
  file: string | undefined;
  registered = true;
  prepareError = '';
  /** Of the claim with this UID alone. */
  unprepareErrors: Readonly<Record<string, string>> = {};
  readonly claims = new Map<string, unknown>();

  claim(name: string, reservedFor: readonly string[], uid = `uid-${name}`, device = 'dev'): void {
    this.claims.set(name, {
      metadata: { name, namespace: 'default', uid },
      spec: {},
      status: {
        allocation: { devices: { results: [{ request: 'r', driver: DRIVER, pool: 'p', device }] } },
        reservedFor: reservedFor.map((pod) => ({ resource: 'pods', name: pod, uid: pod })),
      },
    });
  }

  manager(groupClaims = false): ClaimManager {
    const transport: Transport = async ({ path }) => {
      const claim = this.claims.get(path.slice(path.lastIndexOf('/') + 1));
      const body = JSON.stringify(claim ?? { kind: 'Status', status: 'Failure', code: 404, reason: 'NotFound', message: 'not found' });
      return { status: claim === undefined ? 404 : 200, headers: {}, body: pieces(body) };
    };
    const absent = Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    const files: Pick<HostFiles, 'readText' | 'writeAtomic'> = {
      readText: () => (this.file === undefined ? Promise.reject(absent) : Promise.resolve(this.file)),
      writeAtomic: async (_path, content) => {
        this.file = String(content);
      },
    };
    const device = { requestNames: ['r'], poolName: 'p', deviceName: 'dev', cdiDeviceIds: ['k8s.d/claim=x'] };
    const driver = {
      prepare: async (claims: readonly { uid: string }[]) => {
        this.calls.push(`prepare ${claims.map((c) => c.uid).join(' ')} held=${decodeCheckpoint(this.file ?? '').length}`);
        const answers = Object.fromEntries(claims.map((c) => [c.uid, { devices: [device], error: this.prepareError }]));
        return create(draV1.NodePrepareResourcesResponseSchema, { claims: answers }).claims;
      },
      unprepare: async (claims: readonly { uid: string }[]) => {
        this.calls.push(`unprepare ${claims.map((c) => c.uid).join(' ')}`);
        const answers = Object.fromEntries(claims.map((c) => [c.uid, { error: this.unprepareErrors[c.uid] ?? '' }]));
        return create(draV1.NodeUnprepareResourcesResponseSchema, { claims: answers }).claims;
      },
    };
    return new ClaimManager({
      client: new RestClient(transport, { userAgent: 'test' }),
      // The manager reads and writes one file and does nothing else with the host.
      files: files as HostFiles,
      checkpointFile: '/state',
      driver: () => (this.registered ? driver : undefined),
      groupClaims,
      clock: new ManualClock(),
      observe: () => undefined,
    });
  }
}

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

function pod(uid: string, ...claims: readonly string[]): Pod {
  const resourceClaims = claims.map((claim, index) => ({ name: `x${String(index)}`, resourceClaimName: claim }));
  return { metadata: { name: uid, namespace: 'default', uid }, spec: { containers: [], resourceClaims } };
}

test('the checkpoint names the claim before the driver is called', async () => {
  const fixture = new Fixture();
  fixture.claim('c', ['a']);
  await fixture.manager().prepare(pod('a', 'c'));
  assert.deepEqual(fixture.calls, ['prepare uid-c held=1']);
});

test('a second pod of a prepared claim only takes a reference, the last one gone unprepares', async () => {
  const fixture = new Fixture();
  fixture.claim('c', ['a', 'b']);
  const manager = fixture.manager();
  await Promise.all([manager.prepare(pod('a', 'c')), manager.prepare(pod('b', 'c'))]);
  await manager.unprepare('a');
  assert.deepEqual(fixture.calls, ['prepare uid-c held=1']);
  await manager.unprepare('b');
  await manager.unprepare('b');
  assert.deepEqual(fixture.calls.slice(1), ['unprepare uid-c']);
  assert.deepEqual(decodeCheckpoint(fixture.file ?? ''), []);
});

test('a pod that the claim is not reserved for neither prepares nor unprepares it', async () => {
  const fixture = new Fixture();
  fixture.claim('c', ['a']);
  const manager = fixture.manager();
  await manager.prepare(pod('a', 'c'));
  await assert.rejects(manager.prepare(pod('stranger', 'c')), /pod stranger \(stranger\) is not allowed to use ResourceClaim c \(uid-c\)/);
  await manager.unprepare('stranger');
  assert.deepEqual(fixture.calls, ['prepare uid-c held=1']);
});

test('after a restart the first prepare calls the driver again and replaces its devices', async () => {
  const fixture = new Fixture();
  fixture.claim('c', ['a', 'b']);
  await fixture.manager().prepare(pod('a', 'c'));
  const restarted = fixture.manager();
  await restarted.load();
  assert.deepEqual(restarted.prepared('default', 'c')?.DriverState[DRIVER]?.Devices?.length, 1);
  await restarted.prepare(pod('b', 'c'));
  assert.equal(fixture.calls.length, 2);
  assert.equal(restarted.prepared('default', 'c')?.DriverState[DRIVER]?.Devices?.length, 1);
});

test('a failed prepare leaves the claim recorded, so that the end of the pod unprepares it', async () => {
  const fixture = new Fixture();
  fixture.claim('c', ['a']);
  fixture.prepareError = 'broken';
  const manager = fixture.manager();
  await assert.rejects(manager.prepare(pod('a', 'c')), { message: 'NodePrepareResources failed for ResourceClaim c: broken' });
  await manager.unprepare('a');
  assert.deepEqual(fixture.calls.at(-1), 'unprepare uid-c');
});

test('without a registered driver nothing is recorded at prepare, and unprepare waits for it', async () => {
  const fixture = new Fixture();
  fixture.claim('c', ['a']);
  fixture.registered = false;
  const manager = fixture.manager();
  await assert.rejects(manager.prepare(pod('a', 'c')), /DRA driver d is not registered/);
  assert.equal(fixture.file, undefined);
  fixture.registered = true;
  await manager.prepare(pod('a', 'c'));
  fixture.registered = false;
  await assert.rejects(manager.unprepare('a'), /not registered/);
  assert.equal(manager.podUids().has('a'), true);
});

test('a new claim under the name of one that is still prepared has to wait', async () => {
  const fixture = new Fixture();
  fixture.claim('c', ['a']);
  const manager = fixture.manager();
  await manager.prepare(pod('a', 'c'));
  fixture.claim('c', ['b'], 'uid-new');
  await assert.rejects(manager.prepare(pod('b', 'c')), /different UID uid-c still exists/);
});

test('a claim with other devices than it was prepared with has to wait until those are given back', async () => {
  const fixture = new Fixture();
  fixture.claim('c', ['a']);
  const manager = fixture.manager();
  await manager.prepare(pod('a', 'c'));
  fixture.claim('c', ['b'], 'uid-c', 'other');
  await assert.rejects(manager.prepare(pod('b', 'c')), /still prepared with the devices of an earlier allocation/);
  await manager.unprepare('a');
  await manager.prepare(pod('b', 'c'));
  assert.deepEqual(fixture.calls.slice(1), ['unprepare uid-c', 'prepare uid-c held=1']);
});

test('a claim that was unprepared beside one that could not be is prepared again for the next pod', async () => {
  const fixture = new Fixture();
  fixture.claim('bad', ['a']);
  fixture.claim('good', ['a', 'b']);
  fixture.unprepareErrors = { 'uid-bad': 'busy' };
  const manager = fixture.manager();
  await manager.prepare(pod('a', 'bad', 'good'));
  await assert.rejects(manager.unprepare('a'), /NodeUnprepareResources failed for ResourceClaim bad: busy/);
  await manager.prepare(pod('b', 'good'));
  assert.equal(fixture.calls.at(-1), 'prepare uid-good held=2');
});

test('a damaged checkpoint stops the start', async () => {
  const fixture = new Fixture();
  fixture.file = '{"Data":"{}","Checksum":1}';
  await assert.rejects(fixture.manager().load(), /corrupted/);
});

test('a claim of a group of pods is for its pods, where groups have claims', async () => {
  const fixture = new Fixture();
  fixture.claim('c', []);
  const claim = fixture.claims.get('c') as { status: { reservedFor: unknown } };
  claim.status.reservedFor = [{ apiGroup: 'scheduling.k8s.io', resource: 'podgroups', name: 'g', uid: 'g-uid' }];
  const member = (group: string): Pod => {
    const alone = pod('a', 'c');
    return { ...alone, spec: { containers: [], ...alone.spec, schedulingGroup: { podGroupName: group } } };
  };
  await assert.rejects(fixture.manager().prepare(member('g')), /is not allowed to use/);
  await assert.rejects(fixture.manager(true).prepare(member('other')), /is not allowed to use/);
  await fixture.manager(true).prepare(member('g'));
  assert.equal(fixture.calls.length, 1);
});

test('what a driver says of a failure is cut where it is longer than an event', async () => {
  const fixture = new Fixture();
  fixture.claim('c', ['a']);
  fixture.prepareError = 'no device, '.repeat(300_000);
  await assert.rejects(fixture.manager().prepare(pod('a', 'c')), ({ message }: Error) => {
    assert.match(message, /^NodePrepareResources failed for ResourceClaim c: no device, .*… \(cut: 3300000 characters\)$/);
    return message.length < 1200;
  });
});
