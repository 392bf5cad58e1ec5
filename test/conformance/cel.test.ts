/** Replays what upstream answered about expressions: verdicts, texts, estimates, results and costs. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { parseJson, stringifyJson } from '#machinery';
import { answerRequest, type CelRequest } from './cel-oracle.ts';

const VECTORS = new URL('../vectors/cel/', import.meta.url);

/** How many records of a family are still answered differently; a change for the better lowers its figure here. */
const KNOWN_DISAGREEMENTS: Readonly<Record<string, number>> = { bind: 1, limits: 3, literals: 3, names: 7, operators: 1, random: 7, strings: 1 };

for (const file of readdirSync(VECTORS)) {
  const family = file.replace('.jsonl.gz', '');
  const known = KNOWN_DISAGREEMENTS[family] ?? 0;
  test(`${family}: all answers but ${known} are upstream's`, () => {
    const lines = gunzipSync(readFileSync(new URL(file, VECTORS)))
      .toString()
      .split('\n')
      .filter(Boolean);
    const different = lines.filter((line) => !agrees(line));
    assert.equal(different.length, known, different.slice(0, 5).join('\n'));
  });
}

function agrees(line: string): boolean {
  const { want, ...request } = parseJson(line) as unknown as CelRequest & { readonly want: unknown };
  const got = parseJson(stringifyJson(answerRequest(request)));
  return isDeepStrictEqual(comparable(got, want), comparable(want, want));
}

/** The answer without what upstream itself does not reproduce, as `recorded` tells. */
function comparable(answer: unknown, recorded: unknown): unknown {
  if (Array.isArray(answer)) return answer.map((item, i) => comparable(item, field(recorded, i)));
  if (answer === null || typeof answer !== 'object') return answer;
  const unordered = field(recorded, 'unordered');
  const dropped = new Set(['unordered', ...(Array.isArray(unordered) ? unordered : [])]);
  return Object.fromEntries(
    Object.entries(answer)
      .filter(([key]) => !dropped.has(key))
      .map(([key, part]) => [key, comparable(part, field(recorded, key))]),
  );
}

function field(value: unknown, key: string | number): unknown {
  return value !== null && typeof value === 'object' ? Reflect.get(value, key) : undefined;
}
