/** Validation of jobs (batch/validation ValidateJob and ValidateJobUpdate). */
import { type ApiObject, matchesLabelSelector } from '#machinery';
import type { FieldError, StrategyContext } from '../kind.ts';
import { sameValue } from '../object.ts';
import type { Job, JobSpec } from '../types/batch-v1.ts';
import { checkNonNegative } from './counts.ts';
import { goStruct } from './go-struct.ts';
import { checkFailurePolicy, checkSuccessPolicy } from './job-policies.ts';
import { checkTemplateUpdate } from './job-template.ts';
import { checkLabelSelector, shownSelector } from './label-selector.ts';
import { dnsLabelProblems, dnsSubdomainProblems } from './names.ts';
import { checkMatch, checkSameSelector, checkTemplate } from './pod-template.ts';
import { byteLength, FieldErrors } from './report.ts';
import { validateJobStatus } from './job-status.ts';

/** batch maxParallelismForIndexedJob, maxFailedIndexesForIndexedJob and completionsSoftLimit. */
const INDEXED_MAX = 100_000;
/** batch parallelismLimitForHighCompletions and maxFailedIndexesLimitForHighCompletions. */
const HIGH_COMPLETIONS_MAX = 10_000;
/** batch maxManagedByLength. */
const MANAGED_BY_MAX_LENGTH = 63;
const PATH_FORMAT = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const PATH = new RegExp(`^${PATH_FORMAT}$`);
const DEFINITION = 'io.k8s.api.batch.v1.';

/** A new job. */
export function validateJob(object: ApiObject, { allowPrivileged = false }: StrategyContext): readonly FieldError[] {
  const errors = new FieldErrors();
  const job = object as Job;
  if (job.spec === undefined) errors.required('spec.template');
  else checkJob(errors, job, job.spec, { prefixed: true, allowPrivileged });
  return errors.list;
}

/** A changed job: upstream checks its spec twice, as that of a new job and as that of a changed one. */
export function validateJobUpdate(object: ApiObject, old: ApiObject, context: StrategyContext): readonly FieldError[] {
  const [job, before] = [object as Job, old as Job];
  if (context.subresource === 'status') return validateJobStatus(job, before);
  const errors = new FieldErrors();
  const { spec } = job;
  if (spec === undefined || before.spec === undefined) return validateJob(object, context);
  const labels = before.spec.template.metadata?.labels ?? {};
  const { allowPrivileged = false } = context;
  checkJob(errors, job, spec, { prefixed: labels[PREFIXED_NAME] !== undefined && labels[PREFIXED_UID] !== undefined, allowPrivileged });
  checkSpec(errors, spec, allowPrivileged);
  checkSpecUpdate(errors, spec, before);
  return errors.list;
}

/** The members of a spec that stay, and the structure of those that are one. */
const FIXED: readonly (readonly [keyof JobSpec, string?])[] = [
  ['completionMode'],
  ['podFailurePolicy', `${DEFINITION}PodFailurePolicy`],
  ['backoffLimitPerIndex'],
  ['managedBy'],
  ['successPolicy', `${DEFINITION}SuccessPolicy`],
];

function checkSpecUpdate(errors: FieldErrors, spec: JobSpec, before: Job): void {
  const old = before.spec;
  if (old === undefined) return;
  checkCompletionsUpdate(errors, spec, old);
  checkSameSelector(errors, spec.selector, old.selector);
  checkTemplateUpdate(errors, spec.template, before);
  for (const [member, structure] of FIXED) {
    const value = spec[member];
    if (sameValue(value, old[member])) continue;
    errors.invalid(`spec.${member}`, structure === undefined || value === undefined ? (value ?? null) : goStruct(value, structure), 'field is immutable');
  }
}

/** Indexed jobs are elastic: completions may follow parallelism (validateCompletions). */
function checkCompletionsUpdate(errors: FieldErrors, spec: JobSpec, old: JobSpec): void {
  const { completions, parallelism } = spec;
  if (completions === old.completions) return;
  if (spec.completionMode !== 'Indexed') return errors.invalid('spec.completions', completions ?? null, 'field is immutable');
  if (completions !== undefined && completions !== parallelism)
    errors.invalid('spec.completions', completions, 'can only be modified in tandem with spec.parallelism');
}

/** Which labels are asked of the template, and whether its containers may be privileged. */
interface Given {
  readonly prefixed: boolean;
  readonly allowPrivileged: boolean;
}

function checkJob(errors: FieldErrors, job: Job, spec: JobSpec, { prefixed, allowPrivileged }: Given): void {
  checkGeneratedSelector(errors, job, prefixed);
  checkSpec(errors, spec, allowPrivileged);
  const { completionMode, completions = 0 } = spec;
  if (completionMode !== 'Indexed' || completions <= 0) return;
  const name = job.metadata.name ?? '';
  const hostname = `${name}-${completions - 1}`;
  if (dnsLabelProblems(hostname).length > 0) errors.invalid('metadata.name', name, `will not able to create pod with invalid DNS label: ${hostname}`);
}

const PREFIXED_UID = 'batch.kubernetes.io/controller-uid';
const PREFIXED_NAME = 'batch.kubernetes.io/job-name';

/** A selector that is not managed by hand is that which the registry generates, and so are the template's labels. */
function checkGeneratedSelector(errors: FieldErrors, { metadata, spec }: Job, prefixed: boolean): void {
  if (spec === undefined || spec.manualSelector === true || !spec.selector) return;
  const { uid = '', name = '' } = metadata;
  if (uid === '') errors.required('metadata.uid');
  const expected = { 'controller-uid': uid, 'job-name': name, ...(prefixed && { [PREFIXED_UID]: uid, [PREFIXED_NAME]: name }) };
  const labels = spec.template.metadata?.labels ?? {};
  for (const [key, value] of Object.entries(expected)) {
    const path = `spec.template.metadata.labels[${key}]`;
    if (labels[key] === undefined) errors.required(path, `must be '${value}'`);
    else if (labels[key] !== value) errors.invalid(path, labels, `must be '${value}'`);
  }
  const selectable = checkLabelSelector(new FieldErrors(), '', spec.selector);
  if (selectable && !matchesLabelSelector(spec.selector, expected))
    errors.invalid('spec.selector', shownSelector(spec.selector), '`selector` not auto-generated');
}

function checkSpec(errors: FieldErrors, spec: JobSpec, allowPrivileged: boolean): void {
  checkNumbers(errors, spec);
  if (spec.managedBy !== undefined) checkManager(errors, 'spec.managedBy', spec.managedBy);
  checkCompletionMode(errors, spec);
  if (spec.podFailurePolicy !== undefined) checkFailurePolicy(errors, spec);
  checkSuccessPolicy(errors, spec);
  checkReplacementPolicy(errors, spec);
  checkTemplate(errors, spec.template, allowPrivileged);
  checkRestartPolicy(errors, spec);
  if (!spec.selector) errors.required('spec.selector');
  const selectable = !spec.selector || checkLabelSelector(errors, 'spec.selector', spec.selector);
  if (selectable) checkMatch(errors, spec.selector, spec.template);
}

function checkNumbers(errors: FieldErrors, spec: JobSpec): void {
  checkNonNegative(errors, 'spec', spec, [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
    'maxFailedIndexes',
  ]);
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    errors.required('spec.backoffLimitPerIndex', 'when maxFailedIndexes is specified');
}

/** A name such as `example.com/controller` (IsDomainPrefixedPath). */
function checkManager(errors: FieldErrors, path: string, manager: string): void {
  if (manager === '') return errors.required(path);
  const slash = manager.indexOf('/');
  const [domain, name] = [manager.slice(0, slash), manager.slice(slash + 1)];
  if (slash < 0 || domain === '' || name === '') errors.invalid(path, manager, 'must be a domain-prefixed path (such as "acme.io/foo")');
  else {
    errors.invalidAll(path, domain, dnsSubdomainProblems(domain));
    if (!PATH.test(name)) errors.invalid(path, name, `Invalid path (regex used for validation is '${PATH_FORMAT}')`);
  }
  if (byteLength(manager) > MANAGED_BY_MAX_LENGTH) errors.tooLong(path, MANAGED_BY_MAX_LENGTH);
}

function checkCompletionMode(errors: FieldErrors, spec: JobSpec): void {
  const { completionMode: mode } = spec;
  if (mode === 'Indexed') return checkIndexed(errors, spec);
  if (mode !== undefined && mode !== 'NonIndexed') return errors.notSupported('spec.completionMode', mode, ['NonIndexed', 'Indexed']);
  for (const member of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
    if (spec[member] !== undefined) errors.invalid(`spec.${member}`, spec[member], 'requires indexed completion mode');
  }
}

function checkIndexed(errors: FieldErrors, { completions, parallelism = 0, maxFailedIndexes: failures, backoffLimitPerIndex }: JobSpec): void {
  const atMost = (max: number): string => `must be less than or equal to ${max}`;
  if (completions === undefined) errors.required('spec.completions', 'when completion mode is Indexed');
  if (parallelism > INDEXED_MAX) errors.invalid('spec.parallelism', parallelism, `${atMost(INDEXED_MAX)} when completion mode is Indexed`);
  if (failures !== undefined && completions !== undefined && failures > completions)
    errors.invalid('spec.maxFailedIndexes', failures, 'must be less than or equal to completions');
  if (failures !== undefined && failures > INDEXED_MAX) errors.invalid('spec.maxFailedIndexes', failures, atMost(INDEXED_MAX));
  if ((completions ?? 0) <= INDEXED_MAX || backoffLimitPerIndex === undefined) return;
  const high = `${atMost(HIGH_COMPLETIONS_MAX)} when completions are above ${INDEXED_MAX} and used with backoff limit per index`;
  if (failures === undefined) errors.required('spec.maxFailedIndexes', `must be specified when completions is above ${INDEXED_MAX}`);
  if (parallelism > HIGH_COMPLETIONS_MAX) errors.invalid('spec.parallelism', parallelism, high);
  if (failures !== undefined && failures > HIGH_COMPLETIONS_MAX) errors.invalid('spec.maxFailedIndexes', failures, high);
}

function checkReplacementPolicy(errors: FieldErrors, { podReplacementPolicy: policy, podFailurePolicy }: JobSpec): void {
  const supported = podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'];
  if (policy !== undefined && !supported.includes(policy)) errors.notSupported('spec.podReplacementPolicy', policy, supported);
}

function checkRestartPolicy(errors: FieldErrors, { template, podFailurePolicy }: JobSpec): void {
  const path = 'spec.template.spec.restartPolicy';
  const policy: string = template.spec?.restartPolicy ?? '';
  if (policy === '' || policy === 'Always') errors.required(path, 'valid values: "OnFailure", "Never"');
  else if (policy !== 'OnFailure' && policy !== 'Never') errors.notSupported(path, policy, ['OnFailure', 'Never']);
  else if (podFailurePolicy !== undefined && policy !== 'Never') errors.invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified');
}
