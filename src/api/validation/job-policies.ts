/** Validation of what makes a job fail or succeed early: podFailurePolicy and successPolicy (batch/validation). */
import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
  SuccessPolicyRule,
} from '../types/batch-v1.ts';
import { goStruct } from './go-struct.ts';
import { indexesOf } from './job-indexes.ts';
import { labelKeyProblems } from './names.ts';
import { byteLength, type FieldErrors } from './report.ts';

/** batch maxPodFailurePolicyRules. */
const FAILURE_RULES_MAX = 20;
/** batch maxPodFailurePolicyOnExitCodesValues. */
const EXIT_CODES_MAX = 255;
/** batch maxPodFailurePolicyOnPodConditionsPatterns. */
const PATTERNS_MAX = 20;
/** batch maxSuccessPolicyRule. */
const SUCCESS_RULES_MAX = 20;
/** batch maxJobSuccessPolicySucceededIndexesLimit. */
const SUCCEEDED_INDEXES_MAX_LENGTH = 64 * 1024;
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const OPERATORS = ['In', 'NotIn'];
const STATUSES = ['False', 'True', 'Unknown'];

/** A value that must be one of some; upstream lists them otherwise when it is missing. */
function checkChoice(errors: FieldErrors, path: string, value: string | undefined, choices: readonly string[]): void {
  if ((value ?? '') === '') errors.required(path, `valid values: [${choices.map((choice) => JSON.stringify(choice)).join(' ')}]`);
  else if (!choices.includes(value ?? '')) errors.notSupported(path, value, choices);
}

/** When pods fail a job or an index, and when their failures do not count. */
export function checkFailurePolicy(errors: FieldErrors, spec: JobSpec): void {
  // A required list that is absent is decoded to null.
  const rules = (spec.podFailurePolicy?.rules as readonly PodFailurePolicyRule[] | null | undefined) ?? [];
  const path = 'spec.podFailurePolicy.rules';
  if (rules.length > FAILURE_RULES_MAX) errors.tooMany(path, rules.length, FAILURE_RULES_MAX);
  const { containers = [], initContainers = [] } = spec.template.spec ?? {};
  const names = new Set([...containers, ...initContainers].map(({ name }) => name));
  rules.forEach((rule, index) => {
    const at = `${path}[${index}]`;
    if (rule.action === 'FailIndex' && spec.backoffLimitPerIndex === undefined)
      errors.invalid(`${at}.action`, rule.action, 'requires the backoffLimitPerIndex to be set');
    checkFailureRule(errors, at, rule, names);
  });
}

function checkFailureRule(
  errors: FieldErrors,
  at: string,
  { action, onExitCodes, onPodConditions = [] }: PodFailurePolicyRule,
  names: ReadonlySet<string>,
): void {
  checkChoice(errors, `${at}.action`, action, ACTIONS);
  if (onExitCodes !== undefined) checkExitCodes(errors, `${at}.onExitCodes`, onExitCodes, names);
  checkPatterns(errors, `${at}.onPodConditions`, onPodConditions);
  const patterned = onPodConditions.length > 0;
  if (onExitCodes !== undefined && patterned) errors.invalidWhole(at, 'specifying both OnExitCodes and OnPodConditions is not supported');
  if (onExitCodes === undefined && !patterned) errors.invalidWhole(at, 'specifying one of OnExitCodes and OnPodConditions is required');
}

function checkExitCodes(
  errors: FieldErrors,
  path: string,
  { operator, containerName, values }: PodFailurePolicyOnExitCodesRequirement,
  names: ReadonlySet<string>,
): void {
  checkChoice(errors, `${path}.operator`, operator, OPERATORS);
  if (containerName !== undefined && !names.has(containerName))
    errors.invalid(`${path}.containerName`, containerName, 'must be one of the container or initContainer names in the pod template');
  // A required list that is absent is decoded to null.
  const codes = (values as readonly number[] | null) ?? [];
  if (codes.length === 0) errors.invalid(`${path}.values`, values, 'at least one value is required');
  else if (codes.length > EXIT_CODES_MAX) errors.tooMany(`${path}.values`, codes.length, EXIT_CODES_MAX);
  codes.forEach((code, index) => {
    const at = `${path}.values[${index}]`;
    if (operator === 'In' && code === 0) errors.invalid(at, code, 'must not be 0 for the In operator');
    if (codes.indexOf(code) < index) errors.duplicate(at, code);
  });
  if (codes.some((code, index) => (codes[index - 1] ?? code) > code)) errors.invalid(`${path}.values`, codes, 'must be ordered');
}

function checkPatterns(errors: FieldErrors, path: string, patterns: readonly PodFailurePolicyOnPodConditionsPattern[]): void {
  if (patterns.length > PATTERNS_MAX) errors.tooMany(path, patterns.length, PATTERNS_MAX);
  patterns.forEach(({ type, status }, index) => {
    errors.invalidAll(`${path}[${index}].type`, type, labelKeyProblems(type));
    checkChoice(errors, `${path}[${index}].status`, status, STATUSES);
  });
}

/** Which indexes are enough for a job to have succeeded. */
export function checkSuccessPolicy(errors: FieldErrors, { successPolicy, completionMode, completions }: JobSpec): void {
  if (successPolicy === undefined) return;
  const path = 'spec.successPolicy';
  if (completionMode !== 'Indexed')
    return errors.invalid(path, goStruct(successPolicy, 'io.k8s.api.batch.v1.SuccessPolicy'), 'requires indexed completion mode');
  const rules = (successPolicy.rules as readonly SuccessPolicyRule[] | null) ?? [];
  if (rules.length === 0) errors.required(`${path}.rules`, 'at least one rules must be specified when the successPolicy is specified');
  if (rules.length > SUCCESS_RULES_MAX) errors.tooMany(`${path}.rules`, rules.length, SUCCESS_RULES_MAX);
  // Without completions, which are reported themselves, upstream panics here.
  if (completions !== undefined) rules.forEach((rule, index) => checkSuccessRule(errors, `${path}.rules[${index}]`, rule, completions));
}

function checkSuccessRule(errors: FieldErrors, at: string, { succeededCount: count, succeededIndexes: indexes }: SuccessPolicyRule, completions: number): void {
  if (count === undefined && indexes === undefined) errors.required(at, 'at least one of succeededCount or succeededIndexes must be specified');
  const { total, problem } = indexesOf(indexes ?? '', completions);
  if (byteLength(indexes ?? '') > SUCCEEDED_INDEXES_MAX_LENGTH) errors.tooLong(`${at}.succeededIndexes`, SUCCEEDED_INDEXES_MAX_LENGTH);
  if (problem !== undefined) errors.invalid(`${at}.succeededIndexes`, indexes, `error parsing succeededIndexes: ${problem}`);
  if (count === undefined) return;
  const path = `${at}.succeededCount`;
  if (count < 0) errors.invalid(path, count, 'must be greater than or equal to 0');
  if (count > completions) errors.invalid(path, count, `must be less than or equal to ${completions} (the number of specified completions)`);
  if (indexes !== undefined && count > total)
    errors.invalid(path, count, `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`);
}
