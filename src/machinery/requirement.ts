/** One requirement on labels, shared by label selectors and node selectors (apimachinery labels.Requirement). */
import { type FieldError, invalidField, notSupportedField } from './field-error.ts';
import { labelKeyProblems, labelValueProblems } from './names.ts';

/** Labels by key. */
export type Labels = Readonly<Record<string, string>>;

/** How a requirement compares, spelled as in a selector's text. */
export type RequirementOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

/** A requirement that has been checked. */
export interface Requirement {
  readonly key: string;
  readonly operator: RequirementOperator;
  readonly values: readonly string[];
}

/** A nil slice of Go, which prints as null without quotes. */
const NIL_SLICE = null;

const INT64 = /^[+-]?\d+$/;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** `text` as Go's strconv.ParseInt(text, 10, 64) reads it; undefined when it does not. */
export function parseInt64(text: string): bigint | undefined {
  if (!INT64.test(text)) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return value < INT64_MIN || value > INT64_MAX ? undefined : value;
}

/** What is wrong with a requirement; `path` precedes each field ("" or ending in a dot). `values` undefined prints as null. */
export function requirementErrors(key: string, operator: RequirementOperator, values: readonly string[] | undefined, path = ''): FieldError[] {
  const errors = keyErrors(key, `${path}key`);
  const listed = values ?? [];
  const rule = countRule(operator, listed.length);
  if (rule !== undefined) errors.push(invalidField(`${path}values`, values ?? NIL_SLICE, rule));
  if (operator === 'gt' || operator === 'lt') {
    for (const [i, value] of listed.entries()) {
      if (parseInt64(value) !== undefined) continue;
      errors.push(invalidField(`${path}values[${i}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer"));
    }
  }
  for (const [i, value] of listed.entries()) {
    const problems = labelValueProblems(value);
    if (problems.length > 0) errors.push(invalidField(`${path}values[${i}][${key}]`, value, problems.join('; ')));
  }
  return errors;
}

/** What is wrong with a label key, reported at `field`. */
export function keyErrors(key: string, field: string): FieldError[] {
  const problems = labelKeyProblems(key);
  return problems.length === 0 ? [] : [invalidField(field, key, problems.join('; '))];
}

/** An operator that the caller does not offer. */
export function operatorError(field: string, operator: string, supported: readonly string[]): FieldError {
  return notSupportedField(field, operator, supported);
}

function countRule(operator: RequirementOperator, count: number): string | undefined {
  switch (operator) {
    case 'in':
    case 'notin':
      return count === 0 ? "for 'in', 'notin' operators, values set can't be empty" : undefined;
    case '=':
    case '==':
    case '!=':
      return count === 1 ? undefined : 'exact-match compatibility requires one single value';
    case 'exists':
    case '!':
      return count === 0 ? undefined : 'values set must be empty for exists and does not exist';
    case 'gt':
    case 'lt':
      return count === 1 ? undefined : "for 'Gt', 'Lt' operators, exactly one value is required";
  }
}

/** Whether `labels` meet the requirement. */
export function meets(requirement: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
  switch (requirement.operator) {
    case 'in':
    case '=':
    case '==':
      return value !== undefined && requirement.values.includes(value);
    case 'notin':
    case '!=':
      return value === undefined || !requirement.values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt':
      return value !== undefined && compares(requirement, value);
  }
}

function compares(requirement: Requirement, value: string): boolean {
  const [bound = ''] = requirement.values;
  const left = parseInt64(value);
  const right = parseInt64(bound);
  if (left === undefined || right === undefined) return false;
  return requirement.operator === 'gt' ? left > right : left < right;
}

/** The requirement as a selector's text. */
export function requirementText(requirement: Requirement): string {
  const { key, operator, values } = requirement;
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.toSorted().join(',')})`;
    case 'gt':
    case 'lt':
      return `${key}${operator === 'gt' ? '>' : '<'}${values.join(',')}`;
    case '=':
    case '==':
    case '!=':
      return `${key}${operator}${values.join(',')}`;
  }
}
