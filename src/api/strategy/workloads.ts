/** What creates and updates of workloads may touch: the status apart, the spec counted, a job's selector generated. */
import type { ApiObject } from '#machinery';
import type { StrategyContext } from '../kind.ts';
import { firstGeneration, nextGeneration, onlyStatus, type SpecAndStatus, withStatus } from '../object.ts';
import type { Job } from '../types/batch-v1.ts';

/** A new object starts with `status`. */
export function createdWith(status: object): (object: ApiObject) => ApiObject {
  return (object) => firstGeneration(withStatus(object, status));
}

/** The main endpoint keeps the status and counts changes of the spec, /status keeps everything else. */
export function updatedWithStatus(object: ApiObject, old: ApiObject, { subresource }: StrategyContext): ApiObject {
  if (subresource === 'status') return onlyStatus(object, old);
  return nextGeneration(withStatus(object, (old as SpecAndStatus).status), old);
}

const CONTROLLER_UID = 'batch.kubernetes.io/controller-uid';

/** A new job selects its pods by its own uid, unless it is managed by hand (registry/batch/job generateSelector). */
export function createdJob(object: ApiObject): ApiObject {
  const job = object as Job;
  if (job.spec === undefined) return firstGeneration(withStatus(job, {}));
  const spec = job.spec.manualSelector === true ? job.spec : withSelector(job, job.spec);
  const labels = job.metadata.labels ?? spec.template.metadata?.labels;
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
