/** Simple patterns mean the same natively and in RE2, and nothing else counts as simple. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RE2JS } from 're2js';
import { simplePattern } from './simple-patterns.ts';

const SIMPLE = [
  '^Example [AH]100-(SXM|NVL)$',
  'a100',
  '^a',
  '0$',
  '^nvidia\\.com/.*',
  '^a.*z$',
  '[^a-c]',
  '^x?y',
  '\\d\\d',
  '',
  '^(?:ab|cd)e[0-9]+$',
  'a]'.slice(0, 1),
];
const TEXTS = [
  '',
  'a',
  'Example A100-SXM',
  'Example B100-SXM',
  'a100',
  'xa100y',
  'nvidia.com/gpu',
  'nvidiaXcom/gpu',
  'a\nz',
  'abz',
  'abe17',
  'cde',
  'xy',
  'y',
  '😀é',
  '99',
];

test('a simple pattern finds what RE2 finds', () => {
  for (const pattern of SIMPLE) {
    const native = simplePattern(pattern);
    assert.ok(native !== undefined, pattern);
    const regex = RE2JS.compile(pattern);
    for (const text of TEXTS) assert.equal(native.test(text), regex.test(text), `${pattern} on ${JSON.stringify(text)}`);
  }
});

test('patterns that could backtrack, or that differ between engines, are left to RE2', () => {
  for (const pattern of [
    'a*',
    '(a|b)(a|b)',
    '^(a+)+$',
    '^a*b*',
    '\\s',
    '(?i)a',
    '\\pL',
    '[[:alpha:]]',
    '[z-a]',
    '(',
    'a{2}',
    '\\b',
    '.',
    '^(a|aa)*$',
    '\\x41',
    'é',
  ]) {
    assert.equal(simplePattern(pattern), undefined, pattern);
  }
});
