/** What is remembered of device health, and for how long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import type { HostFiles } from '#ports';
import { ManualClock } from '../base/manual-clock.test-data.ts';
import { DeviceHealthCache, type DeviceReport } from './device-health.ts';

class Fixture {
  readonly clock = new ManualClock();
  readonly changes: string[] = [];
  file: string | undefined;

  cache(): DeviceHealthCache {
    const absent = Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    const files: Pick<HostFiles, 'readText' | 'writeAtomic'> = {
      readText: () => (this.file === undefined ? Promise.reject(absent) : Promise.resolve(this.file)),
      writeAtomic: async (_path, content) => {
        this.file = String(content);
      },
    };
    // The cache does nothing else with the host.
    return new DeviceHealthCache({
      files: files as HostFiles,
      file: '/state',
      clock: this.clock,
      logger: silentLogger,
      changed: (driver) => this.changes.push(driver),
    });
  }
}

function report(device: string, more: Partial<DeviceReport> = {}): DeviceReport {
  return { pool: 'p', device, health: 'Healthy', message: '', timeoutSeconds: 0, ...more };
}

test('a subset leaves the other devices as they were, and the same again changes nothing', () => {
  const fixture = new Fixture();
  const cache = fixture.cache();
  cache.report('d', [report('a'), report('b')]);
  cache.report('d', [report('b', { health: 'Unhealthy', message: 'fan' })]);
  cache.report('d', [report('b', { health: 'Unhealthy', message: 'fan' })]);
  assert.deepEqual(cache.of('d', 'p', 'a'), { health: 'Healthy', message: '' });
  assert.deepEqual(cache.of('d', 'p', 'b'), { health: 'Unhealthy', message: 'fan' });
  assert.deepEqual(fixture.changes, ['d', 'd']);
});

test('a report that is not repeated reads unknown after its timeout, and somebody is told', () => {
  const fixture = new Fixture();
  const cache = fixture.cache();
  cache.report('d', [report('a', { timeoutSeconds: 3 }), report('b')]);
  fixture.clock.advance(2_999);
  assert.equal(cache.of('d', 'p', 'a').health, 'Healthy');
  fixture.clock.advance(1);
  assert.equal(cache.of('d', 'p', 'a').health, 'Unknown');
  assert.equal(cache.of('d', 'p', 'b').health, 'Healthy');
  assert.equal(fixture.changes.length, 2);
  fixture.clock.advance(27_000);
  assert.equal(cache.of('d', 'p', 'b').health, 'Unknown');
  assert.equal(fixture.changes.length, 3);
  cache.report('d', [report('b')]);
  assert.equal(fixture.changes.length, 4);
});

test('a restart remembers what is not stale yet; a damaged file is as good as none', async () => {
  const fixture = new Fixture();
  const first = fixture.cache();
  first.report('d', [report('a', { health: 'Unhealthy', message: 'fan' })]);
  await first.close();
  const second = fixture.cache();
  await second.load();
  assert.deepEqual(second.of('d', 'p', 'a'), { health: 'Unhealthy', message: 'fan' });
  await second.close();
  fixture.file = '{"d":';
  const third = fixture.cache();
  await third.load();
  assert.equal(third.of('d', 'p', 'a').health, 'Unknown');
});

test('a message is cut to 1024 bytes between characters', () => {
  const cache = new Fixture().cache();
  cache.report('d', [report('a', { message: `${'m'.repeat(1020)}üüü` })]);
  assert.equal(cache.of('d', 'p', 'a').message, `${'m'.repeat(1020)}...`);
});
