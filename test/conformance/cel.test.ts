/** Replays what upstream answered about expressions: verdicts, texts, estimates, results and costs. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { parseJson, stringifyJson } from '#machinery';
import { agrees } from './cel-agreement.ts';
import { answerRequest, type CelRequest } from './cel-oracle.ts';

const VECTORS = new URL('../vectors/cel/', import.meta.url);

/** How many records of a family are still answered differently; a change for the better lowers its figure here. */
const KNOWN_DISAGREEMENTS: Readonly<Record<string, number>> = { bind: 1, limits: 3, literals: 3, names: 7, operators: 1, random: 3, strings: 1 };

for (const file of readdirSync(VECTORS)) {
  const family = file.replace('.jsonl.gz', '');
  const known = KNOWN_DISAGREEMENTS[family] ?? 0;
  test(`${family}: all answers but ${known} are upstream's`, () => {
    const lines = gunzipSync(readFileSync(new URL(file, VECTORS)))
      .toString()
      .split('\n')
      .filter(Boolean);
    const different = lines.filter((line) => !isSame(line));
    assert.equal(different.length, known, different.slice(0, 5).join('\n'));
  });
}

function isSame(line: string): boolean {
  const { want, ...request } = parseJson(line) as unknown as CelRequest & { readonly want: unknown };
  return agrees(parseJson(stringifyJson(answerRequest(request))), want);
}
