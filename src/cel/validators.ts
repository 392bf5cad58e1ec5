/** Checks of literal arguments after type checking: durations, timestamps, patterns, one type per list (cel-go cel/validator.go). */
import { children, type Expr } from './ast.ts';
import type { Checked } from './checker.ts';
import { compileRegex } from './regex.ts';
import type { ErrorList } from './source.ts';
import { parseDuration, parseTimestamp } from './time.ts';
import * as t from './types.ts';
import { CelError } from './values.ts';

/** Records what the validators have against the expression. */
export function validate(checked: Checked, errors: ErrorList): void {
  const visit = (expr: Expr, insideFormat: boolean): void => {
    if (expr.kind === 'call' && expr.name === 'matches') validatePattern(expr.args.at(-1), errors);
    if (expr.kind === 'call' && (expr.name === 'duration' || expr.name === 'timestamp')) validateTime(expr.name, expr.args[0], errors);
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
  if (arg?.kind !== 'literal' || typeof arg.value !== 'string') return;
  const value = name === 'duration' ? parseDuration(arg.value) : parseTimestamp(arg.value);
  if (value instanceof CelError) errors.add(arg.at, `invalid ${name} argument`);
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
