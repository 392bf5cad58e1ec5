/** What creates and updates of workloads may touch: the status apart, the spec counted, a job's selector generated. */
import type { ApiObject } from '#machinery';
import type { StrategyContext } from '../kind.ts';
import { exceptSpec, firstGeneration, nextGeneration, sameValue, type SpecAndStatus, withStatus } from '../object.ts';
import type { DaemonSet, StatefulSet } from '../types/apps-v1.ts';
import type { Job } from '../types/batch-v1.ts';

/** A new object starts with `status`. */
export function createdWith(status: object): (object: ApiObject) => ApiObject {
  return (object) => firstGeneration(withStatus(object, status));
}

/** The main endpoint keeps the status and counts changes of the spec, /status keeps the spec. */
export function updatedWithStatus(object: ApiObject, old: ApiObject, { subresource }: StrategyContext): ApiObject {
  if (subresource === 'status') return exceptSpec(object, old);
  return nextGeneration(withStatus(object, (old as SpecAndStatus).status), old);
}

/** Annotations are copied to ReplicaSets, so that they count as a change, too; /status keeps the labels. */
export function updatedDeployment(object: ApiObject, old: ApiObject, context: StrategyContext): ApiObject {
  const updated = updatedWithStatus(object, old, context);
  const { metadata } = updated;
  if (context.subresource === 'status') return { ...updated, metadata: { ...metadata, labels: old.metadata.labels } };
  if (sameValue(metadata.annotations ?? {}, old.metadata.annotations ?? {})) return updated;
  return { ...updated, metadata: { ...metadata, generation: (old.metadata.generation ?? 0) + 1 } };
}

/** Where DaemonSets tell how often their template has changed (apps/v1 DeprecatedTemplateGeneration). */
export const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

/** A new DaemonSet counts its templates from 1, or from where it is told to. */
export function createdDaemonSet(set: ApiObject): ApiObject {
  return withTemplateGeneration(set, Math.max(1, templateGeneration(set)));
}

/** Each change of the template counts. */
export function updatedDaemonSet(object: ApiObject, old: ApiObject, context: StrategyContext): ApiObject {
  const [{ spec }, before] = [object as DaemonSet, old as DaemonSet];
  const changed = context.subresource === '' && !sameValue(spec?.template, before.spec?.template);
  return withTemplateGeneration(updatedWithStatus(object, old, context), templateGeneration(old) + (changed ? 1 : 0));
}

function templateGeneration({ metadata }: ApiObject): number {
  return Number(metadata.annotations?.[TEMPLATE_GENERATION] ?? 0);
}

function withTemplateGeneration(object: ApiObject, generation: number): ApiObject {
  const annotations = { ...object.metadata.annotations, [TEMPLATE_GENERATION]: String(generation) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

const UNAVAILABLE_GATE = 'MaxUnavailableStatefulSet';

/** A new StatefulSet starts with an empty status. */
export function createdStatefulSet(object: ApiObject, { gates }: StrategyContext): ApiObject {
  const created = createdWith({ replicas: 0, availableReplicas: 0 })(object);
  return gates.get(UNAVAILABLE_GATE) === true ? created : availableOneByOne(created as StatefulSet);
}

/** Without its gate a set may say how many of its pods may be missing only if it did before. */
export function updatedStatefulSet(object: ApiObject, old: ApiObject, context: StrategyContext): ApiObject {
  const inUse = (old as StatefulSet).spec?.updateStrategy?.rollingUpdate?.maxUnavailable !== undefined;
  const kept = inUse || context.gates.get(UNAVAILABLE_GATE) === true || context.subresource === 'status';
  return updatedWithStatus(kept ? object : availableOneByOne(object as StatefulSet), old, context);
}

function availableOneByOne(set: StatefulSet): ApiObject {
  const { updateStrategy } = set.spec ?? {};
  if (set.spec === undefined || updateStrategy?.rollingUpdate === undefined) return set as ApiObject;
  const { maxUnavailable: _dropped, ...rollingUpdate } = updateStrategy.rollingUpdate;
  const plain: StatefulSet = { ...set, spec: { ...set.spec, updateStrategy: { ...updateStrategy, rollingUpdate } } };
  return plain as ApiObject;
}

const CONTROLLER_UID = 'batch.kubernetes.io/controller-uid';

/** A new job selects its pods by its own uid, unless it is managed by hand (registry/batch/job generateSelector). */
export function createdJob(object: ApiObject): ApiObject {
  const job = object as Job;
  if (job.spec === undefined) return firstGeneration(withStatus(job, {}));
  const spec = job.spec.manualSelector === true ? job.spec : withSelector(job, job.spec);
  // Labels that a job was given by default are those of its template, generated ones included: upstream has one map for both.
  const shared = job.metadata.labels === undefined || job.metadata.labels === job.spec.template.metadata?.labels;
  const labels = shared ? spec.template.metadata?.labels : job.metadata.labels;
  const created: Job = { ...job, metadata: { ...job.metadata, ...(labels !== undefined && { labels }) }, spec, status: {} };
  return firstGeneration(created);
}

function withSelector({ metadata }: Job, spec: NonNullable<Job['spec']>): NonNullable<Job['spec']> {
  const { name = '', uid = '' } = metadata;
  const names = { 'job-name': name, 'controller-uid': uid, 'batch.kubernetes.io/job-name': name, [CONTROLLER_UID]: uid };
  const labels = { ...names, ...spec.template.metadata?.labels };
  const matchLabels = { [CONTROLLER_UID]: uid, ...spec.selector?.matchLabels };
  return { ...spec, selector: { ...spec.selector, matchLabels }, template: { ...spec.template, metadata: { ...spec.template.metadata, labels } } };
}
