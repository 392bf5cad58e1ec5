/** YAML is read as sigs.k8s.io/yaml reads it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseYaml, YamlError, YamlTooLongError } from './yaml.ts';

test('words of YAML 1.1 are booleans, also as names of members', async () => {
  assert.deepEqual((await parseYaml('a: y\nb: no\nc: "y"\non: 1')).value, { a: true, b: false, c: 'y', true: 1 });
});

test('integers of any base are exact; dates and numbers to the base of 60 are strings', async () => {
  const { value } = await parseYaml('a: 010\nb: 0x1F\nc: 1_000\nd: 9007199254740993\ne: 1:20\nf: 2001-01-01\ng: 16Gi\nh: 1e3');
  assert.deepEqual(value, { a: 8, b: 31, c: 1000, d: 9007199254740993n, e: '1:20', f: '2001-01-01', g: '16Gi', h: 1000 });
});

test('the first document counts, whatever ends it', async () => {
  for (const text of ['a: 1\n...\nb: 2', '---\na: 1\n---\nb: [']) assert.deepEqual((await parseYaml(text)).value, { a: 1 });
  assert.equal((await parseYaml('# nothing\n')).value, null);
});

test('members come in the order of their names, and of those set again the last one counts', async () => {
  const { value, repeated } = await parseYaml('b: 1\na:\n  d: 2\n  d: 3\nb: 4');
  assert.equal(JSON.stringify(value), '{"a":{"d":3},"b":4}');
  assert.deepEqual(repeated, ['line 5: key "b" already set in map', 'line 4: key "d" already set in map']);
});

test('aliases and merge keys are resolved, and an explosion of them is refused', async () => {
  assert.deepEqual((await parseYaml('a: &x {z: 1}\nb: *x\nc:\n  <<: *x\n  q: 2')).value, { a: { z: 1 }, b: { z: 1 }, c: { q: 2, z: 1 } });
  const level = (n: number): string => `l${String(n)}: &l${String(n)} [${Array.from({ length: 9 }, () => `*l${String(n - 1)}`).join(',')}]`;
  const bomb = ['l0: &l0 [x]', ...Array.from({ length: 9 }, (_, i) => level(i + 1))].join('\n');
  await assert.rejects(parseYaml(bomb), YamlError);
});

test('a text that is no YAML is refused with its line', async () => {
  for (const [text, line] of [
    ['a: [', 1],
    ['a: |\nb c', 2],
    ['x: 1\ny: "\\q"', 2],
  ] as const) {
    await assert.rejects(parseYaml(text), new RegExp(`^YamlError: yaml: line ${String(line)}: `));
  }
});

test('what is JSON is read as such, to the same value', async () => {
  const json = '{"b": [1, 1.5, "y", null, {"c": 9007199254740993}], "a": "x: \\"{:}\\" \\u0041", "on": {}}';
  const asYaml = `# not JSON\n${json}`;
  assert.equal(JSON.stringify(await parseYaml(json), bigintAsText), JSON.stringify(await parseYaml(asYaml), bigintAsText));
  assert.deepEqual(await parseYaml('{"a": 1, "a": 2}'), { value: { a: 2 }, repeated: ['line 1: key "a" already set in map'] });
  assert.deepEqual((await parseYaml('{a: 1}')).value, { a: 1 });
});

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

test('a text of too many tokens is refused before it is read, one of long words is not', async () => {
  await assert.rejects(parseYaml('- 1\n'.repeat(1000), 1000), new YamlTooLongError(1000));
  assert.equal((await parseYaml(`a: ${'x'.repeat(100_000)}`, 1000)).repeated.length, 0);
  assert.deepEqual((await parseYaml(`a: 1\n---\n${'- 1\n'.repeat(1000)}`, 1000)).value, { a: 1 }, 'documents that nobody wants are not read');
});
