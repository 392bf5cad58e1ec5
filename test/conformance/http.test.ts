/** The API server answers as kube-apiserver v1.36.3 did: recorded exchanges, played in process. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { differingSteps, type Scenario } from './http-player.ts';

const VECTORS = new URL('../vectors/http/', import.meta.url);

/** Recordings in which some answers still differ, and how many at most; the others pass whole. */
const KNOWN: ReadonlyMap<string, number> = new Map<string, number>([
  ['discovery/discovery-full', 1],
  ['errors/requests', 1],
]);

function recordings(): string[] {
  return ['authz', 'crud', 'discovery', 'errors', 'gates', 'kinds', 'patch', 'tables', 'validation', 'watch'].flatMap((area) =>
    readdirSync(new URL(`${area}/`, VECTORS))
      .filter((name) => name.endsWith('.json.gz'))
      .sort()
      .map((name) => `${area}/${name.slice(0, -'.json.gz'.length)}`),
  );
}

function read(name: string): Scenario {
  // The recordings' documented format.
  return JSON.parse(gunzipSync(readFileSync(new URL(`${name}.json.gz`, VECTORS))).toString('utf8')) as Scenario;
}

describe('recorded exchanges', () => {
  for (const name of recordings()) {
    const scenario = read(name);
    const known = KNOWN.get(name) ?? 0;
    test(known === 0 ? `${name}: every answer is as recorded` : `${name}: at most the ${String(known)} known answers differ`, async () => {
      const differing = await differingSteps(scenario);
      if (known === 0) assert.deepEqual(differing, []);
      else assert.ok(differing.length <= known, `differing: ${differing.join('; ')}`);
    });
  }

  test('every recording that is known to differ exists', () => {
    const names = new Set(recordings());
    assert.deepEqual(
      [...KNOWN.keys()].filter((name) => !names.has(name)),
      [],
    );
  });
});
