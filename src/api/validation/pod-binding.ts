/** Validation of Binding (upstream: core validation ValidatePodBinding). */
import type { ApiObject } from '#machinery';
import type { FieldError } from '../kind.ts';
import type { Binding } from '../types/core-v1.ts';
import { FieldErrors } from './report.ts';

/** What a pod may be bound to: a node by its name. */
export function validateBinding(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const { kind = '', name = '' } = (object as Binding).target;
  if (kind !== '' && kind !== 'Node') errors.notSupported('target.kind', kind, ['Node', '<empty>']);
  if (name === '') errors.required('target.name');
  return errors.list;
}
