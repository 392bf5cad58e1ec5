/** Validation of conditions (apimachinery metav1/validation ValidateConditions). */
import type { Condition } from '#machinery';
import { labelKeyProblems } from './names.ts';
import { byteLength, type FieldErrors } from './report.ts';

/** metav1 maxReasonLen. */
export const CONDITION_REASON_MAX_LENGTH = 1024;
/** metav1 maxMessageLen. */
export const CONDITION_MESSAGE_MAX_LENGTH = 32 * 1024;

const REASON_FORMAT = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const REASON = new RegExp(`^${REASON_FORMAT}$`);
const REASON_TEXT = `a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '${REASON_FORMAT}')`;
const STATUSES = ['False', 'True', 'Unknown'];

/** At most `max` conditions, each type once; the conditions are checked even when there are too many. */
export function checkConditions(errors: FieldErrors, path: string, conditions: readonly Condition[] | undefined, max: number): void {
  const list = conditions ?? [];
  if (list.length > max) errors.tooMany(path, list.length, max);
  const seen = new Set<string>();
  list.forEach((condition, index) => {
    const at = `${path}[${index}]`;
    if (seen.has(condition.type)) errors.duplicate(`${at}.type`, condition.type);
    seen.add(condition.type);
    checkCondition(errors, at, condition);
  });
}

function checkCondition(errors: FieldErrors, path: string, condition: Condition): void {
  const { type, status, observedGeneration = 0, lastTransitionTime, reason = '', message = '' } = condition;
  errors.invalidAll(`${path}.type`, type, labelKeyProblems(type));
  if (!STATUSES.includes(status)) errors.notSupported(`${path}.status`, status, STATUSES);
  if (observedGeneration < 0) errors.invalid(`${path}.observedGeneration`, observedGeneration, 'must be greater than or equal to zero');
  if ((lastTransitionTime ?? '') === '') errors.required(`${path}.lastTransitionTime`);
  if (reason === '') errors.required(`${path}.reason`);
  else if (!REASON.test(reason)) errors.invalid(`${path}.reason`, reason, REASON_TEXT);
  if (byteLength(reason) > CONDITION_REASON_MAX_LENGTH) errors.tooLong(`${path}.reason`, CONDITION_REASON_MAX_LENGTH);
  if (byteLength(message) > CONDITION_MESSAGE_MAX_LENGTH) errors.tooLong(`${path}.message`, CONDITION_MESSAGE_MAX_LENGTH);
}
