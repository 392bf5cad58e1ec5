/** Validation of label selectors (apimachinery ValidateLabelSelector). */
import type { LabelSelector } from '#machinery';
import { checkLabels } from './metadata.ts';
import { labelKeyProblems, labelValueProblems } from './names.ts';
import type { FieldErrors } from './report.ts';

const OPERATORS: readonly string[] = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/** Labels and expressions of a selector. */
export function checkLabelSelector(errors: FieldErrors, path: string, { matchLabels, matchExpressions = [] }: LabelSelector): void {
  checkLabels(errors, `${path}.matchLabels`, matchLabels);
  matchExpressions.forEach(({ key, operator, values = [] }, index) => {
    const at = `${path}.matchExpressions[${String(index)}]`;
    const listed = operator === 'In' || operator === 'NotIn';
    if (!OPERATORS.includes(operator)) errors.invalid(`${at}.operator`, operator, 'not a valid selector operator');
    else if (listed && values.length === 0) errors.required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
    else if (!listed && values.length > 0) errors.forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    errors.invalidAll(`${at}.key`, key, labelKeyProblems(key));
    values.forEach((value, at2) => errors.invalidAll(`${at}.values[${String(at2)}]`, value, labelValueProblems(value)));
  });
}
