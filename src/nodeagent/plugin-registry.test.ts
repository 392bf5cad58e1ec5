/** Tests of how a driver that cannot be registered is refused and tried again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Logger, silentLogger } from '#base';
import { GrpcCode, GrpcError, type Grpc, type GrpcClient, type HostFiles } from '#ports';
import { registrationV1, unary } from '#wire';
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

/** A registry that finds one socket, behind which `unary` answers. */
function registryWith(unary: GrpcClient['unary'], clock: ManualClock, logger: Logger = silentLogger): { registry: PluginRegistry; instances: DriverInstances } {
  const client: Pick<GrpcClient, 'unary' | 'close' | 'watchConnected'> = { unary, close: () => undefined, watchConnected: () => undefined };
  const files: Pick<HostFiles, 'makeDirectory' | 'watch' | 'list' | 'stat'> = {
    makeDirectory: async () => undefined,
    watch: () => () => undefined,
    list: async () => [{ name: 'd-reg.sock', kind: 'socket' }],
    stat: async () => ({ kind: 'socket', identity: '1', size: 0, mode: 0o600, major: 0, minor: 0 }),
  };
  const instances = new DriverInstances();
  // The registry uses no more of the host than this.
  const [host, grpc] = [files as HostFiles, { connect: () => client } as unknown as Grpc];
  return { registry: new PluginRegistry({ directory: '/registry', files: host, grpc, clock, logger, instances }), instances };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test('a driver is tried again after its pause also when the wall clock is set back meanwhile', async () => {
  const clock = new MendedClock();
  let tries = 0;
  const { registry } = registryWith(() => Promise.reject(new GrpcError(GrpcCode.unavailable, `try ${String(++tries)}`)), clock);
  const stop = new AbortController();
  const running = registry.run(stop.signal);
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

/** What a driver that gives this name is told, which drivers are registered then, and what was logged. */
async function introduced(name: string): Promise<{ refusal: string | undefined; drivers: readonly string[]; logged: string }> {
  let refusal: string | undefined;
  let logged = '';
  const { getInfo, notifyRegistrationStatus } = registrationV1.Registration.method;
  const methods = [
    unary(getInfo, async () => ({ type: 'DRAPlugin', name, supportedVersions: ['v1.DRAPlugin'] })),
    unary(notifyRegistrationStatus, async ({ pluginRegistered, error }) => {
      refusal = pluginRegistered ? undefined : error;
      return {};
    }),
  ];
  const answer: GrpcClient['unary'] = async (path, request) => {
    const method = methods.find((each) => each.path === path);
    if (method?.kind !== 'unary') throw new GrpcError(GrpcCode.unimplemented, path);
    return method.handle(request);
  };
  const logger: Logger = { ...silentLogger, warn: (message, fields) => void (logged += JSON.stringify([message, fields])) };
  const { registry, instances } = registryWith(answer, new ManualClock(), logger);
  const stop = new AbortController();
  const running = registry.run(stop.signal);
  await settle();
  const drivers = instances.drivers();
  stop.abort();
  await running;
  return { refusal, drivers, logged };
}

test('only a name that slices can have is the name of a driver', async () => {
  const good = await introduced('GPU.example.com');
  assert.deepEqual([good.refusal, good.drivers], [undefined, ['GPU.example.com']]);
  for (const name of ['gpu,spec.driver=other', '../gpu', 'gpu_example', 'g'.repeat(64)]) {
    const { refusal = '', drivers } = await introduced(name);
    assert.deepEqual(drivers, [], name);
    assert.ok(refusal.startsWith('no name of a driver (') && refusal.endsWith(`): ${name}`), refusal);
  }
});

test('a name of megabytes fills neither log nor answer', async () => {
  const { refusal = '', logged } = await introduced('x'.repeat(3_000_000));
  assert.match(refusal, /^no name of a driver \(must be no more than 63 bytes\): x+… \(cut: 30000\d\d characters\)$/);
  assert.ok(refusal.length < 2_000 && logged.length > 0 && logged.length < 2_000);
});
