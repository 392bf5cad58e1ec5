/** Replays recorded answers of Kubernetes' structured allocator v0.37.2 (322 hand-made and 2,998 random cases) on dray's. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { parseJson } from '#machinery';
import { essence } from './allocator-essence.ts';
import { answerCase, type OracleCase, type OracleResult } from './allocator-oracle.ts';

/** A case with its recorded answer; `quirk` names why upstream's answer is questionable, so dray's may differ. */
interface Recorded extends OracleCase {
  readonly why?: string | undefined;
  readonly quirk?: string | undefined;
  readonly answer: { readonly results: readonly OracleResult[]; readonly steps: number };
}

/**
 * Not marked, but the defect of those that are marked 1.14: upstream's admin claim uses up counters, so a later claim of the pod is driven on to a device
 * whose selector fails. Without the admin claim upstream answers what dray answers with it.
 */
const ADMIN_LOOKS_ON = 'random-549';

function read(file: string): readonly Recorded[] {
  const path = new URL(`../vectors/allocator/${file}`, import.meta.url);
  const lines = gunzipSync(readFileSync(path))
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
  // Recorded lines are cases.
  return lines.map((line) => frozen(parseJson(line)) as Recorded);
}

/** Whoever changes an input fails. */
function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}

const CHECKLIST = read('checklist.jsonl.gz');

describe('hand-made cases are answered as recorded', () => {
  for (const recorded of CHECKLIST) {
    // Those with a quirk have tests of their own, below and in src/allocator.
    if (recorded.quirk !== undefined) continue;
    test(recorded.id, () => {
      assert.deepEqual(answerCase(recorded).results.map(essence), recorded.answer.results.map(essence), recorded.why ?? recorded.id);
    });
  }
});

const RANDOM = read('random-1.jsonl.gz');

test('random cases are answered as recorded, but where upstream is known to be wrong', () => {
  let [same, quirk] = [0, 0];
  const different: string[] = [];
  for (const recorded of RANDOM) {
    if (isDeepStrictEqual(answerCase(recorded).results.map(essence), recorded.answer.results.map(essence))) same++;
    else if (recorded.quirk !== undefined) quirk++;
    else different.push(recorded.id);
  }
  assert.deepEqual(different, [ADMIN_LOOKS_ON]);
  assert.deepEqual({ same, quirk }, { same: 2924, quirk: 73 });
});

test('random-549: the claims beside an admin claim get what they get without it', () => {
  const recorded = RANDOM.find(({ id }) => id === ADMIN_LOOKS_ON);
  assert.ok(recorded?.claims !== undefined);
  const [withAdmin] = answerCase(recorded).results;
  const [without] = answerCase({ ...recorded, claims: recorded.claims.slice(1) }).results;
  assert.ok(without?.allocation !== undefined);
  assert.deepEqual(withAdmin?.allocation?.slice(1), without.allocation);
});

test('larger random cases that were once answered otherwise are answered as upstream does', () => {
  for (const recorded of read('differential.jsonl.gz')) {
    assert.deepEqual(answerCase(recorded).results.map(essence), recorded.answer.results.map(essence), recorded.id);
  }
});

test('the search never takes more steps than upstream, and where upstream tries all combinations in vain only a few', () => {
  const effort = CHECKLIST.filter(({ id }) => id.startsWith('check-combinations-'));
  assert.ok(effort.length >= 7);
  for (const recorded of effort) {
    const steps = answerCase(recorded).results.reduce((sum, result) => sum + (result.steps ?? 0), 0);
    assert.ok(steps <= recorded.answer.steps, `${recorded.id}: ${steps} > ${recorded.answer.steps}`);
    if (recorded.id.startsWith('check-combinations-within')) assert.equal(steps, 5, recorded.id);
  }
});

test('the answer does not depend on the order in which slices arrive', () => {
  for (const recorded of CHECKLIST) {
    const reversed = { ...recorded, slices: [...(recorded.slices ?? [])].reverse() };
    assert.deepEqual(answerCase(reversed).results.map(essence), answerCase(recorded).results.map(essence), recorded.id);
  }
});

/** The answer to the checklist's case of this name. */
function answerTo(id: string): readonly OracleResult[] {
  const recorded = CHECKLIST.find((each) => each.id === id);
  assert.ok(recorded?.quirk !== undefined, `${id} is recorded as questionable`);
  return answerCase(recorded).results;
}

test('all devices of a pool that cannot be used: refused on this node, others may do', () => {
  for (const id of ['all-devices-of-the-incomplete-pool', 'all-mode-incomplete-pool-elsewhere', 'all-mode-invalid-pool']) {
    const refused = answerTo(id).find(({ errorClass }) => errorClass !== undefined);
    assert.equal(refused?.errorClass, 'node', id);
    assert.match(refused.error ?? '', /asks for all devices, but resource pool \S+ is currently (invalid|being updated)$/);
  }
});

test('slices that disagree about the size of their pool make it invalid, whichever arrives first', () => {
  for (const id of ['inconsistent-slice-count', 'inconsistent-slice-count#2']) {
    assert.deepEqual(
      answerTo(id).map(({ error, errorClass }) => ({ error, errorClass })),
      [{ error: 'invalid resource pools were encountered', errorClass: 'node' }],
      id,
    );
  }
});

test('looking on with adminAccess draws no counters and hides no device from later requests', () => {
  for (const id of [
    'admin-access-claims-device-allocating-for-non-admin-access#2',
    'defect-1.19.5-admin-consumes-counters',
    'defect-1.19.5-admin-refused-by-counters',
  ]) {
    const results = answerTo(id).flatMap(({ allocation }) => allocation ?? []);
    const devices = results.flatMap((each) => each.devices?.results ?? []);
    assert.ok(
      devices.some(({ adminAccess }) => adminAccess === true),
      id,
    );
  }
});

test('amounts are compared as amounts: a default of 6144Mi is met by 6Gi', () => {
  assert.ok(answerTo('defect-1.19.6-default-written-differently#2').every(({ allocation }) => allocation !== undefined));
});
