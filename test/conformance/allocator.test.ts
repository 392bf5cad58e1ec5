/** Replays recorded answers of Kubernetes' structured allocator v0.37.2 (322 hand-made and 2,998 random cases) on dray's. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { parseJson, stringifyJson } from '#machinery';
import { answerCase, type OracleCase, type OracleResult } from './allocator-oracle.ts';

/** A case with its recorded answer; `quirk` names why upstream's answer is questionable, so dray's may differ. */
interface Recorded extends OracleCase {
  readonly why?: string | undefined;
  readonly quirk?: string | undefined;
  readonly answer: { readonly results: readonly OracleResult[]; readonly steps: number };
}

const INTERRUPTED = ['interrupt/timeout', 'interrupt/deadline', 'interrupt/cancel'];
const ALL_ALTERNATIVES = ['random-504', 'random-672', 'random-1018', 'random-1632', 'random-1961', 'random-2233', 'random-2401', 'random-2842'];
/** Its admin request may look at a device whose counters are exhausted, so the search never meets the selector that fails upstream. */
const ADMIN_LOOKS_ON = 'random-549';

/** Where dray differs although no quirk is marked. */
const KNOWN_DISAGREEMENTS: ReadonlyMap<string, string> = new Map([
  ...INTERRUPTED.map((id) => [id, 'dray bounds the search by steps, never by time'] as const),
  ...ALL_ALTERNATIVES.map((id) => [id, 'an All alternative that violates a constraint gives way to the next one; upstream aborts the attempt'] as const),
  [ADMIN_LOOKS_ON, 'looking on with adminAccess costs no counters'],
]);

/** What follows one of these is the text of another library (CEL, node selectors), compared elsewhere. */
const FOREIGN_TAIL =
  /(CEL compile error:|CEL runtime error:|failed to parse node selector|compile derived attribute [^:]*failed:|evaluate derived attribute [^:]*failed:)[\s\S]*$/;

function read(file: string): readonly Recorded[] {
  const path = new URL(`../vectors/allocator/${file}`, import.meta.url);
  const lines = gunzipSync(readFileSync(path))
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => parseJson(line) as unknown as Recorded);
}

/** The comparable part of an answer. */
function essence({ node, allocation, none, error, errorClass }: OracleResult): unknown {
  const part =
    allocation !== undefined ? { node, allocation } : error !== undefined ? { node, errorClass, error: error.replace(FOREIGN_TAIL, '$1') } : { node, none };
  return JSON.parse(stringifyJson(part));
}

interface Tally {
  same: number;
  quirk: number;
  known: string[];
  different: string[];
}

function replay(file: string): Tally {
  const tally: Tally = { same: 0, quirk: 0, known: [], different: [] };
  for (const recorded of read(file)) {
    const got = answerCase(recorded).results.map(essence);
    if (isSame(got, recorded.answer.results.map(essence))) tally.same++;
    else if (recorded.quirk !== undefined) tally.quirk++;
    else (KNOWN_DISAGREEMENTS.has(recorded.id) ? tally.known : tally.different).push(recorded.id);
  }
  return tally;
}

function isSame(got: unknown, want: unknown): boolean {
  try {
    assert.deepStrictEqual(got, want);
    return true;
  } catch {
    return false;
  }
}

test('every hand-made case is answered as recorded, but for what is listed', () => {
  const { same, quirk, known, different } = replay('checklist.jsonl.gz');
  assert.deepEqual(different, []);
  assert.deepEqual(known, INTERRUPTED);
  assert.deepEqual({ same, quirk }, { same: 310, quirk: 9 });
});

test('every random case is answered as recorded, but for what is listed', () => {
  const { same, quirk, known, different } = replay('random-1.jsonl.gz');
  assert.deepEqual(different, []);
  assert.deepEqual(
    known.filter((id) => id !== ADMIN_LOOKS_ON),
    ALL_ALTERNATIVES,
  );
  assert.ok(known.includes(ADMIN_LOOKS_ON));
  assert.deepEqual({ same, quirk }, { same: 2867, quirk: 122 });
});

test('the search never takes more steps than upstream, and where upstream tries all combinations in vain only a few', () => {
  const effort = read('checklist.jsonl.gz').filter(({ id }) => id.startsWith('check-combinations-'));
  assert.ok(effort.length >= 7);
  for (const recorded of effort) {
    const steps = answerCase(recorded).results.reduce((sum, result) => sum + (result.steps ?? 0), 0);
    assert.ok(steps <= recorded.answer.steps, `${recorded.id}: ${steps} > ${recorded.answer.steps}`);
    if (recorded.id.startsWith('check-combinations-within')) assert.equal(steps, 5, recorded.id);
  }
});

test('the answer does not depend on the order in which slices arrive', () => {
  for (const recorded of read('checklist.jsonl.gz')) {
    const reversed = { ...recorded, slices: [...(recorded.slices ?? [])].reverse() };
    assert.deepEqual(answerCase(reversed).results.map(essence), answerCase(recorded).results.map(essence), recorded.id);
  }
});
