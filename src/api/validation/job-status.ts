/** Validation of what controllers report of jobs (batch/validation ValidateJobUpdateStatus): rules that hold for what a write changes. */
import { sameValue } from '../object.ts';
import type { FieldError } from '../kind.ts';
import type { Job, JobCondition, JobStatus } from '../types/batch-v1.ts';
import { checkNonNegative } from './counts.ts';
import { goStruct } from './go-struct.ts';
import { indexesOf, sharedIndex } from './job-indexes.ts';
import { FieldErrors } from './report.ts';

/** Whether the condition is there and true. */
export function isConditionTrue(conditions: readonly JobCondition[] | undefined, type: string): boolean {
  return (conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');
}

/** A job as its status tells it. */
interface Told {
  readonly job: Job;
  readonly status: JobStatus;
  readonly complete: boolean;
  readonly failed: boolean;
  readonly failing: boolean;
  readonly succeeded: boolean;
  readonly finished: boolean;
  readonly indexed: boolean;
}

function told(job: Job): Told {
  const status = job.status ?? {};
  const [complete, failed] = [isConditionTrue(status.conditions, 'Complete'), isConditionTrue(status.conditions, 'Failed')];
  const [failing, succeeded] = [isConditionTrue(status.conditions, 'FailureTarget'), isConditionTrue(status.conditions, 'SuccessCriteriaMet')];
  return { job, status, complete, failed, failing, succeeded, finished: complete || failed, indexed: job.spec?.completionMode === 'Indexed' };
}

const CONDITIONS = 'status.conditions';

/** A changed status. */
export function validateJobStatus(job: Job, old: Job): readonly FieldError[] {
  const errors = new FieldErrors();
  const [next, before] = [told(job), told(old)];
  checkNonNegative(errors, 'status', next.status, ['active', 'succeeded', 'failed', 'ready', 'terminating']);
  checkUncounted(errors, next.status);
  checkOutcome(errors, next, before);
  checkTimes(errors, next, before);
  checkPods(errors, next, before);
  checkIndexes(errors, next, before);
  checkCriteria(errors, next);
  checkProgress(errors, next, before);
  return errors.list;
}

/** Pods that are finished and not counted yet, each once. */
function checkUncounted(errors: FieldErrors, { uncountedTerminatedPods: pods }: JobStatus): void {
  const seen = new Set<string>();
  for (const member of ['succeeded', 'failed'] as const) {
    (pods?.[member] ?? []).forEach((uid, index) => {
      const at = `status.uncountedTerminatedPods.${member}[${index}]`;
      if (uid === '') errors.invalid(at, uid, 'must not be empty');
      else if (seen.has(uid)) errors.duplicate(at, uid);
      seen.add(uid);
    });
  }
}

/** A job ends in one way, and says first that it will. */
function checkOutcome(errors: FieldErrors, next: Told, before: Told): void {
  const completing = next.complete !== before.complete;
  if (next.complete && next.failed && (completing || next.failed !== before.failed))
    errors.invalidWhole(CONDITIONS, 'cannot set Complete=True and Failed=true conditions');
  if (next.complete && next.failing && (completing || next.failing !== before.failing))
    errors.invalidWhole(CONDITIONS, 'cannot set Complete=True and FailureTarget=true conditions');
  const failingNow = next.failed !== before.failed || next.status.failedIndexes !== before.status.failedIndexes;
  if (next.failed && !next.failing && failingNow) errors.invalidWhole(CONDITIONS, 'cannot set Failed=True condition without the FailureTarget=true condition');
  if (next.complete && !next.succeeded && (completing || next.succeeded !== before.succeeded))
    errors.invalidWhole(CONDITIONS, 'cannot set Complete=True condition without the SuccessCriteriaMet=true condition');
}

function checkTimes(errors: FieldErrors, { status, complete, finished, job }: Told, before: Told): void {
  const { startTime, completionTime } = status;
  const [startChanged, endChanged] = [startTime !== before.status.startTime, completionTime !== before.status.completionTime];
  const completing = complete !== before.complete || endChanged;
  const path = 'status.completionTime';
  if (completing && completionTime !== undefined && !complete)
    errors.invalid(path, completionTime, 'cannot set completionTime when there is no Complete=True condition');
  if (completing && completionTime === undefined && complete) errors.required(path, 'completionTime is required for Complete jobs');
  if ((startChanged || endChanged) && startTime !== undefined && completionTime !== undefined && completionTime < startTime)
    errors.invalid(path, completionTime, 'must be equal to or after `startTime`');
  const idle = job.spec?.suspend === true && job.spec.completions === 0;
  if (startTime === undefined && finished && !idle && (finished !== before.finished || startChanged))
    errors.required('status.startTime', 'startTime is required for finished job');
}

/** A job that has ended has no pods left, and only pods that are active are ready. */
function checkPods(errors: FieldErrors, { status, finished }: Told, before: Told): void {
  const finishing = finished !== before.finished;
  const { active = 0, ready, terminating, uncountedTerminatedPods: pods } = status;
  const activeChanged = active !== (before.status.active ?? 0);
  if (active > 0 && finished && (finishing || activeChanged)) errors.invalid('status.active', active, 'active>0 is invalid for finished job');
  const uncounted = (pods?.failed ?? []).length + (pods?.succeeded ?? []).length;
  if (finished && uncounted > 0 && (finishing || !sameValue(pods, before.status.uncountedTerminatedPods)))
    errors.invalid('status.uncountedTerminatedPods', goStruct(pods, 'io.k8s.api.batch.v1.UncountedTerminatedPods'), 'must be empty for finished job');
  if (terminating !== undefined && terminating > 0 && finished && (finishing || terminating !== before.status.terminating))
    errors.invalid('status.terminating', terminating, 'terminating>0 is invalid for finished job');
  if (ready !== undefined && ready > active && (activeChanged || ready !== before.status.ready))
    errors.invalid('status.ready', ready, 'cannot set more ready pods than active');
}

function checkIndexes(errors: FieldErrors, { job, status, indexed }: Told, before: Told): void {
  const { completions, backoffLimitPerIndex } = job.spec ?? {};
  const { completedIndexes: completed = '', failedIndexes: failed } = status;
  const completedChanged = completed !== (before.status.completedIndexes ?? '');
  const failedChanged = failed !== before.status.failedIndexes;
  const [at, failedAt] = ['status.completedIndexes', 'status.failedIndexes'];
  const problem = (text: string): string | undefined => (completions === undefined ? undefined : indexesOf(text, completions).problem);
  const [completedProblem, failedProblem] = [problem(completed), backoffLimitPerIndex === undefined ? undefined : problem(failed ?? '')];
  if (completedChanged && completedProblem !== undefined) errors.invalid(at, completed, `error parsing completedIndexes: ${completedProblem}`);
  if (failedChanged && failedProblem !== undefined) errors.invalid(failedAt, failed, `error parsing failedIndexes: ${failedProblem}`);
  if (completedChanged && completed !== '' && !indexed) errors.invalid(at, completed, 'cannot set non-empty completedIndexes when non-indexed completion mode');
  if (failedChanged && failed !== undefined && backoffLimitPerIndex === undefined)
    errors.invalid(failedAt, failed, 'cannot set non-null failedIndexes when backoffLimitPerIndex is null');
  if (completions === undefined || failed === undefined || !(failedChanged || completedChanged)) return;
  const shared = sharedIndex(completed, failed, completions);
  if (shared !== undefined) errors.invalid(failedAt, failed, `failedIndexes and completedIndexes overlap at index: ${shared}`);
}

/** What goes with having met the criteria of success. */
function checkCriteria(errors: FieldErrors, { job, succeeded, failed, failing, complete }: Told): void {
  if (succeeded && failed) errors.invalidWhole(CONDITIONS, 'cannot set SuccessCriteriaMet=True and Failed=true conditions');
  if (succeeded && failing) errors.invalidWhole(CONDITIONS, 'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions');
  if (job.spec?.successPolicy !== undefined && !succeeded && complete)
    errors.invalidWhole(CONDITIONS, 'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True');
}

/** Nothing that was reached is taken back. */
function checkProgress(errors: FieldErrors, next: Told, before: Told): void {
  for (const [member, type] of [
    ['failed', 'Failed'],
    ['complete', 'Complete'],
    ['failing', 'FailureTarget'],
  ] as const) {
    if (before[member] && !next[member]) errors.invalidWhole(CONDITIONS, `cannot disable the terminal ${type}=True condition`);
  }
  checkCounters(errors, next, before);
  checkMoments(errors, next, before);
  if (before.succeeded && !next.succeeded) errors.invalidWhole(CONDITIONS, 'cannot disable the SuccessCriteriaMet=True condition');
  if (before.complete && !before.succeeded && next.succeeded)
    errors.invalidWhole(CONDITIONS, 'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions');
}

/** Jobs whose completions follow their parallelism can be scaled down. */
function checkCounters(errors: FieldErrors, { job, status, indexed }: Told, before: Told): void {
  const elastic = indexed && job.spec?.completions === job.spec?.parallelism;
  for (const member of ['failed', 'succeeded'] as const) {
    const value = status[member] ?? 0;
    if (value >= (before.status[member] ?? 0) || (member === 'succeeded' && elastic)) continue;
    errors.invalid(`status.${member}`, value, `cannot decrease the ${member} counter`);
  }
}

function checkMoments(errors: FieldErrors, { job, status }: Told, { status: old }: Told): void {
  const { startTime, completionTime } = status;
  if (completionTime !== undefined && old.completionTime !== undefined && completionTime !== old.completionTime)
    errors.invalid('status.completionTime', completionTime, 'field is immutable');
  const suspended = (of: JobStatus, value: string): boolean => (of.conditions ?? []).some((each) => each.type === 'Suspended' && each.status === value);
  const resuming = suspended(old, 'True') && suspended(status, 'False');
  if (old.startTime !== undefined && old.startTime !== startTime && job.spec?.suspend !== true && !resuming)
    errors.invalid('status.startTime', startTime ?? null, 'field is immutable for unsuspended job once set');
}
