/** Plays what a real control plane of 1.36.3 was recorded to do. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { play, type Scenario } from './player.ts';

/** Scenarios that dray cannot play, and why. */
const PENDING: Readonly<Record<string, string>> = {
  'daemon-set': 'dray has no DaemonSet controller',
  job: 'dray has no Job controller',
};

const text = gunzipSync(readFileSync(new URL('../vectors/scenarios/scenarios.jsonl.gz', import.meta.url))).toString('utf8');
const scenarios = text
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Scenario & { readonly purpose: string });

for (const scenario of scenarios) {
  test(`${scenario.name}: ${scenario.purpose}`, { skip: PENDING[scenario.name] }, async () => {
    assert.deepEqual(await play(scenario), []);
  });
}
