/** The cache keeps what was used last, within its room. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptLast } from './kept-last.ts';

function made(cache: KeptLast<string>, text: string): boolean {
  let isMade = false;
  cache.get(text, () => {
    isMade = true;
    return text;
  });
  return isMade;
}

test('a full cache forgets what was not used for longest', () => {
  const cache = new KeptLast<string>({ count: 2, characters: 100 });
  assert.deepEqual(
    ['a', 'b', 'a', 'c', 'a', 'b'].map((text) => made(cache, text)),
    [true, true, false, true, false, true],
  );
});

test('long texts take the room of several', () => {
  const cache = new KeptLast<string>({ count: 10, characters: 10 });
  assert.deepEqual(
    ['aaaa', 'bbbb', 'cccc', 'aaaa', 'cccc'].map((text) => made(cache, text)),
    [true, true, true, true, false],
  );
});
