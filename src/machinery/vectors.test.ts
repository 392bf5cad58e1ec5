/** Reads recorded upstream answers for the tests of this layer. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { parseJson } from './json.ts';

/** The records of test/vectors/machinery/`name`.jsonl.gz; `T` is the shape that the recording documents. */
export function vectors<T>(name: string): readonly T[] {
  const file = new URL(`../../test/vectors/machinery/${name}.jsonl.gz`, import.meta.url);
  const lines = gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n');
  return lines.map((line) => parseJson(line) as T);
}

test('a recording is read as one record per line', () => {
  const records = vectors<{ id: string }>('semver-semver');
  assert.equal(new Set(records.map(({ id }) => id)).size, 484);
});
