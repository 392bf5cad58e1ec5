/** Validation of what requests of claims, classes and subrequests share: selectors, tolerations, configuration. */
import { stringifyJson, type Json } from '#machinery';
import type { StrategyContext } from '../kind.ts';
import type { DeviceClassConfiguration, DeviceSelector, DeviceToleration, OpaqueDeviceConfiguration } from '../types/resource-v1.ts';
import { checkDriverName } from './dra-names.ts';
import { labelKeyProblems, labelValueProblems } from './names.ts';
import { byteLength, checkList, type FieldErrors } from './report.ts';

/** resource.DeviceSelectorsMaxSize. */
export const DEVICE_SELECTORS_MAX_SIZE = 32;
/** resource.CELSelectorExpressionMaxLength. */
export const CEL_SELECTOR_EXPRESSION_MAX_LENGTH = 10 * 1024;
/** resource.OpaqueParametersMaxLength. */
export const OPAQUE_PARAMETERS_MAX_LENGTH = 10 * 1024;

const TAINT_EFFECTS = ['NoExecute', 'NoSchedule', 'None'];

/** CEL selectors: one member that must be there, its length, then what the CEL checker says. */
export function checkSelectors(errors: FieldErrors, path: string, selectors: readonly DeviceSelector[] | undefined, context: StrategyContext): void {
  checkList(errors, path, selectors, {
    max: DEVICE_SELECTORS_MAX_SIZE,
    item: (selector, at) => {
      if (selector.cel === undefined) return errors.required(`${at}.cel`);
      checkExpression(errors, `${at}.cel.expression`, selector.cel.expression, context);
    },
  });
}

/** The checker words a cost above the limit this way; upstream reports it as Forbidden, all else as Invalid. */
const TOO_COMPLEX = 'too complex';

function checkExpression(errors: FieldErrors, path: string, expression: string, context: StrategyContext): void {
  if (byteLength(expression) > CEL_SELECTOR_EXPRESSION_MAX_LENGTH) return errors.tooLong(path, CEL_SELECTOR_EXPRESSION_MAX_LENGTH);
  for (const problem of context.checkSelector(expression, false)) {
    if (problem.startsWith(TOO_COMPLEX)) errors.forbidden(path, problem);
    else errors.invalid(path, expression, problem);
  }
}

/** A device toleration. */
export function checkToleration(errors: FieldErrors, path: string, toleration: DeviceToleration): void {
  const { key = '', operator = '', value = '', effect } = toleration;
  if (key !== '') errors.invalidAll(`${path}.key`, key, labelKeyProblems(key));
  if (operator === 'Exists') {
    if (value !== '') errors.invalid(`${path}.value`, value, 'must be empty for operator `Exists`');
  } else if (operator === 'Equal') errors.invalidAll(`${path}.value`, value, labelValueProblems(value));
  else if (operator === '') errors.required(`${path}.operator`);
  else errors.notSupported(`${path}.operator`, operator, ['Equal', 'Exists']);
  if (effect) checkEffect(errors, `${path}.effect`, effect);
}

/** An effect of device taints. */
export function checkEffect(errors: FieldErrors, path: string, effect: string): void {
  if (effect === '') errors.required(path);
  else if (!TAINT_EFFECTS.includes(effect)) errors.notSupported(path, effect, TAINT_EFFECTS);
}

/** Configuration for a driver: opaque so far. */
export function checkConfiguration(errors: FieldErrors, path: string, configuration: DeviceClassConfiguration): void {
  if (configuration.opaque === undefined) errors.required(`${path}.opaque`);
  else checkOpaque(errors, `${path}.opaque`, configuration.opaque);
}

function checkOpaque(errors: FieldErrors, path: string, opaque: OpaqueDeviceConfiguration): void {
  checkDriverName(errors, `${path}.driver`, opaque.driver);
  checkRawObject(errors, `${path}.parameters`, opaque.parameters);
}

/** A JSON object of limited size. */
export function checkRawObject(errors: FieldErrors, path: string, value: Json | undefined): void {
  if (value === undefined || value === null) return errors.required(path);
  if (byteLength(stringifyJson(value)) > OPAQUE_PARAMETERS_MAX_LENGTH) return errors.tooLong(path, OPAQUE_PARAMETERS_MAX_LENGTH);
  if (typeof value !== 'object' || Array.isArray(value)) errors.invalid(path, '<value omitted>', 'must be a valid JSON object');
}
