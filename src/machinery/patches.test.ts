/** Patches: directives, corner cases and safety; the recorded exchanges are played in test/conformance. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FieldSet } from './field-set.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import type { Json } from './meta.ts';
import type { SchemaNode } from './schema.ts';
import { ApiError } from './status.ts';
import { serverSideApply } from './server-side-apply.ts';
import { applyStrategicMergePatch } from './strategic-patch.ts';

const LEAF: SchemaNode = {
  type: 'string',
  goType: 'string',
  pointer: false,
  omitsEmpty: true,
  absent: undefined,
  field: () => undefined,
  fieldNames: [],
  required: [],
  items: undefined,
  listType: 'atomic',
  mapKeys: [],
  atomic: false,
  patchStrategies: [],
  patchMergeKey: undefined,
  default: undefined,
};

function structure(fields: Readonly<Record<string, SchemaNode>>): SchemaNode {
  return { ...LEAF, type: 'object', fieldNames: Object.keys(fields), field: (name) => (Object.hasOwn(fields, name) ? fields[name] : undefined) };
}

const ITEM = structure({ name: LEAF, value: LEAF, other: LEAF });
const SCHEMA = structure({
  apiVersion: LEAF,
  kind: LEAF,
  metadata: structure({ name: LEAF }),
  items: { ...LEAF, type: 'list', items: ITEM, listType: 'map', mapKeys: ['name'], patchStrategies: ['merge'], patchMergeKey: 'name' },
  words: { ...LEAF, type: 'list', items: LEAF, listType: 'set', patchStrategies: ['merge'] },
  whole: { ...LEAF, type: 'list', items: LEAF },
});

const merge = (doc: Json, patch: Json): Json => applyStrategicMergePatch(doc, patch, SCHEMA);

test('lists merge by key, elements are deleted, order is set', () => {
  const doc = {
    items: [
      { name: 'a', value: '1' },
      { name: 'b', value: '2' },
      { name: 'c', value: '3' },
    ],
  };
  assert.deepEqual(
    merge(doc, {
      items: [
        { name: 'b', $patch: 'delete' },
        { name: 'a', other: 'x' },
      ],
    }),
    {
      items: [
        { name: 'a', value: '1', other: 'x' },
        { name: 'c', value: '3' },
      ],
    },
  );
  assert.deepEqual(merge(doc, { '$setElementOrder/items': [{ name: 'c' }, { name: 'd' }, { name: 'a' }], items: [{ name: 'd', value: '4' }] }), {
    items: [
      { name: 'b', value: '2' },
      { name: 'c', value: '3' },
      { name: 'd', value: '4' },
      { name: 'a', value: '1' },
    ],
  });
  assert.deepEqual(merge(doc, { items: [{ $patch: 'replace' }, { name: 'z' }] }), { items: [{ name: 'z' }] });
});

test('keys are retained, primitives deleted, unmarked lists replaced', () => {
  assert.deepEqual(merge({ items: [{ name: 'a', value: '1', other: 'x' }] }, { items: [{ name: 'a', $retainKeys: ['name', 'other'] }] }), {
    items: [{ name: 'a', other: 'x' }],
  });
  assert.deepEqual(merge({ words: ['a', 'b', 'c'], whole: ['a'] }, { '$deleteFromPrimitiveList/words': ['b'], words: ['d'], whole: ['z'] }), {
    words: ['d', 'a', 'c'],
    whole: ['z'],
  });
});

test('an element without its key is refused with upstream text', () => {
  assert.throws(
    () => merge({ items: [{ name: 'a' }] }, { items: [{ value: 'x', other: 'y' }] }),
    (error) => error instanceof ApiError && error.code === 400 && error.message === 'map: map[other:y value:x] does not contain declared merge key: name',
  );
});

test('integers beyond 2^53 pass through every patch', () => {
  const doc = { a: 9007199254740993n };
  assert.deepEqual(
    applyJsonPatch(doc, [
      { op: 'test', path: '/a', value: 9007199254740993n },
      { op: 'copy', from: '/a', path: '/b' },
    ]),
    { a: doc.a, b: doc.a },
  );
  assert.deepEqual(applyMergePatch(doc, { c: 9007199254740995n }), { a: doc.a, c: 9007199254740995n });
});

test('a patch leaves its document alone and cannot reach a prototype', () => {
  const doc = { list: [1], inner: { a: 1 } };
  applyJsonPatch(doc, [
    { op: 'add', path: '/list/-', value: 2 },
    { op: 'remove', path: '/inner/a' },
  ]);
  applyMergePatch(doc, { inner: { a: 2 } });
  assert.deepEqual(doc, { list: [1], inner: { a: 1 } });
  const hostile = JSON.parse('{"__proto__":{"polluted":1}}') as Json;
  applyMergePatch(doc, hostile);
  merge(doc, hostile);
  assert.throws(() => applyJsonPatch(doc, [{ op: 'add', path: '/__proto__/polluted', value: 1 }]), ApiError);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

test('a JSON patch does the same again, and what every object inherits is not there', () => {
  const patch: Json = [
    { op: 'replace', path: '', value: { list: [1] } },
    { op: 'add', path: '/list/-', value: 2 },
  ];
  assert.deepEqual(applyJsonPatch({}, patch), { list: [1, 2] });
  assert.deepEqual(applyJsonPatch({}, patch), { list: [1, 2] });
  const toString = '/data/toString';
  const doc = { data: { a: 'b' } };
  for (const operation of [
    { op: 'remove', path: toString },
    { op: 'copy', from: toString, path: '/data/c' },
    { op: 'move', from: toString, path: '/data/c' },
    { op: 'add', path: `${toString}/polluted`, value: 1 },
  ]) {
    assert.throws(() => applyJsonPatch(doc, [operation]), ApiError, operation.op);
  }
  assert.deepEqual(applyJsonPatch(doc, [{ op: 'test', path: toString, value: null }]), doc);
  assert.deepEqual(applyJsonPatch(doc, [{ op: 'replace', path: toString, value: 'c' }]), { data: { a: 'b', toString: 'c' } });
});

test('FieldsV1 is written in order, in whatever order it was read', () => {
  const fields = { 'f:b': { 'f:d': {}, '.': {}, 'f:c': {} }, 'f:a': { 'f:x': {}, '.': {} } };
  const written = '{"f:a":{".":{},"f:x":{}},"f:b":{".":{},"f:c":{},"f:d":{}}}';
  assert.equal(JSON.stringify(FieldSet.fromJson(fields)?.toJson()), written);
  const below = { 'f:x': {}, '.': {} };
  assert.equal(JSON.stringify(FieldSet.fromJson({ 'f:a': below })?.toJson()), '{"f:a":{".":{},"f:x":{}}}');
});

test('FieldsV1 survives reading and writing', () => {
  const fields = { 'f:a': { '.': {}, 'f:b': {} }, 'f:l': { 'k:{"name":"x"}': { '.': {}, 'f:v': {} }, 'v:"s"': {} } };
  assert.deepEqual(FieldSet.fromJson(fields)?.toJson(), fields);
  assert.equal(FieldSet.fromJson({ nonsense: {} }), undefined);
});

test('two appliers share a list by key, and what one lets go stays while the other owns it', () => {
  const apply = (live: Json | undefined, manager: string, items: Json, force = false): Json =>
    serverSideApply({
      live,
      applied: { apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, items },
      manager,
      force,
      apiVersion: 'v1',
      subresource: '',
      now: '2026-01-01T00:00:00Z',
      schema: SCHEMA,
    }).object;
  const itemsOf = (object: Json): unknown => (object as { items?: unknown }).items;
  const first = apply(undefined, 'one', [
    { name: 'a', value: '1' },
    { name: 'b', value: '2' },
  ]);
  const second = apply(first, 'two', [
    { name: 'a', value: '1' },
    { name: 'c', value: '3' },
  ]);
  assert.throws(() => apply(second, 'two', [{ name: 'b', value: '9' }]), /Apply failed with 1 conflict: conflict with "one": \.items\[name="b"\]\.value/);
  const released = apply(second, 'one', [{ name: 'b', value: '2' }]);
  assert.deepEqual(itemsOf(released), [
    { name: 'a', value: '1' },
    { name: 'b', value: '2' },
    { name: 'c', value: '3' },
  ]);
  const withdrawn = apply(released, 'two', [{ name: 'c', value: '3' }]);
  assert.deepEqual(itemsOf(withdrawn), [
    { name: 'b', value: '2' },
    { name: 'c', value: '3' },
  ]);
});

test('copies of copies are refused before they fill the memory', () => {
  const copies = Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '/x', path: `/x/b${String(i)}` }));
  assert.throws(
    () => applyJsonPatch({ x: { a: 1 } }, copies),
    (error) => error instanceof ApiError && error.code === 422,
  );
  assert.deepEqual(applyJsonPatch({ x: { a: 1 } }, copies.slice(0, 1)), { x: { a: 1, b0: { a: 1 } } });
});
