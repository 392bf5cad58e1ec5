/** Selectors as users write them, and the ones that strangers send. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { celDevice } from './device.ts';
import { checkSelector, compileExpression, compileSelector, type SelectorOutcome } from './selector.ts';

const device = celDevice('dra.example.com', {
  attributes: { model: { string: 'a100' }, index: { int: 4 }, driverVersion: { version: '1.2.3' }, 'dra.example.com/index': { int: 5 } },
  capacity: { memory: { value: '40Gi' } },
});

function outcome(expression: string): SelectorOutcome {
  const compiled = compileSelector(expression, { mode: 'stored' });
  assert.ok(compiled.ok, expression);
  return compiled.selector.evaluate(device);
}

test('a selector on driver, attribute and capacity matches and tells its cost', () => {
  const expression =
    'device.driver == "dra.example.com" && device.attributes["dra.example.com"].model.startsWith("a") && device.capacity["dra.example.com"].memory.compareTo(quantity("10Gi")) >= 0';
  assert.deepEqual(outcome(expression), { kind: 'value', matches: true, cost: 16 });
});

test('taking away the least integer adds its amount', () => {
  const memory = 'device.capacity["dra.example.com"].memory';
  const taken = outcome(`${memory}.sub(-9223372036854775807 - 1).isGreaterThan(${memory})`);
  assert.ok(taken.kind === 'value' && taken.matches);
});

test('an absent attribute is an error unless something decides without it', () => {
  assert.deepEqual(outcome('device.attributes["dra.example.com"].nope == 1'), { kind: 'error', message: 'no such key: nope', cost: 5 });
  assert.equal(outcome('false && device.attributes["dra.example.com"].nope == 1').kind, 'value');
  assert.equal(outcome('has(device.attributes["unknown.org"].nope)').kind, 'value');
});

test('the examples of docs/internals/cel-cost.md cost what the page says', () => {
  const pattern = 'device.attributes["gpu.example.com"].model.matches("^a100")';
  const loop = 'device.attributes["gpu.example.com"].exists(name, name.startsWith("link"))';
  const figures = [pattern, loop].map((expression) => {
    const compiled = compileExpression(expression, 'stored', { consumableCapacity: true, listTypeAttributes: true }, 'selector');
    assert.ok(!('kind' in compiled));
    const costs = [{ model: { string: 'a100-sxm4-80gb' }, link0: { int: 1 } }, {}].map(
      (attributes) => compiled.evaluate(celDevice('gpu.example.com', { attributes })).cost,
    );
    return [Number(compiled.maxCost()), ...costs];
  });
  assert.deepEqual(figures, [
    [18, 8, 4],
    [196, 16, 4],
  ]);
});

test('a name that spells the own domain wins over one that leaves it out', () => {
  assert.deepEqual(outcome('device.attributes["dra.example.com"].index == 5'), { kind: 'value', matches: true, cost: 5 });
});

test('admission refuses what may cost too much and says where a text is wrong', () => {
  const nested = '[1,2,3,4,5,6,7,8,9,10].all(a, '.repeat(7) + 'true' + ')'.repeat(7);
  assert.deepEqual(checkSelector(nested, false, new Map()), ['too complex, exceeds cost limit']);
  assert.deepEqual(checkSelector('device.foo', false, new Map()), ["compilation failed: ERROR: <input>:1:7: undefined field 'foo'\n | device.foo\n | ......^"]);
});

test('deep nesting is refused and a long loop is cut off by its cost', () => {
  for (const opening of ['[', '(', '{', '!(', 'a.all(x, ']) assert.equal(checkSelector(opening.repeat(1000), false, new Map()).length, 1);
  const long = outcome('lists.range(99999).all(x, lists.range(99999).all(y, true))');
  assert.deepEqual([long.kind, long.kind === 'error' && long.message], ['error', 'operation cancelled: actual cost limit exceeded']);
});

test('what costs more than the limit is not begun: set functions, distinct and sort over long lists', () => {
  const range = 'lists.range(99999)';
  for (const call of [
    `sets.contains(${range}, ${range})`,
    `sets.equivalent(${range}, ${range})`,
    `${range}.distinct().size() > 0`,
    `${range}.sort().size() > 0`,
  ]) {
    const refused = outcome(call);
    assert.deepEqual([refused.kind, refused.kind === 'error' && refused.message], ['error', 'operation cancelled: actual cost limit exceeded'], call);
  }
});

test('lists that hold others many times over are compared, and no text or message is made of all their parts', () => {
  const shared = (use: string): string => {
    const names = Array.from('abcdefghijkl');
    const binds = names.map(
      (name, i) =>
        `cel.bind(${name}, [${Array(8)
          .fill(names[i - 1] ?? '1')
          .join(', ')}], `,
    );
    return binds.join('') + use + ')'.repeat(names.length);
  };
  assert.equal(outcome(shared('l == l')).kind, 'value');
  assert.equal(outcome(shared('{"l": l} == {"l": l} && optional.of(l) == optional.of(l) && [l, l].distinct().size() == 1')).kind, 'value');
  for (const use of ['"%s".format([l]) == ""', '"%s".format([{"l": l}]) == ""', 'google.protobuf.ListValue{values: l} == []']) {
    const result = outcome(shared(use));
    assert.deepEqual([result.kind, result.kind === 'error' && result.message], ['error', 'operation cancelled: actual cost limit exceeded'], use);
  }
});

test('texts that are longer than what they cost are counted, over all of a loop', () => {
  const tenThousand = (condition: string): string => ['a', 'b', 'c', 'd'].reduce((body, name) => `[1,2,3,4,5,6,7,8,9,10].all(${name}, ${body})`, condition);
  const wide = '"%.65535e".format([1.5])';
  const hundred = '"0123456789".replace("", "0123456789")';
  for (const text of [wide, `${hundred}.replace("", ${hundred})`]) {
    const refused = outcome(tenThousand(`${text} != ""`));
    assert.ok(refused.kind === 'error' && refused.message === 'operation cancelled: actual cost limit exceeded', text);
    assert.equal(outcome(`${text} != ""`).kind, 'value');
  }
  assert.equal(outcome(`${wide}.size() == 65535`).kind, 'value');
  assert.equal(outcome(tenThousand('"%.6e %s".format([1.5, "x"]) != ""')).kind, 'value', 'what people write is far from it');
});

test('expressions that crash upstream are answered', () => {
  assert.match(checkSelector('[?dyn(1.5), 1].size() == 1', false, new Map()).join(), /expected type 'dyn' but found 'int'/);
  assert.deepEqual(outcome("{dyn(b'x'): 1}.size() == 1"), {
    kind: 'error',
    message: 'internal error: runtime error: hash of unhashable type types.Bytes',
    cost: 0,
  });
});
