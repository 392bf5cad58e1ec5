/** Validation of binding conditions, the same on devices of slices and in allocation results. */
import { labelKeyProblems } from './names.ts';
import { checkList, type FieldErrors } from './report.ts';

/** resource.BindingConditionsMaxSize, and BindingFailureConditionsMaxSize. */
export const BINDING_CONDITIONS_MAX_SIZE = 4;

/** What must, and what must not, become true before a pod is bound. */
export interface BindingConditions {
  readonly bindingConditions?: readonly string[] | undefined;
  readonly bindingFailureConditions?: readonly string[] | undefined;
}

/** Both lists or none; label names; nothing twice and nothing in both. */
export function checkBindingConditions(errors: FieldErrors, path: string, { bindingConditions = [], bindingFailureConditions = [] }: BindingConditions): void {
  const [conditions, failures] = [`${path}.bindingConditions`, `${path}.bindingFailureConditions`];
  const rules = {
    max: BINDING_CONDITIONS_MAX_SIZE,
    key: (name: string) => name,
    item: (name: string, item: string) => errors.invalidAll(item, name, labelKeyProblems(name)),
  };
  checkList(errors, conditions, bindingConditions, rules);
  checkList(errors, failures, bindingFailureConditions, rules);
  const required = new Set(bindingConditions);
  bindingFailureConditions.forEach((name, index) => {
    if (required.has(name)) errors.invalid(`${failures}[${index}]`, name, 'bindingFailureConditions must not overlap with bindingConditions');
  });
  if (bindingConditions.length > 0 && bindingFailureConditions.length === 0) {
    errors.invalid(failures, null, 'bindingFailureConditions are required to use bindingConditions');
  }
  if (bindingConditions.length === 0 && bindingFailureConditions.length > 0) {
    errors.invalid(conditions, null, 'bindingConditions are required to use bindingFailureConditions');
  }
}
