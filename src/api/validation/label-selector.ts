/** Validation of label selectors (apimachinery ValidateLabelSelector). */
import type { Json, LabelSelector, LabelSelectorRequirement } from '#machinery';
import { goStruct } from './go-struct.ts';
import { checkLabels } from './metadata.ts';
import { labelKeyProblems, labelValueProblems } from './names.ts';
import type { FieldErrors } from './report.ts';

const OPERATORS: readonly string[] = ['In', 'NotIn', 'Exists', 'DoesNotExist'];

/** Labels and expressions of a selector; whether all is well, which is also whether upstream can select with it. */
export function checkLabelSelector(errors: FieldErrors, path: string, { matchLabels, matchExpressions = [] }: LabelSelector): boolean {
  const before = errors.list.length;
  checkLabels(errors, `${path}.matchLabels`, matchLabels);
  matchExpressions.forEach((requirement, index) => checkSelectorRequirement(errors, `${path}.matchExpressions[${String(index)}]`, requirement));
  return errors.list.length === before;
}

/** A selector as Go prints it. */
export function shownSelector(selector: LabelSelector): Json {
  return goStruct(selector, 'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector');
}

/** One expression of a selector (apimachinery ValidateLabelSelectorRequirement). */
export function checkSelectorRequirement(
  errors: FieldErrors,
  path: string,
  { key, operator, values = [] }: LabelSelectorRequirement,
  allowsUnknownOperator = false,
): void {
  const listed = operator === 'In' || operator === 'NotIn';
  if (!OPERATORS.includes(operator)) {
    if (!allowsUnknownOperator) errors.invalid(`${path}.operator`, operator, 'not a valid selector operator');
  } else if (listed && values.length === 0) errors.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
  else if (!listed && values.length > 0) errors.forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  errors.invalidAll(`${path}.key`, key, labelKeyProblems(key));
  values.forEach((value, at) => errors.invalidAll(`${path}.values[${String(at)}]`, value, labelValueProblems(value)));
}
