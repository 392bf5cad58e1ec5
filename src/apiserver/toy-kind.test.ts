/** A kind is one value: a server that is given another one serves it whole. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ApiObject, isJsonObject, type Json } from '#machinery';
import { defineKind, type FieldError, KINDS, type TableColumns, version } from '#api';
import { TestServer } from './api-server.test-data.ts';

interface Toy extends ApiObject {
  readonly data?: Readonly<Record<string, string>>;
}

const noFire = ({ data = {} }: Toy): readonly FieldError[] =>
  data['power'] === 'fire' ? [{ path: 'data.power', reason: 'FieldValueForbidden', message: 'Forbidden: not for children' }] : [];
const TABLE: TableColumns = {
  columns: [{ name: 'Power', type: 'string', description: 'What moves it.', priority: 0 }],
  cells: (object) => [(object as Toy).data?.['power'] ?? ''],
};

/** Has the structure of a ConfigMap, since structures come from recordings. */
const TOY = defineKind({
  group: 'toys.example.com',
  kind: 'Toy',
  plural: 'toys',
  shortNames: ['ty'],
  namespaced: true,
  versions: [version('v1', 'io.k8s.api.core.v1.ConfigMap', (object) => ({ ...object, data: { power: 'hand', ...(object as Toy).data } }) as ApiObject)],
  validateCreate: (object) => noFire(object as Toy),
  selectableFieldNames: ['data.power'],
  selectableFields: (object) => ({ 'data.power': (object as Toy).data?.['power'] ?? '' }),
  table: TABLE,
});
const TOYS = '/apis/toys.example.com/v1/namespaces/default/toys';

function server(): TestServer {
  return new TestServer({ kinds: [...KINDS, TOY] });
}

function member(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((node, key) => (isJsonObject(node) ? node[key] : Array.isArray(node) ? node[Number(key)] : undefined), value);
}

test('a kind that is one value is created with its defaults, validated, patched, selected and deleted', async () => {
  const toys = server();
  assert.equal(member(await toys.must('POST', TOYS, { metadata: { name: 'cart' } }), 'data', 'power'), 'hand');
  const refused = await toys.send('POST', TOYS, { metadata: { name: 'dragon' }, data: { power: 'fire' } });
  assert.equal(member(refused.body, 'details', 'causes', '0', 'field'), 'data.power');
  assert.equal(member(await toys.must('PATCH', `${TOYS}/cart`, { data: { power: 'spring' } }), 'data', 'power'), 'spring');
  await toys.must('POST', TOYS, { metadata: { name: 'doll' } });
  const wound = await toys.must('GET', `${TOYS}?fieldSelector=data.power%3Dspring`);
  assert.equal(member(wound, 'items', '0', 'metadata', 'name'), 'cart');
  assert.equal(member(wound, 'items', '1'), undefined);
  await toys.must('DELETE', `${TOYS}/cart`);
  assert.equal((await toys.send('GET', `${TOYS}/cart`)).status, 404);
});

test('a kind that is one value is printed, discovered and described', async () => {
  const toys = server();
  await toys.must('POST', TOYS, { metadata: { name: 'cart' } });
  const table = await toys.must('GET', TOYS, undefined, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } });
  assert.deepEqual(member(table, 'rows', '0', 'cells'), ['hand']);
  const { resources } = await toys.must('GET', '/apis/toys.example.com/v1');
  assert.deepEqual(member(resources, '0', 'shortNames'), ['ty']);
  const { paths } = await toys.must('GET', '/openapi/v3/apis/toys.example.com/v1');
  assert.ok(Object.keys(paths ?? {}).includes('/apis/toys.example.com/v1/namespaces/{namespace}/toys/{name}'));
});

test('a server without the kind does not know it', async () => {
  assert.equal((await new TestServer().send('GET', '/apis/resource.k8s.io/v1/toys')).status, 404);
});
