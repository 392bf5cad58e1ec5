/** Bodies put together of texts and bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pieces, utf8 } from './pieces.ts';

function sample(): Pieces {
  return new Pieces().text('ab').text('c').bytes(utf8('DEF')).bytes(utf8('GH')).text('ij').bytes(utf8('')).text('');
}

test('a body is the same whatever the size of the parts it is read in', () => {
  for (let size = 1; size <= 12; size++) {
    const body = sample().body();
    assert.equal(body.length, 10);
    const part = new Uint8Array(size);
    let text = '';
    for (let length = body.fill(part); length > 0; length = body.fill(part)) text += Buffer.from(part.subarray(0, length)).toString();
    assert.equal(text, 'abcDEFGHij', `parts of ${String(size)} bytes`);
  }
});

test('texts that are not ASCII and texts that are long keep their places', () => {
  const long = 'x'.repeat(5000);
  const pieces = new Pieces().text('é').bytes(utf8('1')).text('日').text(long).text('ß').bytes(utf8('2')).text('😀');
  assert.equal(Buffer.from(pieces.joined()).toString(), `é1日${long}ß2😀`);
});

test('who iterates gets parts of their own', async () => {
  const bytes = utf8('0123456789'.repeat(60_000));
  const parts = [];
  for await (const part of new Pieces().text('a').bytes(bytes).body()) parts.push(part);
  assert.ok(parts.length > 1);
  assert.equal(Buffer.compare(Buffer.concat(parts), Buffer.concat([utf8('a'), bytes])), 0);
});
