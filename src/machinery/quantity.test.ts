/** Quantities read, print and calculate as upstream's do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQuantity, Quantity } from './quantity.ts';
import { QuantityError } from './quantity-text.ts';
import { vectors } from './vectors.test.ts';

interface Record_ {
  id: string;
  text: string;
  other?: string;
  times?: number | bigint;
  want: Record<string, unknown>;
}

function facts({ text, other, times }: Record_): Record<string, unknown> {
  let q: Quantity;
  try {
    q = Quantity.parse(text);
  } catch (error) {
    assert.ok(error instanceof QuantityError);
    return { error: error.message };
  }
  const whole = q.asInt64();
  const found: Record<string, unknown> = {
    canonical: q.toString(),
    format: q.format,
    sign: q.sign(),
    value: q.value().toString(),
    milliValue: q.milliValue().toString(),
    approxFloat: q.approximate(),
    recomputed: q.add(Quantity.of(0)).toString(),
    neg: q.neg().toString(),
  };
  if (whole !== undefined) found['asInt64'] = whole.toString();
  if (times !== undefined) found['mul'] = q.mul(times).toString();
  if (other === undefined) return found;
  const o = Quantity.parse(other);
  return { ...found, cmp: q.compare(o), add: q.add(o).toString(), sub: q.sub(o).toString() };
}

for (const name of ['quantity-parse', 'quantity-arithmetic']) {
  test(`${name}: answers as recorded`, () => {
    for (const record of vectors<Record_>(name)) {
      const want = { ...record.want };
      if (typeof want['approxFloat'] === 'string') want['approxFloat'] = Number(want['approxFloat'].replace('Inf', 'Infinity'));
      assert.deepEqual(facts(record), want, `${record.id} ${record.text} ${record.other ?? ''}`);
    }
  });
}

test('the JSON form reads strings, bare numbers and null', () => {
  for (const { id, json, want } of vectors<{ id: string; json: string; want: { json?: string; error?: string } }>('quantity-json')) {
    let got: { json?: string; error?: string };
    try {
      got = { json: Quantity.fromJsonText(json).toString() };
    } catch (error) {
      assert.ok(error instanceof QuantityError);
      got = { error: error.message };
    }
    assert.deepEqual(got, want, `${id} ${json}`);
  }
});

test('an exponent of any size is answered at once', () => {
  assert.equal(parseQuantity('1e2147483648')?.toString(), '1e-9');
  assert.equal(parseQuantity('1e99999999999999999999'), undefined);
  const huge = Quantity.parse('1e99999999999');
  assert.deepEqual([huge.compare(Quantity.of(1)), huge.asInt64(), huge.exactly(0), huge.add(Quantity.of(1)).compare(huge)], [1, undefined, undefined, 0]);
  assert.equal(parseQuantity('1e-2147483648')?.toString(), '1e-9');
  assert.equal(parseQuantity('1e99999')?.compare(Quantity.of(1)), 1);
});

test('the same amount in two formats is equal', () => {
  assert.ok(Quantity.parse('1024Mi').equals(Quantity.parse('1Gi')));
  assert.equal(Quantity.parse('1Gi').compare(Quantity.parse('1G')), 1);
});

test('whether two amounts exceed a third is told without their sum as with it', () => {
  const texts = ['0', '1', '-3', '500m', '1n', '9007199254740991', '9007199254740990', '8Ei', '1e18', '1e30', '-9007199254740991'];
  for (const a of texts) {
    for (const b of texts) {
      for (const limit of texts) {
        const [first, second, third] = [Quantity.parse(a), Quantity.parse(b), Quantity.parse(limit)];
        assert.equal(first.exceedsWith(second, third), first.add(second).compare(third) > 0, `${a} + ${b} > ${limit}`);
      }
    }
  }
});
