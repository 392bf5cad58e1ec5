/** Wiping the slices of drivers that stay away. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import { RestClient, type Transport } from '#client';
import type { GrpcClient } from '#ports';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { type DriverInstance, DriverInstances } from './driver-instances.ts';
import { SliceWiper } from './slice-wiper.ts';

const DELAY_MS = 30_000;

class Fixture {
  readonly clock = new ManualClock();
  readonly instances = new DriverInstances();
  readonly deletions: string[] = [];
  readonly #stop = new AbortController();
  refuse = false;
  published: readonly string[] = [];
  #running: Promise<void> = Promise.resolve();

  /** Starts the wiper and lets it look around. */
  async start(): Promise<void> {
    const transport: Transport = async ({ method, path }) => {
      if (method === 'DELETE') this.deletions.push(decodeURIComponent(path.split('fieldSelector=')[1] ?? ''));
      const items = this.published.map((driver) => ({ metadata: { name: driver }, spec: { driver } }));
      const status = method === 'DELETE' && this.refuse ? 500 : 200;
      return { status, headers: {}, body: pieces(JSON.stringify({ kind: 'ResourceSliceList', metadata: {}, items })) };
    };
    const client = new RestClient(transport, { userAgent: 'test' });
    const { clock, instances } = this;
    this.#running = new SliceWiper({ client, clock, instances, logger: silentLogger, nodeName: 'n' }).run(this.#stop.signal);
    await settled();
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await settled();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

/** Lets everything run that needs no time. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}

function instance(driver: string, endpoint: string): { readonly instance: DriverInstance; readonly connect: (connected: boolean) => void } {
  let listener: (connected: boolean) => void = () => undefined;
  const client: Pick<GrpcClient, 'watchConnected' | 'close'> = { watchConnected: (given) => (listener = given), close: () => undefined };
  return {
    // Nobody calls it here.
    instance: { driver, endpoint, service: 'v1.DRAPlugin', health: undefined, client: client as GrpcClient },
    connect: (connected) => listener(connected),
  };
}

test('slices go thirty seconds after the last connection, not before', async () => {
  const fixture = new Fixture();
  await fixture.start();
  const a = instance('d', 'a');
  fixture.instances.add(a.instance);
  a.connect(true);
  a.connect(false);
  await fixture.pass(DELAY_MS - 1);
  assert.deepEqual(fixture.deletions, []);
  await fixture.pass(1);
  assert.deepEqual(fixture.deletions, ['spec.nodeName=n,spec.driver=d']);
  await fixture.stop();
});

test('a connection of any instance ends the countdown, another loss does not extend it', async () => {
  const fixture = new Fixture();
  await fixture.start();
  const [a, b] = [instance('d', 'a'), instance('d', 'b')];
  fixture.instances.add(a.instance);
  a.connect(true);
  fixture.instances.add(b.instance);
  b.connect(true);
  fixture.instances.remove(a.instance);
  await fixture.pass(DELAY_MS);
  b.connect(false);
  await fixture.pass(DELAY_MS / 2);
  fixture.instances.remove(b.instance);
  await fixture.pass(DELAY_MS / 2 - 1);
  const c = instance('d', 'c');
  fixture.instances.add(c.instance);
  c.connect(true);
  await fixture.pass(DELAY_MS);
  assert.deepEqual(fixture.deletions, []);
  await fixture.stop();
});

test('slices that an earlier run left behind go when their driver does not come back', async () => {
  const fixture = new Fixture();
  fixture.published = ['gone', 'back'];
  await fixture.start();
  const back = instance('back', 'a');
  fixture.instances.add(back.instance);
  back.connect(true);
  await fixture.pass(DELAY_MS);
  assert.deepEqual(fixture.deletions, ['spec.nodeName=n,spec.driver=gone']);
  await fixture.stop();
});

test('a refused deletion is tried again, until the driver is back', async () => {
  const fixture = new Fixture();
  fixture.refuse = true;
  await fixture.start();
  const a = instance('d', 'a');
  fixture.instances.add(a.instance);
  a.connect(true);
  a.connect(false);
  await fixture.pass(DELAY_MS);
  await fixture.pass(1_000);
  assert.equal(fixture.deletions.length, 2);
  a.connect(true);
  await fixture.pass(2_000);
  await fixture.pass(4_000);
  assert.equal(fixture.deletions.length, 2);
  await fixture.stop();
});
