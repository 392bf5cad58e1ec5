/** What is written is what X.690 and RFC 5280 say, by their examples and known encodings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bitString, contentOf, explicit, implicit, integer, membersOf, objectIdentifier, octetString, sequence, setOf, text, time, TRUE } from './der.ts';

function hex(written: Uint8Array): string {
  return Buffer.from(written).toString('hex');
}

test('values are written as tag, length and content', () => {
  const cases: readonly (readonly [Uint8Array, string])[] = [
    [TRUE, '0101ff'],
    [integer(Uint8Array.of(2)), '020102'],
    [bitString(Uint8Array.of(0x80), 7), '03020780'],
    [octetString(Uint8Array.of(1, 2)), '04020102'],
    [sequence(), '3000'],
    [sequence(TRUE, integer(Uint8Array.of(0))), '30060101ff020100'],
    [setOf(TRUE), '31030101ff'],
    [explicit(3, TRUE), 'a3030101ff'],
    [implicit(2, Buffer.from('a')), '820161'],
    // X.690, 8.19.5, and identifiers whose numbers take one, two and three bytes.
    [objectIdentifier('2.999.3'), '0603883703'],
    [objectIdentifier('2.5.29.17'), '0603551d11'],
    [objectIdentifier('1.2.840.10045.4.3.2'), '06082a8648ce3d040302'],
    [objectIdentifier('1.2.840.113549.1.1.11'), '06092a864886f70d01010b'],
  ];
  for (const [written, expected] of cases) assert.equal(hex(written), expected);
});

test('lengths from 128 on say first how many bytes they take', () => {
  assert.equal(hex(octetString(new Uint8Array(127)).subarray(0, 2)), '047f');
  assert.equal(hex(octetString(new Uint8Array(128)).subarray(0, 3)), '048180');
  assert.equal(hex(octetString(new Uint8Array(256)).subarray(0, 4)), '04820100');
  assert.equal(hex(octetString(new Uint8Array(65_536)).subarray(0, 5)), '0483010000');
});

test('names are printable strings where they can be', () => {
  assert.equal(hex(text('system:masters')), `130e${Buffer.from('system:masters').toString('hex')}`);
  assert.equal(hex(text('a@b')), '0c03614062');
  assert.equal(hex(text('ü')), '0c02c3bc');
});

test('years from 2050 on have four digits', () => {
  assert.equal(hex(time(Date.UTC(2049, 11, 31, 23, 59, 59, 999))), `170d${Buffer.from('491231235959Z').toString('hex')}`);
  assert.equal(hex(time(Date.UTC(2050, 0, 1))), `180f${Buffer.from('20500101000000Z').toString('hex')}`);
});

test('a written value is taken apart into what it was written from', () => {
  for (const length of [0, 1, 127, 128, 300]) {
    const members = [octetString(new Uint8Array(length).fill(7)), TRUE, sequence(TRUE)];
    assert.deepEqual(membersOf(sequence(...members)).map(hex), members.map(hex));
    assert.equal(contentOf(members[0] ?? TRUE).length, length);
  }
  assert.deepEqual(membersOf(sequence()), []);
});
