/** Tests of how a driver that cannot be registered is tried again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import { GrpcCode, GrpcError, type Grpc, type GrpcClient, type HostFiles } from '#ports';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { DriverInstances } from './driver-instances.ts';
import { PluginRegistry } from './plugin-registry.ts';

/** The wall clock was an hour fast until it was set right. */
class MendedClock extends ManualClock {
  fastMs = 3_600_000;

  override nowMs(): number {
    return super.nowMs() + this.fastMs;
  }
}

test('a driver is tried again after its pause also when the wall clock is set back meanwhile', async () => {
  const clock = new MendedClock();
  let tries = 0;
  const client: Pick<GrpcClient, 'unary' | 'close'> = {
    unary: () => Promise.reject(new GrpcError(GrpcCode.unavailable, `try ${String(++tries)}`)),
    close: () => undefined,
  };
  const files: Pick<HostFiles, 'makeDirectory' | 'watch' | 'list' | 'stat'> = {
    makeDirectory: async () => undefined,
    watch: () => () => undefined,
    list: async () => [{ name: 'd-reg.sock', kind: 'socket' }],
    stat: async () => ({ kind: 'socket', identity: '1', size: 0, mode: 0o600, major: 0, minor: 0 }),
  };
  const registry = new PluginRegistry({
    directory: '/registry',
    // The registry uses no more of the host than this.
    files: files as HostFiles,
    grpc: { connect: () => client } as unknown as Grpc,
    clock,
    logger: silentLogger,
    instances: new DriverInstances(),
  });
  const stop = new AbortController();
  const running = registry.run(stop.signal);
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  await settle();
  assert.equal(tries, 1);
  clock.fastMs = 0;
  for (let second = 0; second < 3; second++) {
    clock.advance(1_000);
    await settle();
  }
  assert.ok(tries > 1, 'it was tried again');
  stop.abort();
  await running;
});
