/** Workloads: Deployment, ReplicaSet, DaemonSet, StatefulSet, Job, and PodDisruptionBudget. */
import type { ApiObject } from '#machinery';
import {
  DAEMON_SET_COLUMNS,
  DEPLOYMENT_COLUMNS,
  DISRUPTION_BUDGET_COLUMNS,
  JOB_COLUMNS,
  REPLICA_SET_COLUMNS,
  STATEFUL_SET_COLUMNS,
} from '../columns/workloads.ts';
import { defaultDaemonSet, defaultDeployment, defaultJob, defaultReplicaSet, defaultStatefulSet } from '../defaults/workloads.ts';
import {
  createdDaemonSet,
  createdJob,
  createdStatefulSet,
  createdWith,
  TEMPLATE_GENERATION,
  updatedDaemonSet,
  updatedDeployment,
  updatedStatefulSet,
  updatedWithStatus,
} from '../strategy/workloads.ts';
import type { Job } from '../types/batch-v1.ts';
import type { PodDisruptionBudget } from '../types/policy-v1.ts';
import { DAEMON_SET_VALIDATION, DEPLOYMENT_VALIDATION, REPLICA_SET_VALIDATION } from '../validation/apps.ts';
import { validateBudget, validateBudgetUpdate } from '../validation/disruption-budget.ts';
import { validateJob, validateJobUpdate } from '../validation/job.ts';
import { dnsLabelProblems } from '../validation/names.ts';
import { STATEFUL_SET_VALIDATION } from '../validation/stateful-set.ts';
import { defineKind, version } from './define.ts';
import { daemonSetWarnings, jobWarnings, namingWarnings, statefulSetWarnings } from './workload-warnings.ts';

/** What these kinds have in common. */
const WORKLOAD = {
  namespaced: true,
  createOnUpdate: false,
  subresources: ['status'],
  generation: true,
  prepareForCreate: createdWith({}),
  prepareForUpdate: updatedWithStatus,
};
/** Of the kinds that count replicas. */
const SCALED = ['status', 'scale'];
const APPS = { ...WORKLOAD, group: 'apps', categories: ['all'] };

/** Deployments. */
export const DEPLOYMENT = defineKind({
  ...APPS,
  ...DEPLOYMENT_VALIDATION,
  subresources: SCALED,
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  prepareForUpdate: updatedDeployment,
  resetByStatus: [['f:spec'], ['f:metadata', 'f:labels']],
  versions: [version('v1', 'io.k8s.api.apps.v1.Deployment', defaultDeployment)],
  warnings: namingWarnings,
  table: DEPLOYMENT_COLUMNS,
});

/** ReplicaSets. */
export const REPLICA_SET = defineKind({
  ...APPS,
  ...REPLICA_SET_VALIDATION,
  subresources: SCALED,
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  versions: [version('v1', 'io.k8s.api.apps.v1.ReplicaSet', defaultReplicaSet)],
  prepareForCreate: createdWith({ replicas: 0 }),
  warnings: namingWarnings,
  table: REPLICA_SET_COLUMNS,
});

/** Counts that are printed even when they are 0 (no omitempty upstream). */
const NOT_SCHEDULED = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };

/** DaemonSets. */
export const DAEMON_SET = defineKind({
  ...APPS,
  ...DAEMON_SET_VALIDATION,
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  versions: [version('v1', 'io.k8s.api.apps.v1.DaemonSet', defaultDaemonSet)],
  prepareForCreate: (object) => createdDaemonSet(createdWith(NOT_SCHEDULED)(object)),
  prepareForUpdate: updatedDaemonSet,
  hiddenAnnotation: TEMPLATE_GENERATION,
  warnings: daemonSetWarnings,
  table: DAEMON_SET_COLUMNS,
});

/** StatefulSets. */
export const STATEFUL_SET = defineKind({
  ...APPS,
  ...STATEFUL_SET_VALIDATION,
  subresources: SCALED,
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  nameProblems: dnsLabelProblems,
  versions: [version('v1', 'io.k8s.api.apps.v1.StatefulSet', defaultStatefulSet)],
  prepareForCreate: createdStatefulSet,
  prepareForUpdate: updatedStatefulSet,
  warnings: statefulSetWarnings,
  table: STATEFUL_SET_COLUMNS,
});

/** Jobs. */
export const JOB = defineKind({
  ...WORKLOAD,
  group: 'batch',
  kind: 'Job',
  checksMetadataAgain: true,
  plural: 'jobs',
  categories: ['all'],
  versions: [version('v1', 'io.k8s.api.batch.v1.Job', defaultJob)],
  orphansByDefault: true,
  validateCreate: validateJob,
  validateUpdate: validateJobUpdate,
  prepareForCreate: createdJob,
  selectableFieldNames: ['status.successful'],
  selectableFields: (object) => ({ 'status.successful': String((object as Job).status?.succeeded ?? 0) }),
  warnings: jobWarnings,
  table: JOB_COLUMNS,
});

/** Counts that are printed even when they are 0 (no omitempty upstream). */
const NO_DISRUPTIONS = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };

/** PodDisruptionBudgets. */
export const POD_DISRUPTION_BUDGET = defineKind({
  ...WORKLOAD,
  group: 'policy',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  versions: [{ ...version('v1', 'io.k8s.api.policy.v1.PodDisruptionBudget', printedCounts), unconditionalUpdate: false }],
  metadataChecks: 'none',
  validateCreate: validateBudget,
  validateUpdate: validateBudgetUpdate,
  prepareForCreate: createdWith(NO_DISRUPTIONS),
  table: DISRUPTION_BUDGET_COLUMNS,
});

function printedCounts(object: ApiObject): ApiObject {
  const budget = object as PodDisruptionBudget;
  return { ...budget, status: { ...NO_DISRUPTIONS, ...budget.status } } as ApiObject;
}
