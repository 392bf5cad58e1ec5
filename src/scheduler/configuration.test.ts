/** Tests of the scheduler's configuration file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '#machinery';
import { parseSchedulerConfiguration, SchedulerConfigurationError } from './configuration.ts';

const HEAD = { apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration' };

test('an empty configuration gives the defaults of upstream', () => {
  const { schedulerName, bindingTimeoutMs, backoff } = parseSchedulerConfiguration(HEAD);
  assert.deepEqual(
    { schedulerName, bindingTimeoutMs, backoff },
    { schedulerName: 'default-scheduler', bindingTimeoutMs: 600_000, backoff: { firstMs: 1_000, maxMs: 10_000 } },
  );
});

test('name, timeouts, backoff and election are read', () => {
  const found = parseSchedulerConfiguration({
    ...HEAD,
    podInitialBackoffSeconds: 2,
    podMaxBackoffSeconds: 20,
    leaderElection: { leaderElect: false, leaseDuration: '1m', resourceLock: 'leases' },
    profiles: [{ schedulerName: 'mine', pluginConfig: [{ name: 'DynamicResources', args: { bindingTimeout: '10s', filterTimeout: '5s' } }] }],
  });
  assert.equal(found.schedulerName, 'mine');
  assert.equal(found.bindingTimeoutMs, 10_000);
  assert.deepEqual(found.backoff, { firstMs: 2_000, maxMs: 20_000 });
  assert.equal(found.leaderElection.leaderElect, false);
  assert.equal(found.leaderElection.leaseDurationMs, 60_000);
});

test('the plugin DynamicResources is left to the feature gate, disabled, or enabled again', () => {
  const chosen = (multiPoint: Json): boolean | undefined => parseSchedulerConfiguration({ ...HEAD, profiles: [{ plugins: { multiPoint } }] }).dynamicResources;
  const list = [{ name: 'DynamicResources' }];
  assert.deepEqual([chosen({}), chosen({ disabled: list }), chosen({ disabled: list, enabled: list })], [undefined, false, true]);
});

test('what is wrong or not there is refused by its path', () => {
  const cases: readonly (readonly [Json, RegExp])[] = [
    [{ ...HEAD, kind: 'Pod' }, /no KubeSchedulerConfiguration/],
    [{ ...HEAD, extenders: [] }, /^extenders: dray's scheduler has no such setting$/],
    [{ ...HEAD, profiles: [{}, {}] }, /^profiles: dray has one/],
    [{ ...HEAD, profiles: [{ plugins: { filter: {} } }] }, /^profiles\[0\]\.plugins\.filter: dray's scheduler has no such setting$/],
    [
      { ...HEAD, profiles: [{ plugins: { multiPoint: { disabled: [{ name: '*' }] } } }] },
      /disabled\[0\]\.name: dray can leave out DynamicResources alone, not \*$/,
    ],
    [
      { ...HEAD, profiles: [{ pluginConfig: [{ name: 'DynamicResources', args: { bindingTimeout: '10ms' } }] }] },
      /^profiles\[0\]\.pluginConfig\[0\]\.args\.bindingTimeout: must be at least 1 second$/,
    ],
    [{ ...HEAD, profiles: [{ pluginConfig: [{ name: 'DynamicResources', args: { bindingTimeout: 10 } }] }] }, /bindingTimeout: not a duration/],
    [{ ...HEAD, podMaxBackoffSeconds: 0.5 }, /podMaxBackoffSeconds: must be greater/],
    ['text', /is no object/],
  ];
  for (const [value, message] of cases) {
    assert.throws(
      () => parseSchedulerConfiguration(value),
      (error: unknown) => error instanceof SchedulerConfigurationError && message.test(error.message),
      String(message),
    );
  }
});
