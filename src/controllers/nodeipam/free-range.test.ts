/** Ranges of pod addresses for nodes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeRange } from './free-range.ts';

test('nodes get the lowest free range, also one that another node gave back', () => {
  assert.equal(freeRange('10.244.0.0/16', []), '10.244.0.0/24');
  assert.equal(freeRange('10.244.0.0/16', ['10.244.0.0/24', '10.244.2.0/24']), '10.244.1.0/24');
});

test('a range of another size is not cut into, one of IPv6 is no obstacle', () => {
  assert.equal(freeRange('10.244.0.0/16', ['10.244.0.0/23', '10.244.2.128/25', 'fd00::/64']), '10.244.3.0/24');
});

test('when all ranges are taken there is none', () => {
  assert.equal(freeRange('10.0.0.0/23', ['10.0.0.0/24', '10.0.1.0/24']), undefined);
});

test('a range that is none is an error', () => {
  assert.throws(() => freeRange('10.0.0.0', []), /10\.0\.0\.0 is no IPv4 range/);
});
