/** Doubles in texts, against what JavaScript writes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixedText } from './number-text.ts';

/** The most digits that JavaScript writes. */
const DIGITS_MAX = 100;

test('digits are those of the exact value, rounded where they end', () => {
  for (const value of [1 / 3, 0.1, -9.995, 123_456.789, 2 ** -60, 1e-7, 5e-324, 1e20, -(2 ** 53)]) {
    const exact = value.toFixed(DIGITS_MAX).replace(/\.?0+$/, '');
    for (let precision = 0; precision <= DIGITS_MAX; precision++) {
      // JavaScript rounds what lies in the middle up.
      if (exact.length - exact.indexOf('.') - 1 === precision + 1) continue;
      assert.equal(fixedText(value, precision).replaceAll(',', ''), value.toFixed(precision), `${String(value)} with ${String(precision)} digits`);
    }
  }
});

test('thousands are parted, also of negative numbers', () => {
  assert.deepEqual(
    [0, 999, -999, 1000, -1_234_567.5, 12_345_678].map((value) => fixedText(value, 1)),
    ['0.0', '999.0', '-999.0', '1,000.0', '-1,234,567.5', '12,345,678.0'],
  );
});

test('a digit that lies in the middle is rounded to the even one', () => {
  assert.deepEqual(
    [0.5, 1.5, 2.5, -0.125].map((value) => fixedText(value, value === -0.125 ? 2 : 0)),
    ['0', '2', '2', '-0.12'],
  );
});
