/** Validation of StatefulSet (apps/validation ValidateStatefulSetSpec). */
import { sameValue } from '../object.ts';
import type { StatefulSet, StatefulSetSpec } from '../types/apps-v1.ts';
import type { PodTemplateSpec, Volume } from '../types/core-v1.ts';
import { workloadValidation } from './apps.ts';
import { amountValue, checkAtMostAll, checkIntOrPercent, checkNonNegative } from './counts.ts';
import { goStruct } from './go-struct.ts';
import { shownSelector } from './label-selector.ts';
import { dnsLabelProblems } from './names.ts';
import { checkMatch, checkPermanent, checkSelector, checkTemplate, checkTemplateMetadata } from './pod-template.ts';
import { checkClaimSpec } from './pod-volume-claim.ts';
import { FieldErrors } from './report.ts';

const RETENTION_POLICIES = ['Retain', 'Delete'];

/** What an update need not keep to, since the stored set does not either, and whether pods may be privileged. */
interface Leniency {
  readonly update: boolean;
  readonly template: boolean;
  readonly allowPrivileged: boolean;
}

/** StatefulSet: only a few parts of its spec may change. */
export const STATEFUL_SET_VALIDATION = workloadValidation<StatefulSet>({
  spec: (errors, { spec }, { old, allowPrivileged }) => {
    if (spec === undefined) return errors.required('spec.selector');
    checkSpec(errors, spec, { update: old !== undefined, template: old?.spec !== undefined && isInvalid(old.spec, allowPrivileged), allowPrivileged });
    if (old !== undefined && !sameValue(fixedParts(spec), fixedParts(old.spec)))
      errors.forbidden(
        'spec',
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      );
  },
  status: {
    counts: ['replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas', 'observedGeneration', 'collisionCount'],
    limits: [
      ['readyReplicas', 'replicas', 'status.replicas'],
      ['currentReplicas', 'replicas', 'status.replicas'],
      ['updatedReplicas', 'replicas', 'status.replicas'],
      ['availableReplicas', 'replicas', 'status.replicas'],
      ['availableReplicas', 'readyReplicas', 'status.readyReplicas'],
    ],
  },
});

function fixedParts(spec: StatefulSetSpec | undefined): object {
  const { selector, serviceName, podManagementPolicy, volumeClaimTemplates } = spec ?? {};
  return { selector, serviceName, podManagementPolicy, volumeClaimTemplates };
}

/** A stored set that would be refused today keeps its template. */
function isInvalid(spec: StatefulSetSpec, allowPrivileged: boolean): boolean {
  const errors = new FieldErrors();
  checkSpec(errors, spec, { update: true, template: false, allowPrivileged });
  return errors.list.length > 0;
}

function checkSpec(errors: FieldErrors, spec: StatefulSetSpec, lenient: Leniency): void {
  const { podManagementPolicy: management = '', serviceName = '', volumeClaimTemplates = [], ordinals, selector } = spec;
  if ((management as string) === '') errors.required('spec.podManagementPolicy');
  else if (management !== 'OrderedReady' && management !== 'Parallel')
    errors.invalid('spec.podManagementPolicy', management, "must be 'OrderedReady' or 'Parallel'");
  checkStrategy(errors, spec);
  checkRetention(errors, spec);
  if (!lenient.update) volumeClaimTemplates.forEach((claim, index) => checkClaimSpec(errors, `spec.volumeClaimTemplates[${index}].spec`, claim.spec ?? {}));
  checkNonNegative(errors, 'spec', spec, ['replicas', 'minReadySeconds']);
  if (ordinals !== undefined) checkNonNegative(errors, 'spec.ordinals', ordinals, ['start']);
  if (!lenient.update && serviceName !== '') errors.invalidAll('spec.serviceName', serviceName, dnsLabelProblems(serviceName));
  if (!checkSelector(errors, selector, 'empty selector is invalid for statefulset')) errors.invalid('spec.selector', shownSelector(selector), '');
  else {
    checkMatch(errors, selector, spec.template);
    if (!lenient.template) checkTemplate(errors, podTemplateOf(spec), lenient.allowPrivileged);
    checkTemplateMetadata(errors, spec.template);
  }
  checkPermanent(errors, spec.template, 'StatefulSet');
}

/** The template as the controller makes pods of it: with names of its own, and a volume for each claim. */
function podTemplateOf({ template, volumeClaimTemplates = [] }: StatefulSetSpec): PodTemplateSpec | undefined {
  if (template?.spec === undefined) return template;
  const claimed = new Set(volumeClaimTemplates.map(({ metadata }) => metadata?.name ?? ''));
  const volumes: Volume[] = [...claimed].map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  volumes.push(...(template.spec.volumes ?? []).filter(({ name }) => !claimed.has(name)));
  return { ...template, spec: { ...template.spec, hostname: undefined, subdomain: undefined, volumes } };
}

function checkStrategy(errors: FieldErrors, { updateStrategy = {} }: StatefulSetSpec): void {
  const { type = '', rollingUpdate } = updateStrategy;
  const path = 'spec.updateStrategy';
  const at = `${path}.rollingUpdate`;
  if ((type as string) === '') return errors.required(path);
  if (type === 'OnDelete') {
    if (rollingUpdate !== undefined)
      errors.invalid(at, goStruct(rollingUpdate, 'io.k8s.api.apps.v1.RollingUpdateStatefulSetStrategy'), "only allowed for updateStrategy 'RollingUpdate'");
    return;
  }
  if (type !== 'RollingUpdate')
    return errors.invalid(path, goStruct(updateStrategy, 'io.k8s.api.apps.v1.StatefulSetUpdateStrategy'), "must be 'RollingUpdate' or 'OnDelete'");
  if (rollingUpdate === undefined) return;
  checkNonNegative(errors, at, rollingUpdate, ['partition']);
  const { maxUnavailable } = rollingUpdate;
  if (maxUnavailable === undefined) return;
  checkIntOrPercent(errors, `${at}.maxUnavailable`, maxUnavailable);
  if (amountValue(maxUnavailable) === 0) errors.invalid(`${at}.maxUnavailable`, maxUnavailable, 'cannot be 0');
  checkAtMostAll(errors, `${at}.maxUnavailable`, maxUnavailable);
}

function checkRetention(errors: FieldErrors, { persistentVolumeClaimRetentionPolicy: policy }: StatefulSetSpec): void {
  for (const member of ['whenDeleted', 'whenScaled'] as const) {
    const value = policy?.[member];
    if (policy !== undefined && !RETENTION_POLICIES.includes(value ?? ''))
      errors.notSupported(`spec.persistentVolumeClaimRetentionPolicy.${member}`, value ?? '', RETENTION_POLICIES);
  }
}
