/** Table columns of apps/v1, batch/v1 and policy/v1. */
import { type LabelSelector, labelSelectorRequirements, labelSelectorText } from '#machinery';
import type { Cell } from '../kind.ts';
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '../types/apps-v1.ts';
import type { Job, JobCondition } from '../types/batch-v1.ts';
import type { PodTemplateSpec } from '../types/core-v1.ts';
import type { PodDisruptionBudget } from '../types/policy-v1.ts';
import { AGE, Age, ageCell, column, humanDuration, integerColumn, NAME } from './age.ts';
import { table } from './table.ts';

const CONTAINERS = column('Containers', 'Names of each container in the template.', 1);
const IMAGES = column('Images', 'Images referenced by each container in the template.', 1);
const SELECTOR = column('Selector', 'Selects the pods that belong to the object.', 1);

/** The cells of Containers and Images. */
function containerCells(template: PodTemplateSpec | undefined): readonly [string, string] {
  const containers = template?.spec?.containers ?? [];
  return [containers.map(({ name }) => name).join(','), containers.map(({ image }) => image ?? '').join(',')];
}

/** A selector as upstream's metav1.FormatLabelSelector prints it. */
function selectorCell(selector: LabelSelector | undefined): string {
  return labelSelectorText(labelSelectorRequirements(selector ?? {})) || '<none>';
}

/** Columns of Deployment. */
export const DEPLOYMENT_COLUMNS = table<Deployment>(
  [
    NAME,
    column('Ready', 'Number of the pod with ready state'),
    column('Up-to-date', 'Total number of pods that have the desired template.'),
    column('Available', 'Total number of available pods targeted by this deployment.'),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
  ],
  (deployment) => {
    const { spec, status } = deployment;
    const ready = `${String(status?.readyReplicas ?? 0)}/${String(spec?.replicas ?? 0)}`;
    const counts = [ready, status?.updatedReplicas ?? 0, status?.availableReplicas ?? 0];
    return [deployment.metadata.name ?? '', ...counts, ageCell(deployment), ...containerCells(spec?.template), selectorCell(spec?.selector)];
  },
);

/** Columns of ReplicaSet. */
export const REPLICA_SET_COLUMNS = table<ReplicaSet>(
  [
    NAME,
    integerColumn('Desired', 'The number of desired replicas.'),
    integerColumn('Current', 'The most recently observed number of replicas.'),
    integerColumn('Ready', 'The number of ready replicas.'),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
  ],
  (set) => {
    const { spec, status } = set;
    const counts = [spec?.replicas ?? 0, status?.replicas ?? 0, status?.readyReplicas ?? 0];
    return [set.metadata.name ?? '', ...counts, ageCell(set), ...containerCells(spec?.template), selectorCell(spec?.selector)];
  },
);

/** Columns of DaemonSet. */
export const DAEMON_SET_COLUMNS = table<DaemonSet>(
  [
    NAME,
    integerColumn('Desired', 'The number of nodes that should run the daemon pod.'),
    integerColumn('Current', 'The number of nodes that run at least one daemon pod and should.'),
    integerColumn('Ready', 'The number of nodes with a ready daemon pod.'),
    integerColumn('Up-to-date', 'The number of nodes that run the updated daemon pod.'),
    integerColumn('Available', 'The number of nodes whose daemon pod is available.'),
    column('Node Selector', 'Labels of the nodes that run the daemon pod.'),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
  ],
  (set) => {
    const { spec, status } = set;
    const { desiredNumberScheduled: desired = 0, currentNumberScheduled: current = 0, numberReady: ready = 0 } = status ?? {};
    const counts = [desired, current, ready, status?.updatedNumberScheduled ?? 0, status?.numberAvailable ?? 0];
    const nodes = selectorCell({ matchLabels: spec?.template.spec?.nodeSelector ?? {} });
    return [set.metadata.name ?? '', ...counts, nodes, ageCell(set), ...containerCells(spec?.template), selectorCell(spec?.selector)];
  },
);

/** Columns of StatefulSet. */
export const STATEFUL_SET_COLUMNS = table<StatefulSet>([NAME, column('Ready', 'Number of the pod with ready state'), AGE, CONTAINERS, IMAGES], (set) => {
  const ready = `${String(set.status?.readyReplicas ?? 0)}/${String(set.spec?.replicas ?? 0)}`;
  return [set.metadata.name ?? '', ready, ageCell(set), ...containerCells(set.spec?.template)];
});

/** Columns of Job. */
export const JOB_COLUMNS = table<Job>(
  [
    NAME,
    column('Status', 'Status of the job.'),
    column('Completions', 'The number of finished and wanted pods.'),
    column('Duration', 'Time required to complete the job.'),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
  ],
  (job) => [
    job.metadata.name ?? '',
    jobState(job),
    completionsOf(job),
    durationOf(job),
    ageCell(job),
    ...containerCells(job.spec?.template),
    selectorCell(job.spec?.selector),
  ],
);

/** Conditions that name the state of a job which is not being deleted, the first that is true counts. */
const JOB_STATES: readonly (readonly [condition: string, state: string])[] = [
  ['Suspended', 'Suspended'],
  ['FailureTarget', 'FailureTarget'],
  ['SuccessCriteriaMet', 'SuccessCriteriaMet'],
];

function jobState({ metadata, status }: Job): string {
  const isTrue = (type: string): boolean =>
    (status?.conditions ?? []).some((condition: JobCondition) => condition.type === type && condition.status === 'True');
  if (isTrue('Complete')) return 'Complete';
  if (isTrue('Failed')) return 'Failed';
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  return JOB_STATES.find(([condition]) => isTrue(condition))?.[1] ?? 'Running';
}

function completionsOf({ spec, status }: Job): string {
  const succeeded = String(status?.succeeded ?? 0);
  if (spec?.completions !== undefined) return `${succeeded}/${String(spec.completions)}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${String(parallelism)}` : `${succeeded}/1`;
}

function durationOf({ status }: Job): Cell {
  if (status?.startTime === undefined) return '';
  if (status.completionTime === undefined) return new Age(status.startTime);
  return humanDuration(Date.parse(status.completionTime) - Date.parse(status.startTime));
}

/** Columns of PodDisruptionBudget. */
export const DISRUPTION_BUDGET_COLUMNS = table<PodDisruptionBudget>(
  [
    NAME,
    column('Min Available', 'The minimum number of pods that must be available.'),
    column('Max Unavailable', 'The maximum number of pods that may be unavailable.'),
    integerColumn('Allowed Disruptions', 'Calculated number of pods that may be disrupted at this time.'),
    AGE,
  ],
  (budget) => [
    budget.metadata.name ?? '',
    String(budget.spec?.minAvailable ?? 'N/A'),
    String(budget.spec?.maxUnavailable ?? 'N/A'),
    budget.status?.disruptionsAllowed ?? 0,
    ageCell(budget),
  ],
);
