/** Validation of a core NodeSelector (core/validation ValidateNodeSelector) as claims and slices use it. */
import type { NodeSelector, NodeSelectorRequirement, NodeSelectorTerm } from '../types/core-v1.ts';
import { dnsSubdomainProblems, labelKeyProblems, labelValueProblems } from './names.ts';
import type { FieldErrors } from './report.ts';

/** Terms, their requirements over labels and over the node's name. */
export function checkNodeSelector(errors: FieldErrors, path: string, selector: NodeSelector): void {
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0) return errors.required(`${path}.nodeSelectorTerms`, 'must have at least one node selector term');
  terms.forEach((term, index) => checkNodeSelectorTerm(errors, `${path}.nodeSelectorTerms[${index}]`, term));
}

/** Requirements over labels and over the node's name; of preferred terms the values are not checked. */
export function checkNodeSelectorTerm(errors: FieldErrors, path: string, term: NodeSelectorTerm, valuesToo = true): void {
  term.matchExpressions?.forEach((requirement, i) => checkExpression(errors, `${path}.matchExpressions[${i}]`, requirement, valuesToo));
  term.matchFields?.forEach((requirement, i) => checkField(errors, `${path}.matchFields[${i}]`, requirement));
}

function checkExpression(errors: FieldErrors, path: string, { key, operator, values = [] }: NodeSelectorRequirement, valuesToo: boolean): void {
  checkArity(errors, path, operator, values.length);
  errors.invalidAll(`${path}.key`, key, labelKeyProblems(key));
  if (!valuesToo) return;
  values.forEach((value, index) => errors.invalidAll(`${path}.values[${index}]`, value, labelValueProblems(value)));
}

function checkArity(errors: FieldErrors, path: string, operator: string, count: number): void {
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (count === 0) errors.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'");
      return;
    case 'Exists':
    case 'DoesNotExist':
      if (count > 0) errors.forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
      return;
    case 'Gt':
    case 'Lt':
      if (count !== 1) errors.required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'");
      return;
    default:
      errors.invalid(`${path}.operator`, operator, 'not a valid selector operator');
  }
}

function checkField(errors: FieldErrors, path: string, { key, operator, values = [] }: NodeSelectorRequirement): void {
  if (operator !== 'In' && operator !== 'NotIn') errors.invalid(`${path}.operator`, operator, 'not a valid selector operator');
  else if (values.length !== 1) errors.required(`${path}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
  if (key !== 'metadata.name') return errors.invalid(`${path}.key`, key, 'not a valid field selector key');
  values.forEach((value, index) => errors.invalidAll(`${path}.values[${index}]`, value, dnsSubdomainProblems(value)));
}
