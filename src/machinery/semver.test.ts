/** Versions read and compare as upstream's do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Semver, SemverError } from './semver.ts';
import { vectors } from './vectors.test.ts';

function reading(read: () => Semver): [Semver | undefined, Record<string, unknown>] {
  try {
    const v = read();
    const facts: Record<string, unknown> = { text: v.toString(), numbers: [v.major, v.minor, v.patch].map(String) };
    if (v.prerelease.length > 0) facts['pre'] = v.prerelease.map(String);
    if (v.build.length > 0) facts['build'] = v.build;
    return [v, facts];
  } catch (error) {
    assert.ok(error instanceof SemverError);
    return [undefined, { error: error.message }];
  }
}

test('versions answer as recorded, read strictly and tolerantly', () => {
  for (const { id, text, other, want } of vectors<{ id: string; text: string; other?: string; want: object }>('semver-semver')) {
    const [strict, strictFacts] = reading(() => Semver.read(text));
    const [tolerant, tolerantFacts] = reading(() => Semver.readTolerant(text));
    const got: Record<string, unknown> = { strict: strictFacts, normalized: tolerantFacts };
    const otherStrict = other === undefined ? undefined : Semver.parse(other);
    const otherTolerant = other === undefined ? undefined : Semver.parseTolerant(other);
    if (strict !== undefined && otherStrict !== undefined) got['cmp'] = strict.compare(otherStrict);
    if (tolerant !== undefined && otherTolerant !== undefined) got['cmpNormalized'] = tolerant.compare(otherTolerant);
    assert.deepEqual(got, want, `${id} ${text}`);
  }
});
