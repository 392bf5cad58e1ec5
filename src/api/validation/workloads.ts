/** Validation of apps/v1, batch/v1 and policy/v1 (upstream: pkg/apis/{apps,batch,policy}/validation). */
import { type ApiObject, type LabelSelector, matchesLabelSelector } from '#machinery';
import type { FieldError, StrategyContext } from '../kind.ts';
import { sameValue } from '../object.ts';
import type { DaemonSet, Deployment, DeploymentSpec, ReplicaSet, StatefulSet, StatefulSetSpec } from '../types/apps-v1.ts';
import type { Job, JobSpec } from '../types/batch-v1.ts';
import type { PodTemplateSpec } from '../types/core-v1.ts';
import type { PodDisruptionBudget } from '../types/policy-v1.ts';
import { checkLabels } from './metadata.ts';
import { checkPodSpec } from './pod.ts';
import { checkLabelSelector } from './label-selector.ts';
import { FieldErrors } from './report.ts';

const NEGATIVE = 'must be greater than or equal to 0';
const IMMUTABLE = 'field is immutable';

/** What an object is judged by besides itself: on update the old one, and whether pods may be privileged. */
interface Given<T> {
  readonly old: T | undefined;
  readonly allowPrivileged: boolean;
}

/** A validation of one kind. */
type Check<T> = (errors: FieldErrors, object: T, given: Given<T>) => void;

/** Makes the kind's two functions of one check; /status is not looked at. */
function validation<T extends ApiObject>(
  check: Check<T>,
): {
  readonly validateCreate: (object: ApiObject, context: StrategyContext) => readonly FieldError[];
  readonly validateUpdate: (object: ApiObject, old: ApiObject, context: StrategyContext) => readonly FieldError[];
} {
  const run = (object: ApiObject, old: ApiObject | undefined, { allowPrivileged = false }: StrategyContext): readonly FieldError[] => {
    const errors = new FieldErrors();
    // The registry hands each kind its own objects.
    check(errors, object as T, { old: old as T | undefined, allowPrivileged });
    return errors.list;
  };
  return {
    validateCreate: (object, context) => run(object, undefined, context),
    validateUpdate: (object, old, context) => (context.subresource === 'status' ? [] : run(object, old, context)),
  };
}

/** Deployment. */
export const DEPLOYMENT_VALIDATION = validation<Deployment>((errors, { spec }, { old, allowPrivileged }) => {
  if (spec === undefined) return errors.required('spec.selector');
  checkNonNegative(errors, 'spec', spec, ['replicas', 'minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds']);
  checkSelector(errors, spec.selector, 'empty selector is invalid for deployment');
  checkTemplate(errors, spec.template, { selector: spec.selector, kind: 'ReplicaSet', allowPrivileged });
  checkDeploymentStrategy(errors, spec);
  if (spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0))
    errors.invalid('spec.progressDeadlineSeconds', spec.progressDeadlineSeconds, 'must be greater than minReadySeconds');
  checkSameSelector(errors, spec.selector, old?.spec?.selector);
});

function checkDeploymentStrategy(errors: FieldErrors, { strategy }: DeploymentSpec): void {
  const { type, rollingUpdate } = strategy ?? {};
  const path = 'spec.strategy';
  if (type === 'Recreate') {
    if (rollingUpdate !== undefined) errors.forbidden(`${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'");
    return;
  }
  if (type !== 'RollingUpdate') return errors.notSupported(`${path}.type`, type, ['Recreate', 'RollingUpdate']);
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate ?? {};
  if (isZero(maxUnavailable) && isZero(maxSurge)) errors.invalid(`${path}.rollingUpdate.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0');
}

function isZero(amount: number | string): boolean {
  return amount === 0 || amount === '0%';
}

/** ReplicaSet. */
export const REPLICA_SET_VALIDATION = validation<ReplicaSet>((errors, { spec }, { old, allowPrivileged }) => {
  if (spec === undefined) return errors.required('spec.selector');
  checkNonNegative(errors, 'spec', spec, ['replicas', 'minReadySeconds']);
  checkSelector(errors, spec.selector, 'empty selector is invalid for deployment');
  checkTemplate(errors, spec.template, { selector: spec.selector, kind: 'ReplicaSet', allowPrivileged });
  checkSameSelector(errors, spec.selector, old?.spec?.selector);
});

/** DaemonSet. */
export const DAEMON_SET_VALIDATION = validation<DaemonSet>((errors, { spec }, { old, allowPrivileged }) => {
  if (spec === undefined) return errors.required('spec.selector');
  checkSelector(errors, spec.selector, 'empty selector is invalid for daemonset');
  checkTemplate(errors, spec.template, { selector: spec.selector, kind: 'DaemonSet', allowPrivileged });
  checkNonNegative(errors, 'spec', spec, ['minReadySeconds', 'revisionHistoryLimit']);
  const type = spec.updateStrategy?.type;
  if (type !== 'RollingUpdate' && type !== 'OnDelete') errors.notSupported('spec.updateStrategy.type', type, ['RollingUpdate', 'OnDelete']);
  checkSameSelector(errors, spec.selector, old?.spec?.selector);
});

/** StatefulSet: only a few parts of its spec may change. */
export const STATEFUL_SET_VALIDATION = validation<StatefulSet>((errors, { spec }, { old, allowPrivileged }) => {
  if (spec === undefined) return errors.required('spec.selector');
  checkNonNegative(errors, 'spec', spec, ['replicas', 'minReadySeconds', 'revisionHistoryLimit']);
  if (old?.spec === undefined) {
    checkSelector(errors, spec.selector, 'empty selector is invalid for statefulset');
    checkTemplate(errors, spec.template, { selector: spec.selector, kind: 'StatefulSet', allowPrivileged });
  } else if (!sameValue(fixedParts(spec), fixedParts(old.spec))) {
    errors.forbidden(
      'spec',
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    );
  }
});

function fixedParts({ selector, serviceName, podManagementPolicy, volumeClaimTemplates }: StatefulSetSpec): object {
  return { selector, serviceName, podManagementPolicy, volumeClaimTemplates };
}

/** Job: its selector is generated unless it is managed by hand, its template stays. */
export const JOB_VALIDATION = validation<Job>((errors, { spec }, { old, allowPrivileged }) => {
  if (spec === undefined) return errors.required('spec.template');
  checkNonNegative(errors, 'spec', spec, ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished']);
  if (spec.selector === undefined) errors.required('spec.selector');
  else checkMatch(errors, spec.selector, spec.template);
  checkTemplateSpec(errors, spec.template, allowPrivileged);
  const policy = spec.template.spec?.restartPolicy;
  if (policy !== 'OnFailure' && policy !== 'Never') errors.required('spec.template.spec.restartPolicy', 'valid values: "OnFailure", "Never"');
  if (old?.spec !== undefined) checkJobUpdate(errors, spec, old.spec);
});

function checkJobUpdate(errors: FieldErrors, spec: JobSpec, old: JobSpec): void {
  for (const member of ['completions', 'selector', 'completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const) {
    // Indexed jobs are elastic: completions may follow parallelism.
    const elastic = member === 'completions' && spec.completionMode === 'Indexed' && spec.completions === spec.parallelism;
    if (!elastic && !sameValue(spec[member], old[member])) errors.invalid(`spec.${member}`, spec[member] ?? null, IMMUTABLE);
  }
  if (old.suspend !== true && !sameValue(spec.template, old.template)) errors.invalid('spec.template', spec.template, IMMUTABLE);
}

/** PodDisruptionBudget: one of two limits. */
export const DISRUPTION_BUDGET_VALIDATION = validation<PodDisruptionBudget>((errors, { spec }) => {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec ?? {};
  if (minAvailable !== undefined && maxUnavailable !== undefined) errors.invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set');
  checkAmount(errors, 'spec.minAvailable', minAvailable);
  checkAmount(errors, 'spec.maxUnavailable', maxUnavailable);
  checkLabelSelector(errors, 'spec.selector', selector ?? {});
  if (policy !== undefined && policy !== 'IfHealthyBudget' && policy !== 'AlwaysAllow')
    errors.notSupported('spec.unhealthyPodEvictionPolicy', policy, ['AlwaysAllow', 'IfHealthyBudget']);
});

const PERCENT_TEXT = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

/** A number that is not negative, or a percentage of at most 100. */
function checkAmount(errors: FieldErrors, path: string, amount: number | string | undefined): void {
  if (typeof amount === 'number' && amount < 0) errors.invalid(path, amount, NEGATIVE);
  if (typeof amount !== 'string') return;
  if (!/^[0-9]+%$/.test(amount)) errors.invalid(path, amount, PERCENT_TEXT);
  else if (Number.parseInt(amount, 10) > 100) errors.invalid(path, amount, 'must not be greater than 100%');
}

function checkNonNegative<T extends object>(errors: FieldErrors, path: string, spec: T, members: readonly (keyof T & string)[]): void {
  for (const member of members) {
    const value: unknown = spec[member];
    if (typeof value === 'number' && value < 0) errors.invalid(`${path}.${member}`, value, NEGATIVE);
  }
}

/** A selector that must select something. */
function checkSelector(errors: FieldErrors, selector: LabelSelector | null, empty: string): void {
  if (selector === null) return errors.required('spec.selector');
  checkLabelSelector(errors, 'spec.selector', selector);
  if (Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0) errors.invalid('spec.selector', selector, empty);
}

function checkSameSelector(errors: FieldErrors, selector: LabelSelector, old: LabelSelector | undefined): void {
  if (old !== undefined && !sameValue(selector, old)) errors.invalid('spec.selector', selector, IMMUTABLE);
}

/** Whose template it is. */
interface Owner {
  readonly selector: LabelSelector | null;
  readonly kind: string;
  readonly allowPrivileged: boolean;
}

/** A template of pods that run for ever and bear the selector's labels. */
function checkTemplate(errors: FieldErrors, template: PodTemplateSpec | undefined, { selector, kind, allowPrivileged }: Owner): void {
  if (template === undefined) return errors.required('spec.template');
  if (selector !== null) checkMatch(errors, selector, template);
  checkTemplateSpec(errors, template, allowPrivileged);
  const { restartPolicy, activeDeadlineSeconds } = template.spec ?? {};
  if (template.spec !== undefined && restartPolicy !== 'Always') errors.notSupported('spec.template.spec.restartPolicy', restartPolicy, ['Always']);
  if (activeDeadlineSeconds !== undefined) errors.forbidden('spec.template.spec.activeDeadlineSeconds', `activeDeadlineSeconds in ${kind} is not Supported`);
}

function checkTemplateSpec(errors: FieldErrors, template: PodTemplateSpec, allowPrivileged: boolean): void {
  checkLabels(errors, 'spec.template.labels', template.metadata?.labels);
  checkPodSpec(errors, 'spec.template.spec', template.spec ?? { containers: [] }, { name: '', allowPrivileged });
}

/** A selector that cannot be read is reported for itself. */
function checkMatch(errors: FieldErrors, selector: LabelSelector, { metadata }: PodTemplateSpec): void {
  if (errors.list.some(({ path }) => path.startsWith('spec.selector'))) return;
  const labels = metadata?.labels ?? {};
  if (!matchesLabelSelector(selector, labels)) errors.invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`');
}
