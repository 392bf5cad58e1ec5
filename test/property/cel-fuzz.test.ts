/** Expressions come from strangers: none may crash, hang or fill the memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CelRequest, answerRequest } from '../conformance/cel-oracle.ts';
import { mutated, randomDevice, randomExpression } from './cel-generator.ts';
import { Entropy } from './entropy.ts';

const COUNT = 100_000;
const SEED = 20_261_121;
/** Far above what any expression needs, even on a busy machine. */
const EACH_MAX_MS = 10_000;
const MEMORY_MAX_MB = 1500;

/** Bytes from a seed (mulberry32). */
function randomBytes(seed: number, length: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (state + 0x6d2b79f5) | 0;
    const mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    const folded = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (folded ^ (folded >>> 14)) & 0xff;
  });
}

/** How long the answer took, in milliseconds; whatever it is, it is an answer. */
function answered(request: CelRequest): number {
  const startedMs = performance.now();
  const answer = answerRequest(request);
  assert.equal(typeof answer, 'object');
  return performance.now() - startedMs;
}

function requestFor(index: number): CelRequest {
  const entropy = new Entropy(randomBytes(SEED + index, 160));
  const devices = [randomDevice(entropy)];
  const kind = index % 4;
  if (kind === 0) return { op: 'selector', devices, expression: new TextDecoder().decode(randomBytes(index, entropy.below(60))) };
  const written = randomExpression(entropy, 'b');
  return { op: 'selector', devices, expression: kind === 1 ? written : mutated(entropy, written) };
}

test(`${COUNT} random and mutated expressions from seed ${SEED} are all answered`, (t) => {
  let slowest = 0;
  const verdicts = new Map<string, number>();
  for (let i = 0; i < COUNT; i++) {
    const request = requestFor(i);
    const tookMs = answered(request);
    assert.ok(tookMs < EACH_MAX_MS, `${request.expression} took ${tookMs} ms`);
    slowest = Math.max(slowest, tookMs);
    const verdict = verdictOf(request);
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
  }
  const memoryMb = process.memoryUsage().rss / 2 ** 20;
  assert.ok(memoryMb < MEMORY_MAX_MB, `${memoryMb} MB`);
  assert.ok((verdicts.get('ok') ?? 0) > COUNT / 10, 'most of the written expressions are good ones');
  t.diagnostic(`${COUNT} expressions, ${JSON.stringify(Object.fromEntries(verdicts))}, slowest ${slowest.toFixed(0)} ms, ${memoryMb.toFixed(0)} MB`);
});

function verdictOf(request: CelRequest): string {
  return String(Reflect.get(answerRequest({ ...request, op: 'compile' }), 'verdict'));
}

const times = (count: number, text: string): string => text.repeat(count);
const bound = (count: number, first: string, next: string, last: string): string =>
  `cel.bind(v0, ${first}, ${Array.from({ length: count }, (_, i) => `cel.bind(v${i + 1}, ${next.replaceAll('V', `v${i}`)}, `).join('')}${last.replaceAll('V', `v${count}`)}${times(count + 1, ')')}`;

const BOMBS: Readonly<Record<string, string>> = {
  'a long loop': 'lists.range(99999).all(x, true)',
  'a loop in a loop': 'lists.range(99999).all(x, lists.range(99999).all(y, true))',
  'a loop that collects': 'lists.range(99999).map(x, x + 1).size() > 0',
  'a list that doubles': bound(60, '[1, 2]', 'V + V', 'V.size() > 0'),
  'a list that doubles and is looked at': bound(60, '[1, 2]', 'V + V', '7 in V'),
  'a list that doubles and is flattened': bound(40, '[1]', '[V, V]', 'V.flatten(100).size() > 0'),
  'a list that is added to itself where it grows': 'cel.bind(v, lists.range(0), v + [1] + v).size() > 0',
  'a list that doubles where it grows': `cel.bind(v, [], v + [1]${times(60, ' + v')}).size() > 0`,
  'a text that doubles': bound(60, '"ab"', 'V + V', 'V.size() > 0'),
  'a text that is formatted': bound(40, '"ab"', '"%s%s".format([V, V])', 'V.size() > 0'),
  'a text that is replaced': bound(20, '"aaaaaaaaaa"', 'V.replace("a", V)', 'V.size() > 0'),
  'gaps that are replaced': bound(20, '"aaaaaaaaaa"', 'V.replace("", V)', 'V.size() > 0'),
  'texts that are joined': bound(20, '["aaaaaaaaaa", "b"]', '[V.join(), V.join()]', 'V.size() > 0'),
  'a text that is quoted': bound(40, '"\\"\\""', 'strings.quote(V)', 'V.size() > 0'),
  'bytes that double': bound(40, 'b"ab"', 'V + V', 'V.size() > 0'),
  'a chain of optMap': `optional.of(1)${times(300, '.optMap(x, x)')}.hasValue()`,
  'optMap in optMap': `${times(100, 'optional.of(1).optMap(x, ')}1${times(100, ')')}.hasValue()`,
  'a map that grows': 'lists.range(50000).transformMap(i, v, v).size() > 0',
  'a comparison of each with each': 'lists.range(9999).distinct().size() > 0',
  'a pattern that backtracks': `"${times(200, 'a')}".matches("(a*)*b")`,
  'a pattern that is long': `"a".matches("${times(3000, '(a|b)')}")`,
  'a pattern that counts': '"a".matches("((a{100}){100}){100}")',
  'a quantity beyond all bounds': 'isQuantity("1e2147483648") && isQuantity("1e-2147483648") && isQuantity("1e99999999999")',
  'quantities far apart': 'quantity("1e99999999999").add(quantity("1")).isGreaterThan(quantity("1"))',
  'a product of quantities': bound(60, 'quantity("1e99999")', 'V.add(V)', 'V.isInteger()'),
  'a precision': '"%.1000f".format([1e300]) != ""',
  'a conjunction': Array.from({ length: 2000 }, () => 'true').join('&&'),
  'a sum': Array.from({ length: 2000 }, () => '1').join('+'),
  'open brackets': times(10_000, '['),
  'open parentheses': times(10_000, '('),
  'open braces': times(10_000, '{'),
  'exclamation marks': `${times(10_000, '!')}true`,
  'minus signs': `${times(10_000, '-')}1`,
  conditionals: `${times(1500, 'true?1:')}1`,
  'question marks': times(10_000, '?'),
  selects: `device${times(3000, '.a')}`,
  indexes: `device${times(2500, '[0]')}`,
  quotes: times(10_000, '"'),
  commas: `[${times(10_000, ',')}`,
  'errors everywhere': times(5000, 'a b '),
  'undeclared names': Array.from({ length: 2000 }, () => 'a').join('+'),
  'macros in macros': `${times(80, '[1].map(x, ')}1${times(80, ')')}.size() > 0`,
  'sorting by keys': 'lists.range(900).sortBy(x, -x).size() > 0',
};

for (const [name, expression] of Object.entries(BOMBS)) {
  test(`${name}: answered at once`, () => {
    const before = process.memoryUsage().rss;
    const tookMs = answered({ op: 'selector', expression, devices: [{ driver: 'dra.example.com' }] });
    assert.ok(tookMs < EACH_MAX_MS, `${tookMs} ms`);
    assert.ok((process.memoryUsage().rss - before) / 2 ** 20 < MEMORY_MAX_MB);
  });
}
