/** Validation of the claims that pods make for their ephemeral volumes (core/validation validatePersistentVolumeClaimTemplate). */
import { parseQuantity } from '#machinery';
import type { EphemeralVolumeSource, PersistentVolumeClaimSpec } from '../types/core-v1.ts';
import { checkLabelSelector } from './label-selector.ts';
import { checkAnnotations, checkLabels } from './metadata.ts';
import { dnsSubdomainProblems } from './names.ts';
import type { FieldErrors } from './report.ts';

const ONCE_POD = 'ReadWriteOncePod';
const VOLUME_MODES = ['Block', 'Filesystem'];
const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', ONCE_POD];

/** The template of the claim that the pod brings along. */
export function checkEphemeral(errors: FieldErrors, path: string, { volumeClaimTemplate: template }: EphemeralVolumeSource): void {
  const at = `${path}.volumeClaimTemplate`;
  if (template === undefined) return errors.required(at);
  checkLabels(errors, `${at}.metadata.labels`, template.metadata?.labels);
  checkAnnotations(errors, `${at}.metadata.annotations`, template.metadata?.annotations);
  checkClaimSpec(errors, `${at}.spec`, template.spec ?? {});
}

/** What a claim asks for (ValidatePersistentVolumeClaimSpec, without data sources). */
export function checkClaimSpec(errors: FieldErrors, path: string, spec: PersistentVolumeClaimSpec): void {
  const { accessModes = [], resources, selector, storageClassName = '', volumeMode } = spec;
  if (accessModes.length === 0) errors.required(`${path}.accessModes`, 'at least 1 access mode is required');
  if (selector !== undefined) checkLabelSelector(errors, `${path}.selector`, selector);
  for (const mode of accessModes) if (!ACCESS_MODES.includes(mode)) errors.notSupported(`${path}.accessModes`, mode, ACCESS_MODES);
  if (accessModes.includes(ONCE_POD) && accessModes.some((mode) => mode !== ONCE_POD && ACCESS_MODES.includes(mode)))
    errors.forbidden(`${path}.accessModes`, `may not use ${ONCE_POD} with other access modes`);
  checkStorage(errors, `${path}.resources`, resources?.requests?.['storage']);
  if (storageClassName !== '') errors.invalidAll(`${path}.storageClassName`, storageClassName, dnsSubdomainProblems(storageClassName));
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode)) errors.notSupported(`${path}.volumeMode`, volumeMode, VOLUME_MODES);
}

function checkStorage(errors: FieldErrors, path: string, amount: string | undefined): void {
  if (amount === undefined) return errors.required(`${path}[storage]`);
  if ((parseQuantity(amount)?.sign() ?? 0) <= 0) errors.invalid(`${path}[storage]`, amount, 'must be greater than zero');
}
