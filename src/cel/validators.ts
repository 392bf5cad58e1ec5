/** Checks of literal arguments after type checking: durations, timestamps, patterns, one type per list (cel-go cel/validator.go). */
import { type CallExpr, children, type Expr } from './ast.ts';
import type { Checked } from './checker.ts';
import { FormatError, interpolate, REFUSALS, type Verb } from './library/formatting.ts';
import { compileRegex } from './regex.ts';
import type { ErrorList } from './source.ts';
import { parseDuration, parseTimestamp, timestampOfSeconds } from './time.ts';
import * as t from './types.ts';
import { CelError } from './values.ts';

/** Records what the validators have against the expression. */
export function validate(checked: Checked, errors: ErrorList): void {
  const visit = (expr: Expr, insideFormat: boolean): void => {
    if (expr.kind === 'call' && expr.name === 'matches') validatePattern(expr.args.at(-1), errors);
    if (expr.kind === 'call' && (expr.name === 'duration' || expr.name === 'timestamp')) validateTime(expr.name, expr.args[0], errors);
    if (expr.kind === 'call' && expr.name === 'format') validateFormat(expr, checked, errors);
    if (!insideFormat) validateAggregate(expr, checked, errors);
    const format = insideFormat || (expr.kind === 'call' && expr.name === 'format');
    for (const child of children(expr)) visit(child, format);
  };
  visit(checked.expr, false);
}

function validatePattern(pattern: Expr | undefined, errors: ErrorList): void {
  if (pattern?.kind !== 'literal' || typeof pattern.value !== 'string') return;
  if (compileRegex(pattern.value) instanceof CelError) errors.add(pattern.at, 'invalid matches argument');
}

function validateTime(name: 'duration' | 'timestamp', arg: Expr | undefined, errors: ErrorList): void {
  if (arg?.kind !== 'literal' || (typeof arg.value !== 'string' && typeof arg.value !== 'bigint')) return;
  const value = typeof arg.value === 'bigint' ? timestampOfSeconds(arg.value) : name === 'duration' ? parseDuration(arg.value) : parseTimestamp(arg.value);
  if (value instanceof CelError) errors.add(arg.at, `invalid ${name} argument`);
}

/** Types that the clauses of a format take, by kind; `dyn` is left to the evaluation. */
const FORMATTED: Readonly<Record<Verb, readonly t.TypeKind[]>> = {
  s: ['list', 'map', 'int', 'uint', 'double', 'bool', 'string', 'timestamp', 'bytes', 'duration', 'type', 'null'],
  d: ['int', 'uint'],
  f: ['double', 'string'],
  e: ['double', 'string'],
  b: ['int', 'uint', 'bool'],
  x: ['int', 'uint', 'string', 'bytes'],
  o: ['int', 'uint'],
};

/** Judges a format with literal text and list: clauses, number of arguments and their types. */
function validateFormat({ target, args: [list], at }: CallExpr, checked: Checked, errors: ErrorList): void {
  if (target?.kind !== 'literal' || typeof target.value !== 'string' || list?.kind !== 'list') return;
  let used = 0;
  let culprit = at;
  try {
    interpolate(target.value, (index, read) => {
      used++;
      const clause = read();
      const element = list.elements[index];
      if (element === undefined) throw new FormatError(`index ${index} out of range`);
      const wrong = unformattable(clause.verb, element, checked);
      if (wrong === undefined) return '';
      culprit = wrong.at;
      throw new FormatError(`error during formatting: ${REFUSALS[clause.verb]}${checked.types.get(wrong)?.name}`);
    });
    if (list.elements.length > used) errors.add(at, `too many arguments supplied to string.format (expected ${used}, got ${list.elements.length})`);
  } catch (thrown) {
    if (!(thrown instanceof FormatError)) throw thrown;
    errors.add(culprit, thrown.message);
  }
}

/** The part of an argument that the clause does not take. */
function unformattable(verb: Verb, expr: Expr, checked: Checked): Expr | undefined {
  const kind = checked.types.get(expr)?.kind ?? 'dyn';
  if (kind !== 'dyn' && !FORMATTED[verb].includes(kind)) return expr;
  if (verb !== 's' || (expr.kind !== 'list' && expr.kind !== 'map')) return undefined;
  for (const child of children(expr)) {
    const wrong = unformattable(verb, child, checked);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function validateAggregate(expr: Expr, checked: Checked, errors: ErrorList): void {
  if (expr.kind === 'list') {
    sameTypes(
      expr.elements.map((element, i) => ({ expr: element, optional: expr.optional.has(i) })),
      checked,
      errors,
    );
  } else if (expr.kind === 'map') {
    sameTypes(
      expr.entries.map((entry) => ({ expr: entry.key, optional: false })),
      checked,
      errors,
    );
    sameTypes(
      expr.entries.map((entry) => ({ expr: entry.value, optional: entry.optional })),
      checked,
      errors,
    );
  }
}

function sameTypes(parts: readonly { expr: Expr; optional: boolean }[], checked: Checked, errors: ErrorList): void {
  let expected: t.Type | undefined;
  for (const { expr, optional } of parts) {
    const found = checked.types.get(expr) ?? t.DYN;
    const type = optional ? t.at(found, 0) : found;
    if (expected === undefined) expected = type;
    else if (!t.sameType(expected, type)) {
      errors.add(expr.at, `expected type '${t.describeType(expected)}' but found '${t.describeType(type)}'`);
      return;
    }
  }
}
