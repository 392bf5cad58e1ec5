/** Validation of Deployment, ReplicaSet and DaemonSet (apps/validation). */
import type { FieldError, StrategyContext } from '../kind.ts';
import type { ApiObject } from '#machinery';
import type { DaemonSet, DaemonSetSpec, Deployment, DeploymentSpec, ReplicaSet, ReplicaSetSpec } from '../types/apps-v1.ts';
import { amountValue, checkAtMostAll, checkCounts, checkIntOrPercent, checkNonNegative, type StatusRules } from './counts.ts';
import { goStruct } from './go-struct.ts';
import { checkLabelSelector, shownSelector } from './label-selector.ts';
import { checkMatch, checkNotEmpty, checkPermanent, checkSameSelector, checkSelector, checkTemplate } from './pod-template.ts';
import { FieldErrors } from './report.ts';

/** The two functions of a kind. */
type Validation = {
  readonly validateCreate: (object: ApiObject, context: StrategyContext) => readonly FieldError[];
  readonly validateUpdate: (object: ApiObject, old: ApiObject, context: StrategyContext) => readonly FieldError[];
};

/** What an object is judged by besides itself: on update the old one, and whether pods may be privileged. */
interface Given<T> {
  readonly old: T | undefined;
  readonly allowPrivileged: boolean;
}

/** How objects of a kind are checked. */
interface Checks<T extends ApiObject & { readonly status?: object | undefined }> {
  readonly spec: (errors: FieldErrors, object: T, given: Given<T>) => void;
  readonly status: StatusRules<NonNullable<T['status']>>;
}

/** Makes a kind's two functions of its checks. */
export function workloadValidation<T extends ApiObject & { readonly status?: object | undefined }>({ spec, status }: Checks<T>): Validation {
  return {
    validateCreate: (object, { allowPrivileged = false }) => {
      const errors = new FieldErrors();
      // The registry hands each kind its own objects, here and below.
      spec(errors, object as T, { old: undefined, allowPrivileged });
      return errors.list;
    },
    validateUpdate: (object, old, { subresource, allowPrivileged = false }) => {
      const errors = new FieldErrors();
      const [next, before] = [object as T, old as T];
      if (subresource === 'status') checkCounts(errors, status, next.status ?? {}, before.status ?? {});
      else spec(errors, next, { old: before, allowPrivileged });
      return errors.list;
    },
  };
}

/** Deployment. */
export const DEPLOYMENT_VALIDATION = workloadValidation<Deployment>({
  spec: (errors, { spec }, { old, allowPrivileged }) => {
    if (spec === undefined) return errors.required('spec.selector');
    checkReplicated(errors, spec, allowPrivileged);
    checkNonNegative(errors, 'spec', spec, ['revisionHistoryLimit', 'progressDeadlineSeconds']);
    checkDeploymentStrategy(errors, spec);
    const { progressDeadlineSeconds: deadline, minReadySeconds = 0 } = spec;
    if (deadline !== undefined && deadline <= minReadySeconds) errors.invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds');
    if (old !== undefined) checkSameSelector(errors, spec.selector, old.spec?.selector);
  },
  status: {
    counts: [
      'observedGeneration',
      'replicas',
      'updatedReplicas',
      'readyReplicas',
      'availableReplicas',
      'unavailableReplicas',
      'terminatingReplicas',
      'collisionCount',
    ],
    limits: [
      ['updatedReplicas', 'replicas', 'status.replicas'],
      ['readyReplicas', 'replicas', 'status.replicas'],
      ['availableReplicas', 'replicas', 'status.replicas'],
      ['availableReplicas', 'readyReplicas', 'readyReplicas'],
    ],
  },
});

/** What Deployments and ReplicaSets share. */
function checkReplicated(errors: FieldErrors, spec: DeploymentSpec | ReplicaSetSpec, allowPrivileged: boolean): void {
  const { selector } = spec;
  checkNonNegative(errors, 'spec', spec, ['replicas', 'minReadySeconds']);
  if (!checkSelector(errors, selector, 'empty selector is invalid for deployment'))
    return errors.invalid('spec.selector', shownSelector(selector), 'invalid label selector');
  checkMatch(errors, selector, spec.template);
  checkTemplate(errors, spec.template, allowPrivileged);
  checkPermanent(errors, spec.template, 'ReplicaSet');
}

function checkDeploymentStrategy(errors: FieldErrors, { strategy = {} }: DeploymentSpec): void {
  const { type, rollingUpdate } = strategy;
  const path = 'spec.strategy';
  if (type === 'Recreate') {
    if (rollingUpdate !== undefined) errors.forbidden(`${path}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'");
    return;
  }
  if (type !== 'RollingUpdate') return errors.notSupported(path, goStruct(strategy, 'io.k8s.api.apps.v1.DeploymentStrategy'), ['Recreate', 'RollingUpdate']);
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate ?? {};
  const at = `${path}.rollingUpdate`;
  checkIntOrPercent(errors, `${at}.maxUnavailable`, maxUnavailable);
  checkIntOrPercent(errors, `${at}.maxSurge`, maxSurge);
  if (amountValue(maxUnavailable) === 0 && amountValue(maxSurge) === 0)
    errors.invalid(`${at}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0');
  checkAtMostAll(errors, `${at}.maxUnavailable`, maxUnavailable);
}

/** ReplicaSet. */
export const REPLICA_SET_VALIDATION = workloadValidation<ReplicaSet>({
  spec: (errors, { spec }, { old, allowPrivileged }) => {
    if (spec === undefined) return errors.required('spec.selector');
    checkReplicated(errors, spec, allowPrivileged);
    if (old !== undefined) checkSameSelector(errors, spec.selector, old.spec?.selector);
  },
  status: {
    counts: ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration', 'terminatingReplicas'],
    limits: [
      ['fullyLabeledReplicas', 'replicas', 'status.replicas'],
      ['readyReplicas', 'replicas', 'status.replicas'],
      ['availableReplicas', 'replicas', 'status.replicas'],
      ['availableReplicas', 'readyReplicas', 'readyReplicas'],
    ],
  },
});

/** DaemonSet. */
export const DAEMON_SET_VALIDATION = workloadValidation<DaemonSet>({
  spec: (errors, { spec }, { old, allowPrivileged }) => {
    if (spec === undefined) return errors.required('spec.template');
    if (old !== undefined) checkSameSelector(errors, spec.selector, old.spec?.selector);
    // Upstream asks for no selector, but then no template has its labels.
    const selectable = !spec.selector || checkLabelSelector(errors, 'spec.selector', spec.selector);
    if (selectable) checkMatch(errors, spec.selector, spec.template);
    if (spec.selector) checkNotEmpty(errors, spec.selector, 'empty selector is invalid for daemonset');
    checkTemplate(errors, spec.template, allowPrivileged);
    checkPermanent(errors, spec.template, 'DaemonSet');
    checkNonNegative(errors, 'spec', spec, ['minReadySeconds']);
    checkDaemonSetStrategy(errors, spec);
    checkNonNegative(errors, 'spec', spec, ['revisionHistoryLimit']);
  },
  status: {
    counts: [
      'currentNumberScheduled',
      'numberMisscheduled',
      'desiredNumberScheduled',
      'numberReady',
      'observedGeneration',
      'updatedNumberScheduled',
      'numberAvailable',
      'numberUnavailable',
      'collisionCount',
    ],
    limits: [],
  },
});

function checkDaemonSetStrategy(errors: FieldErrors, { updateStrategy = {} }: DaemonSetSpec): void {
  const { type, rollingUpdate } = updateStrategy;
  const path = 'spec.updateStrategy';
  if (type === 'OnDelete') return;
  if (type !== 'RollingUpdate')
    return errors.notSupported(path, goStruct(updateStrategy, 'io.k8s.api.apps.v1.DaemonSetUpdateStrategy'), ['RollingUpdate', 'OnDelete']);
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate ?? {};
  const amounts = Object.entries({ maxUnavailable, maxSurge });
  for (const [member, amount] of amounts) checkIntOrPercent(errors, `${path}.rollingUpdate.${member}`, amount);
  for (const [member, amount] of amounts) checkAtMostAll(errors, `${path}.rollingUpdate.${member}`, amount);
  const [unavailable, surge] = [amountValue(maxUnavailable) !== 0, amountValue(maxSurge) !== 0];
  if (unavailable && surge) errors.invalid(`${path}.rollingUpdate.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero');
  if (!unavailable && !surge) errors.required(`${path}.rollingUpdate.maxUnavailable`, 'cannot be 0 when maxSurge is 0');
}
