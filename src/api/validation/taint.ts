/** Validation of device taints. */
import type { DeviceTaint } from '../types/resource-v1.ts';
import { labelKeyProblems, labelValueProblems } from './names.ts';
import type { FieldErrors } from './report.ts';
import { checkEffect } from './requests.ts';

/** Key, value and effect; an effect the old taint already had stays allowed. */
export function checkTaint(errors: FieldErrors, path: string, taint: DeviceTaint, old?: DeviceTaint): void {
  errors.invalidAll(`${path}.key`, taint.key, labelKeyProblems(taint.key));
  errors.invalidAll(`${path}.value`, taint.value ?? '', labelValueProblems(taint.value ?? ''));
  if (taint.effect !== old?.effect) checkEffect(errors, `${path}.effect`, taint.effect);
}
