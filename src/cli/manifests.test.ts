/** Manifests are read as kubectl reads them, and what is wrong is named with file and line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseManifests } from './manifests.ts';

const POD = 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n';

async function names(text: string): Promise<readonly (string | undefined)[]> {
  return (await parseManifests(text, 'f.yaml')).map((manifest) => manifest.metadata.name);
}

test('documents, empty ones, comments, lists and JSON are read in their order', async () => {
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'b' } }] });
  assert.deepEqual(await names(`# first\n---\n${POD}--- # second\n# nothing\n---\n${list}\n---\n${POD.replace('name: a', 'name: c')}`), ['a', 'b', 'c']);
  assert.deepEqual(await names(''), []);
  assert.deepEqual(await names('# only a comment\n'), []);
});

test('texts mean what they mean to kubectl: YAML 1.1', async () => {
  const [object] = await parseManifests(`${POD}data: {mode: 0777, on: yes, time: 2001-01-01}\n`, 'f.yaml');
  assert.deepEqual(Object.entries(object ?? {}).find(([name]) => name === 'data')?.[1], { mode: 511, time: '2001-01-01', true: true });
});

const broken: Readonly<Record<string, readonly [string, RegExp]>> = {
  'an unclosed bracket': [`${POD}spec: [\n`, /^f\.yaml:[56]: \S.* \S/],
  'a tab as indentation': [`${POD}spec:\n\tx: 1\n`, /^f\.yaml:6: /],
  'an unclosed bracket in the second document': [`${POD}---\n${POD}spec: {a: [}\n`, /^f\.yaml:10: /],
  'a field set twice': [`${POD}spec: {}\nspec: {}\n`, /^f\.yaml:6: key "spec" already set in map$/],
  'an alias to nothing': [`${POD}spec: *gone\n`, /^f\.yaml:1: .*gone$/],
  'a text': ['hello\n', /^f\.yaml:1: this is a text, not an object$/],
  'a number behind comments': ['# one\n\n# two\n42\n', /^f\.yaml:4: this is a number, not an object$/],
  'a list': [`${POD}---\n- ${POD.replaceAll('\n', '\n  ')}`, /^f\.yaml:6: this is a list, not an object$/],
  'an object without apiVersion': ['kind: Pod\nmetadata: {name: a}\n', /^f\.yaml:1: the object has no apiVersion$/],
  'an object without kind': ['apiVersion: v1\nmetadata: {name: a}\n', /^f\.yaml:1: the object has no kind$/],
  'an object without metadata': ['apiVersion: v1\nkind: Pod\n', /^f\.yaml:1: the object has no metadata$/],
  'an object without a name': ['apiVersion: v1\nkind: Pod\nmetadata: {labels: {}}\n', /^f\.yaml:1: the object has no metadata\.name$/],
};

for (const [what, [text, expected]] of Object.entries(broken)) {
  test(`${what} is named with file and line`, async () => {
    await assert.rejects(parseManifests(text, 'f.yaml'), (error: Error) => {
      assert.match(error.message, expected);
      return true;
    });
  });
}
