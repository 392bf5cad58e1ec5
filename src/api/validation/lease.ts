/** Validation of leases (coordination/validation ValidateLeaseSpec). */
import type { ApiObject } from '#machinery';
import type { FieldError } from '../kind.ts';
import type { Lease } from '../types/coordination-v1.ts';
import { labelKeyProblems } from './names.ts';
import { FieldErrors } from './report.ts';

/** The strategy that Kubernetes itself defines; others carry a domain. */
export const OLDEST_EMULATION_VERSION = 'OldestEmulationVersion';

/** A new or changed lease. */
export function validateLease(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const { leaseDurationSeconds: seconds, leaseTransitions: transitions, strategy, preferredHolder = '' } = (object as Lease).spec ?? {};
  if (seconds !== undefined && seconds <= 0) errors.invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0');
  if (transitions !== undefined && transitions < 0) errors.invalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0');
  if (strategy !== undefined) checkLeaseStrategy(errors, 'spec.strategy', strategy);
  if (preferredHolder !== '' && (strategy ?? '') === '') errors.forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined');
  return errors.list;
}

/** How a leader is chosen (ValidateCoordinatedLeaseStrategy). */
export function checkLeaseStrategy(errors: FieldErrors, path: string, strategy: string): void {
  if (strategy === OLDEST_EMULATION_VERSION) return;
  // The repeated member is upstream's.
  const at = `${path}.strategy`;
  if (strategy.includes('/')) errors.invalidAll(at, strategy, labelKeyProblems(strategy));
  else errors.notSupported(at, strategy, [OLDEST_EMULATION_VERSION]);
}
