/**
 * The conformance cases of the CEL specification (google/cel-spec by way of @bufbuild/cel-spec): those that apply to the dialect of
 * device selectors all pass, the others are counted by the reason why they do not apply.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tests as conformance } from '@bufbuild/cel-spec/testdata/conformance.js';
import { CelError, compileExpression } from '#cel';

interface Case {
  readonly path: string;
  readonly name: string;
  readonly expr: string;
  readonly original: Readonly<Record<string, unknown>>;
}

type Suite = typeof conformance;

function casesOf(suite: Suite, path: string): readonly Case[] {
  const own = (suite.tests ?? []).map(({ original }) => ({ path, name: original.name ?? '', expr: original.expr, original }));
  return [...own, ...(suite.suites ?? []).flatMap((part) => casesOf(part, path === '' ? part.name : `${path}/${part.name}`))];
}

/** Members of a case that ask for what selectors do not have. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  typeEnv: 'declares variables; selectors have one, device',
  bindings: 'declares variables; selectors have one, device',
  container: 'resolves names in a container',
  disableCheck: 'runs without type checking',
  disableMacros: 'runs without macros',
  checkOnly: 'has no result',
};

/** Suites of libraries that Kubernetes does not enable. */
const FOREIGN_SUITES = /^(?:proto[23]|proto2_ext|enums|math_ext|encoders_ext|block_ext|network_ext)(?:\/|$)/;

const FORMAT_4 = 'format as of version 4 of the strings library; Kubernetes enables version 2';
const AS_UPSTREAM = 'cel-go 0.29 answers otherwise, and dray as it does';

/** Cases that apply by their form and still do not, with the reason. */
const DIFFERENT: ReadonlyMap<string, string> = new Map([
  ...['scientific notation formatting clause', 'default precision for scientific notation', 'dyntype support for scientific notation'].map(
    (name) => [`string_ext/format ${name}`, FORMAT_4] as const,
  ),
  ...['NaN', 'positive infinity', 'negative infinity'].flatMap((value) =>
    ['scientific notation', 'decimal'].map((clause) => [`string_ext/format ${value} support for ${clause}`, FORMAT_4] as const),
  ),
  ...['positive infinity support for fixed-point', 'negative infinity support for fixed-point'].map((name) => [`string_ext/format ${name}`, FORMAT_4] as const),
  ...[
    'list support for string',
    'map support for string',
    'map support (all key types)',
    'dyntype NaN/infinity support',
    'dyntype support for lists',
    'dyntype support for maps',
  ].map((name) => [`string_ext/format ${name}`, FORMAT_4] as const),
  ['string_ext/value_errors indexof_out_of_range', AS_UPSTREAM],
  ['string_ext/value_errors lastindexof_out_of_range', AS_UPSTREAM],
  ['fields/qualified_identifier_resolution map_value_repeat_key', AS_UPSTREAM],
  ['fields/map_fields map_bad_key_type_or_true', 'a constant of the wrong type is refused when the program is made'],
  ['fields/map_fields map_bad_key_type_and_false', 'a constant of the wrong type is refused when the program is made'],
  ['optionals/optionals map_null_entry_no_such_key', AS_UPSTREAM],
  ['optionals/optionals map_present_key_invalid_field', AS_UPSTREAM],
]);

/** Why a case does not apply; undefined when it does. */
function reasonAgainst({ path, expr, original }: Case): string | undefined {
  for (const [member, reason] of Object.entries(UNSUPPORTED)) if (original[member] !== undefined) return reason;
  if (FOREIGN_SUITES.test(path)) return 'a library that Kubernetes does not enable';
  return /TestAllTypes/.test(expr) ? 'makes messages of the test suite' : undefined;
}

const bytesText = (base64: string): string => Array.from(Buffer.from(base64, 'base64'), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');

interface ExpectedValue {
  readonly int64Value?: string;
  readonly uint64Value?: string;
  readonly doubleValue?: number | string;
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly bytesValue?: string;
  readonly typeValue?: string;
  readonly nullValue?: null | string;
  readonly listValue?: { readonly values?: readonly ExpectedValue[] };
  readonly mapValue?: { readonly entries?: readonly { readonly key: ExpectedValue; readonly value: ExpectedValue }[] };
}

/** The expected value as an expression. */
function literal(value: ExpectedValue): string {
  if (value.int64Value !== undefined) return value.int64Value === '-9223372036854775808' ? '(-9223372036854775807 - 1)' : `(${value.int64Value})`;
  if (value.uint64Value !== undefined) return `${value.uint64Value}u`;
  if (value.doubleValue !== undefined) return `double("${String(value.doubleValue).replace('Infinity', 'inf')}")`;
  if (value.stringValue !== undefined) return JSON.stringify(value.stringValue);
  if (value.boolValue !== undefined) return String(value.boolValue);
  if (value.bytesValue !== undefined) return `b"${bytesText(value.bytesValue)}"`;
  if (value.typeValue !== undefined) return value.typeValue;
  if (value.listValue !== undefined) return `[${(value.listValue.values ?? []).map((item) => `dyn(${literal(item)})`).join(', ')}]`;
  if (value.mapValue !== undefined)
    return `{${(value.mapValue.entries ?? []).map((entry) => `dyn(${literal(entry.key)}): dyn(${literal(entry.value)})`).join(', ')}}`;
  assert.ok('nullValue' in value, JSON.stringify(value));
  return 'null';
}

type Outcome = 'passed' | 'failed' | 'mixed literal';

function outcomeOf({ expr, original }: Case): Outcome {
  const typedResult = original['typedResult'] as { readonly result?: ExpectedValue } | undefined;
  const failing = original['evalError'] !== undefined || original['anyEvalErrors'] !== undefined;
  const expected = (original['value'] ?? typedResult?.result ?? { boolValue: true }) as ExpectedValue;
  const isNan = expected.doubleValue === 'NaN';
  const wanted = literal(failing ? { boolValue: true } : expected);
  const comparison = isNan ? 'got != got' : `got == dyn(${wanted}) && type(got) == type(${wanted})`;
  const text = failing ? `dyn(\n${expr}\n)` : `cel.bind(got, dyn(\n${expr}\n), ${comparison})`;
  const compiled = compileExpression(text, 'stored', { consumableCapacity: false, listTypeAttributes: false }, 'selector');
  if ('kind' in compiled) return failing ? 'passed' : /expected type '.*' but found/.test(compiled.message) ? 'mixed literal' : 'failed';
  const { value } = compiled.evaluate({ driver: 'dra.example.com' });
  return (failing ? value instanceof CelError : value === true) ? 'passed' : 'failed';
}

test('every case of the specification that applies passes, and the others are counted by reason', (t) => {
  const counts = new Map<string, number>();
  const count = (what: string): unknown => counts.set(what, (counts.get(what) ?? 0) + 1);
  const failed: string[] = [];
  const stale = new Set(DIFFERENT.keys());
  for (const each of casesOf(conformance, '')) {
    const reason = reasonAgainst(each);
    if (reason !== undefined) {
      count(reason);
      continue;
    }
    const outcome = outcomeOf(each);
    const known = DIFFERENT.get(`${each.path} ${each.name}`);
    if (outcome === 'mixed literal') count('mixes types in a literal, which Kubernetes refuses');
    else if (outcome === 'failed' && known !== undefined) count(known);
    else if (outcome === 'failed') failed.push(`${each.path} ${each.name}: ${each.expr}`);
    else count('passed');
    if (outcome !== 'passed') stale.delete(`${each.path} ${each.name}`);
  }
  for (const [what, number] of counts) t.diagnostic(`${number} ${what}`);
  assert.deepEqual(failed, []);
  assert.deepEqual([...stale], []);
  assert.ok((counts.get('passed') ?? 0) >= 1200);
});
