/** Addresses of pods. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fallbackRange, freeAddress } from './pod-addresses.ts';

test('the lowest free address of the range is taken, never its name, gateway or last', () => {
  assert.equal(freeAddress('10.244.3.0/24', new Set()), '10.244.3.2');
  assert.equal(freeAddress('10.244.3.0/24', new Set(['10.244.3.2', '10.244.3.4'])), '10.244.3.3');
  const all = new Set(Array.from({ length: 253 }, (_, i) => `10.244.3.${String(i + 2)}`));
  assert.equal(freeAddress('10.244.3.0/24', all), undefined);
  assert.equal(freeAddress('10.244.3.128/30', new Set()), '10.244.3.130');
});

test('a larger range serves its first 253 addresses', () => {
  assert.equal(freeAddress('10.8.0.0/16', new Set()), '10.8.0.2');
});

test('a node without a range gets the same one each time', () => {
  assert.match(fallbackRange('node-1'), /^10\.244\.(12[89]|1[3-9]\d|2\d\d)\.0\/24$/);
  assert.equal(fallbackRange('node-1'), fallbackRange('node-1'));
  assert.notEqual(fallbackRange('node-1'), fallbackRange('node-2'));
});
