import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goJsonSyntaxError } from './go-json-syntax.ts';

const MESSAGES: readonly (readonly [text: string, message: string | undefined])[] = [
  ['', 'unexpected end of JSON input'],
  ['{', 'unexpected end of JSON input'],
  ['{]', "invalid character ']' looking for beginning of object key string"],
  ['{"a"}', "invalid character '}' after object key"],
  ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
  ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
  ['[1 2]', "invalid character '2' after array element"],
  ['{}x', "invalid character 'x' after top-level value"],
  ["{'a':1}", String.raw`invalid character '\'' looking for beginning of object key string`],
  ['metadata', "invalid character 'm' looking for beginning of value"],
  ['\ufeff{}', "invalid character 'ï' looking for beginning of value"],
  ['"\u0001"', String.raw`invalid character '\x01' in string literal`],
  [String.raw`"\x"`, "invalid character 'x' in string escape code"],
  [String.raw`"\u12g4"`, String.raw`invalid character 'g' in \u hexadecimal character escape`],
  ['-a', "invalid character 'a' in numeric literal"],
  ['1.x', "invalid character 'x' after decimal point in numeric literal"],
  ['1e+x', "invalid character 'x' in exponent of numeric literal"],
  ['01', "invalid character '1' after top-level value"],
  ['NaN', "invalid character 'N' looking for beginning of value"],
  ['nul!', "invalid character '!' in literal null (expecting 'l')"],
  [' {"a": [1, -2.5e3, true, null, "b"], "c": {}} ', undefined],
];

test('texts that are no JSON are told as by Go', () => {
  for (const [text, message] of MESSAGES) assert.equal(goJsonSyntaxError(text), message, text);
});
