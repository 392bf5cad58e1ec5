/** Defaults of apps/v1 and batch/v1 that the schema does not tell (upstream: pkg/apis/apps/v1 and batch/v1 defaults.go). */
import type { ApiObject } from '#machinery';
import { TEMPLATE_GENERATION } from '../strategy/workloads.ts';
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet, StatefulSetUpdateStrategy } from '../types/apps-v1.ts';
import type { PersistentVolumeClaim } from '../types/core-v1.ts';
import type { Job, JobSpec, PodFailurePolicy } from '../types/batch-v1.ts';
import { defaultTemplate } from './pod.ts';

/** Upstream's revisionHistoryLimit of all that roll out. */
const REVISION_HISTORY_LIMIT = 10;
const PROGRESS_DEADLINE_SECONDS = 600;
const BACKOFF_LIMIT = 6;
/** With a limit per index there is none in total: math.MaxInt32. */
const NO_BACKOFF_LIMIT = 2 ** 31 - 1;

/** Deployments roll out a quarter at a time. */
export function defaultDeployment(object: ApiObject): ApiObject {
  const { spec, ...deployment } = object as Deployment;
  if (spec === undefined) return object;
  const { type = 'RollingUpdate', rollingUpdate } = spec.strategy ?? {};
  const strategy = type === 'RollingUpdate' ? { type, rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%', ...rollingUpdate } } : { type, rollingUpdate };
  const whole: Deployment = {
    ...deployment,
    spec: {
      ...spec,
      replicas: spec.replicas ?? 1,
      revisionHistoryLimit: spec.revisionHistoryLimit ?? REVISION_HISTORY_LIMIT,
      progressDeadlineSeconds: spec.progressDeadlineSeconds ?? PROGRESS_DEADLINE_SECONDS,
      strategy,
      template: defaultTemplate(spec.template),
    },
  };
  return whole as ApiObject;
}

/** ReplicaSets have one replica. */
export function defaultReplicaSet(object: ApiObject): ApiObject {
  const { spec, ...set } = object as ReplicaSet;
  if (spec === undefined) return object;
  const template = spec.template === undefined ? {} : { template: defaultTemplate(spec.template) };
  const whole: ReplicaSet = { ...set, spec: { ...spec, replicas: spec.replicas ?? 1, ...template } };
  return whole as ApiObject;
}

/** DaemonSets roll out node by node. */
export function defaultDaemonSet(object: ApiObject): ApiObject {
  const { spec, ...set } = object as DaemonSet;
  if (spec === undefined) return object;
  const { type = 'RollingUpdate', rollingUpdate } = spec.updateStrategy ?? {};
  const updateStrategy = type === 'RollingUpdate' ? { type, rollingUpdate: { maxUnavailable: 1, maxSurge: 0, ...rollingUpdate } } : { type, rollingUpdate };
  const { annotations } = set.metadata;
  const whole: DaemonSet = {
    ...set,
    // Whoever writes a set without it writes a zero, which the strategy corrects.
    metadata: { ...set.metadata, annotations: { ...annotations, [TEMPLATE_GENERATION]: annotations?.[TEMPLATE_GENERATION] ?? '0' } },
    spec: { ...spec, revisionHistoryLimit: spec.revisionHistoryLimit ?? REVISION_HISTORY_LIMIT, updateStrategy, template: defaultTemplate(spec.template) },
  };
  return whole as ApiObject;
}

/** StatefulSets start and stop in order and keep their volumes. */
export function defaultStatefulSet(object: ApiObject): ApiObject {
  const { spec, ...set } = object as StatefulSet;
  if (spec === undefined) return object;
  const updateStrategy = defaultStatefulSetStrategy(spec.updateStrategy ?? {});
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = spec.persistentVolumeClaimRetentionPolicy ?? {};
  const whole: StatefulSet = {
    ...set,
    spec: {
      ...spec,
      replicas: spec.replicas ?? 1,
      podManagementPolicy: spec.podManagementPolicy ?? 'OrderedReady',
      revisionHistoryLimit: spec.revisionHistoryLimit ?? REVISION_HISTORY_LIMIT,
      updateStrategy,
      persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled },
      ...(spec.volumeClaimTemplates !== undefined && { volumeClaimTemplates: spec.volumeClaimTemplates.map(defaultClaim) }),
      template: defaultTemplate(spec.template),
    },
  };
  return whole as ApiObject;
}

/** A strategy that is named itself need not roll out in parts. */
function defaultStatefulSetStrategy({ type, rollingUpdate }: StatefulSetUpdateStrategy): StatefulSetUpdateStrategy {
  const named = (type ?? '') as string;
  const rolling = rollingUpdate ?? (named === '' ? {} : undefined);
  if ((named !== '' && named !== 'RollingUpdate') || rolling === undefined) return { type, rollingUpdate };
  return { type: 'RollingUpdate', rollingUpdate: { ...rolling, partition: rolling.partition ?? 0 } };
}

/** Claims in a set are whole objects, which their controller compares. */
function defaultClaim({ metadata, spec, status }: PersistentVolumeClaim): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadata ?? {},
    spec: { ...spec, volumeMode: spec?.volumeMode ?? 'Filesystem' },
    status: { ...status, phase: status?.phase ?? 'Pending' },
  };
}

/** Jobs run once, one pod at a time. */
export function defaultJob(object: ApiObject): ApiObject {
  const { spec, ...job } = object as Job;
  if (spec === undefined) return object;
  const once = spec.completions === undefined && spec.parallelism === undefined ? { completions: 1 } : {};
  const { labels = {} } = job.metadata;
  const inherited = Object.keys(labels).length === 0 ? spec.template.metadata?.labels : undefined;
  const whole: Job = {
    ...job,
    ...(inherited !== undefined && { metadata: { ...job.metadata, labels: inherited } }),
    spec: {
      ...spec,
      ...once,
      parallelism: spec.parallelism ?? 1,
      backoffLimit: spec.backoffLimit ?? (spec.backoffLimitPerIndex === undefined ? BACKOFF_LIMIT : NO_BACKOFF_LIMIT),
      completionMode: spec.completionMode ?? 'NonIndexed',
      suspend: spec.suspend ?? false,
      manualSelector: spec.manualSelector ?? false,
      podReplacementPolicy: spec.podReplacementPolicy ?? replacementOf(spec),
      template: defaultTemplate(spec.template),
      ...(spec.podFailurePolicy !== undefined && { podFailurePolicy: defaultFailurePolicy(spec.podFailurePolicy) }),
    },
  };
  return whole as ApiObject;
}

/** A pattern asks for a condition that is true unless it says otherwise. */
function defaultFailurePolicy(policy: PodFailurePolicy): PodFailurePolicy {
  // A required list that is absent is null.
  const rules = policy.rules as PodFailurePolicy['rules'] | null;
  if (rules === null) return policy;
  const whole = rules.map(({ onPodConditions, ...rule }) =>
    onPodConditions === undefined ? rule : { ...rule, onPodConditions: onPodConditions.map((pattern) => ({ ...pattern, status: pattern.status || 'True' })) },
  );
  return { ...policy, rules: whole };
}

function replacementOf({ podFailurePolicy }: JobSpec): 'Failed' | 'TerminatingOrFailed' {
  return podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
}
