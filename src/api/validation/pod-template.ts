/** Validation of the templates from which workloads make their pods, and of the selectors that find these again. */
import { type LabelSelector, matchesLabelSelector } from '#machinery';
import { sameValue } from '../object.ts';
import type { PodTemplateSpec } from '../types/core-v1.ts';
import { checkLabelSelector, shownSelector } from './label-selector.ts';
import { checkAnnotations, checkLabels } from './metadata.ts';
import { checkPodSpec } from './pod.ts';
import type { FieldErrors } from './report.ts';

const SELECTOR = 'spec.selector';
const TEMPLATE = 'spec.template';

/** A selector that is there and selects something; whether upstream can select with it. */
export function checkSelector(errors: FieldErrors, selector: LabelSelector | null | undefined, empty: string): boolean {
  if (selector === null || selector === undefined) {
    errors.required(SELECTOR);
    return true;
  }
  const valid = checkLabelSelector(errors, SELECTOR, selector);
  checkNotEmpty(errors, selector, empty);
  return valid;
}

/** A selector that selects something. */
export function checkNotEmpty(errors: FieldErrors, selector: LabelSelector, empty: string): void {
  if (isEmpty(selector)) errors.invalid(SELECTOR, shownSelector(selector), empty);
}

function isEmpty({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length + matchExpressions.length === 0;
}

/** A selector stays as it is. */
export function checkSameSelector(errors: FieldErrors, selector: LabelSelector | null | undefined, old: LabelSelector | null | undefined): void {
  if (!sameValue(selector, old)) errors.invalid(SELECTOR, selector ? shownSelector(selector) : null, 'field is immutable');
}

/** The template's labels are those that the valid selector looks for; no selector matches nothing. */
export function checkMatch(errors: FieldErrors, selector: LabelSelector | null | undefined, template: PodTemplateSpec | undefined): void {
  const labels = template?.metadata?.labels;
  if (!matchesLabelSelector(selector ?? undefined, labels)) {
    errors.invalid(`${TEMPLATE}.metadata.labels`, labels ?? null, '`selector` does not match template `labels`');
  }
}

/** Labels, annotations and spec of a template, whose containers may or may not be privileged (ValidatePodTemplateSpec). */
export function checkTemplate(errors: FieldErrors, template: PodTemplateSpec | undefined, allowPrivileged: boolean): void {
  checkTemplateMetadata(errors, template);
  const spec = template?.spec ?? { containers: [] };
  checkPodSpec(errors, `${TEMPLATE}.spec`, spec, { name: '', allowPrivileged });
  if ((spec.ephemeralContainers ?? []).length > 0) {
    errors.forbidden(`${TEMPLATE}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template');
  }
}

/** Labels and annotations of a template. */
export function checkTemplateMetadata(errors: FieldErrors, template: PodTemplateSpec | undefined): void {
  checkLabels(errors, `${TEMPLATE}.labels`, template?.metadata?.labels);
  checkAnnotations(errors, `${TEMPLATE}.annotations`, template?.metadata?.annotations);
}

/** Pods that are replaced for ever are restarted for ever, too. */
export function checkPermanent(errors: FieldErrors, template: PodTemplateSpec | undefined, kind: string): void {
  const { restartPolicy = '', activeDeadlineSeconds } = template?.spec ?? {};
  if (restartPolicy !== 'Always') errors.notSupported(`${TEMPLATE}.spec.restartPolicy`, restartPolicy, ['Always']);
  if (activeDeadlineSeconds !== undefined) {
    errors.forbidden(`${TEMPLATE}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${kind} is not Supported`);
  }
}
