/** LeaseCandidate: who is ready to lead, so that a leader can be chosen by its version (KEP-4355, coordinated leader election). */
import { type ApiObject, Semver } from '#machinery';
import { AGE, ageCell, column, NAME } from '../columns/age.ts';
import { table } from '../columns/table.ts';
import type { FieldError } from '../kind.ts';
import type { LeaseCandidate } from '../types/coordination-v1beta1.ts';
import { checkLeaseStrategy, OLDEST_EMULATION_VERSION } from '../validation/lease.ts';
import { configKeyProblems } from '../validation/pod-names.ts';
import { FieldErrors } from '../validation/report.ts';
import { defineKind, version } from './define.ts';

/** What upstream reads a version as that is absent or none. */
const NO_VERSION = Semver.parse('0.0.0');

/** Candidates for the Lease that their spec names. */
export const LEASE_CANDIDATE = defineKind({
  group: 'coordination.k8s.io',
  kind: 'LeaseCandidate',
  plural: 'leasecandidates',
  nameProblems: configKeyProblems,
  metadataChecks: 'generic',
  namespaced: true,
  versions: ['v1beta1', 'v1alpha2'].map((name) => ({ ...version(name, `io.k8s.api.coordination.${name}.LeaseCandidate`), unconditionalUpdate: false })),
  validateCreate: validateCandidate,
  validateUpdate: (object, old) => {
    const errors = new FieldErrors();
    const [{ leaseName = '' }, { leaseName: before = '' }] = [specOf(object), specOf(old)];
    if (leaseName !== before) errors.invalid('spec.leaseName', leaseName, 'field is immutable');
    return [...validateCandidate(object), ...errors.list];
  },
  table: table<LeaseCandidate>(
    [
      NAME,
      column('LeaseName', 'leaseName is the name of the lease for which this candidate is contending. Multiple candidates may reference the same lease.'),
      column('BinaryVersion', ''),
      column('EmulationVersion', ''),
      AGE,
    ],
    (candidate) => {
      const { leaseName = '', binaryVersion = '', emulationVersion = '' } = specOf(candidate);
      return [candidate.metadata.name ?? '', leaseName, binaryVersion, emulationVersion, ageCell(candidate)];
    },
  ),
});

function specOf(object: ApiObject): Partial<NonNullable<LeaseCandidate['spec']>> {
  // Objects of this kind; members are checked by the schema.
  return (object as LeaseCandidate).spec ?? {};
}

/** Upstream: ValidateLeaseCandidateSpec. */
function validateCandidate(object: ApiObject): readonly FieldError[] {
  const errors = new FieldErrors();
  const { leaseName = '', binaryVersion = '', emulationVersion = '', strategy = '' } = specOf(object);
  if (leaseName === '') errors.required('spec.leaseName');
  const [binary, emulated] = [Semver.parse(binaryVersion), Semver.parse(emulationVersion)];
  if (emulationVersion !== '' && emulated === undefined) errors.invalid('spec.emulationVersion', emulationVersion, 'must be a valid semantic version');
  if (binaryVersion === '') errors.required('spec.binaryVersion');
  else if (binary === undefined) errors.invalid('spec.binaryVersion', binaryVersion, 'must be a valid semantic version');
  if (binaryVersion !== '' && emulationVersion !== '' && isBefore(binary, emulated)) {
    errors.invalid('spec.binaryVersion', binaryVersion, 'must be greater than or equal to `emulationVersion`');
  }
  if (strategy === '') errors.required('spec.strategy');
  else {
    if (strategy === OLDEST_EMULATION_VERSION && !isBefore(undefined, emulated))
      errors.required('spec.emulationVersion', `must be specified when \`strategy\` is '${OLDEST_EMULATION_VERSION}'`);
    checkLeaseStrategy(errors, 'spec.strategy', strategy);
  }
  return errors.list;
}

function isBefore(version: Semver | undefined, other: Semver | undefined): boolean {
  const [a, b] = [version ?? NO_VERSION, other ?? NO_VERSION];
  return a !== undefined && b !== undefined && a.compare(b) < 0;
}
