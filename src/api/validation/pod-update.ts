/** Validation of changed pods: most of a pod's spec is fixed (core/validation ValidatePodUpdate). */
import type { ApiObject } from '#machinery';
import type { FieldError, StrategyContext } from '../kind.ts';
import { sameValue } from '../object.ts';
import type { Affinity, Container, NodeSelectorTerm, Pod, PodSpec, Toleration } from '../types/core-v1.ts';
import { goStruct } from './go-struct.ts';
import { checkPod, surroundings } from './pod.ts';
import { inclusiveRange } from './pod-names.ts';
import { checkTolerations } from './pod-placement.ts';
import { checkPodStatus } from './pod-status.ts';
import { FieldErrors } from './report.ts';

const INT32_MAX = 2 ** 31 - 1;

/** What an update of a pod's spec may change: images, deadlines, additions to tolerations, fewer scheduling gates. */
export function validatePodUpdate(object: ApiObject, old: ApiObject, context: StrategyContext): readonly FieldError[] {
  const errors = new FieldErrors();
  const [pod, before] = [object as Pod, old as Pod];
  if (context.subresource === 'status') {
    checkPodStatus(errors, pod, before);
    return errors.list;
  }
  if (pod.spec === undefined || before.spec === undefined) return errors.list;
  checkPod(errors, pod.spec, surroundings(object, context));
  checkChanges(errors, pod.spec, before.spec);
  return errors.list;
}

function checkChanges(errors: FieldErrors, spec: PodSpec, old: PodSpec): void {
  for (const member of ['containers', 'initContainers'] as const) {
    const [now, then] = [spec[member] ?? [], old[member] ?? []];
    if (now.length !== then.length) return errors.forbidden(`spec.${member}`, 'pod updates may not add or remove containers');
    now.forEach(({ image = '' }, index) => {
      if (image === '') errors.required(`spec.${member}[${index}].image`);
      if (image.trim() !== image) errors.invalid(`spec.${member}[${index}].image`, image, 'must not have leading or trailing whitespace');
    });
  }
  if (!checkDeadline(errors, spec.activeDeadlineSeconds, old.activeDeadlineSeconds)) return;
  checkAddedTolerations(errors, spec.tolerations ?? [], old.tolerations ?? []);
  const gates = new Set(old.schedulingGates?.map(({ name }) => name));
  spec.schedulingGates?.forEach(({ name }, index) => {
    if (gates.has(name)) return;
    errors.forbidden(`spec.schedulingGates[${index}].name`, `only deletion is allowed, but found new scheduling gate '${name}'`);
  });
  checkFixed(errors, spec, old);
}

/** A deadline may be set, and shortened; whether the rest is worth looking at. */
function checkDeadline(errors: FieldErrors, seconds: number | undefined, old: number | undefined): boolean {
  const path = 'spec.activeDeadlineSeconds';
  const before = errors.list.length;
  if (seconds === undefined) {
    if (old !== undefined) errors.invalid(path, null, 'must not update from a positive integer to nil value');
    return true;
  }
  if (seconds < 0 || seconds > INT32_MAX) errors.invalid(path, seconds, inclusiveRange(0, INT32_MAX));
  else if (old !== undefined && old < seconds) errors.invalid(path, seconds, 'must be less than or equal to previous value');
  return errors.list.length === before;
}

function checkAddedTolerations(errors: FieldErrors, tolerations: readonly Toleration[], old: readonly Toleration[]): void {
  const timeless = ({ key, operator, value, effect }: Toleration): string => JSON.stringify([key, operator, value, effect]);
  const now = new Set(tolerations.map(timeless));
  const kept = old.every((toleration) => now.has(timeless(toleration)));
  if (!kept) errors.forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds');
  else checkTolerations(errors, 'spec.tolerations', tolerations);
}

const FIXED =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

function checkFixed(errors: FieldErrors, spec: PodSpec, old: PodSpec): void {
  const gated = (old.schedulingGates ?? []).length > 0 && !sameValue(spec, old);
  if (gated) checkNarrowed(errors, spec, old);
  const rest = withMutableFrom(spec, old);
  if (!sameValue(gated ? withPlaceFrom(rest, old) : rest, old)) errors.forbidden('spec', FIXED);
}

/** While gates hold a pod, its choice of nodes may be narrowed. */
function checkNarrowed(errors: FieldErrors, { nodeSelector = {}, affinity }: PodSpec, old: PodSpec): void {
  if (Object.entries(old.nodeSelector ?? {}).some(([key, value]) => nodeSelector[key] !== value))
    errors.invalid('spec.nodeSelector', nodeSelector, 'only additions to spec.nodeSelector are allowed (no mutations or deletions)');
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
  const [terms, before] = [termsOf(affinity), termsOf(old.affinity)];
  if (before.length === 0) return;
  const shown = (term: NodeSelectorTerm): unknown => goStruct(term, 'io.k8s.api.core.v1.NodeSelectorTerm');
  if (terms.length !== before.length) return errors.invalid(path, terms.map(shown), 'no additions/deletions to non-empty NodeSelectorTerms list are allowed');
  terms.forEach((term, index) => {
    if (!extendsTerm(term, before[index] ?? {})) errors.invalid(`${path}[${index}]`, shown(term), 'only additions are allowed (no mutations or deletions)');
  });
}

function termsOf(affinity: Affinity | undefined): readonly NodeSelectorTerm[] {
  return affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
}

/** Whether a term requires all that the old one did; one that required nothing stays so. */
function extendsTerm(term: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const members = ['matchExpressions', 'matchFields'] as const;
  if (members.every((member) => (old[member] ?? []).length === 0)) return sameValue(term, old);
  return members.every((member) => (old[member] ?? []).every((requirement, index) => sameValue(requirement, term[member]?.[index])));
}

/** The spec with the old choice of nodes. */
function withPlaceFrom(spec: PodSpec, { nodeSelector, affinity }: PodSpec): PodSpec {
  const { nodeAffinity: _affinity, ...others } = spec.affinity ?? {};
  const bare = Object.keys(others).length === 0 && affinity === undefined;
  return { ...spec, nodeSelector, affinity: bare ? undefined : { ...others, nodeAffinity: affinity?.nodeAffinity } };
}

/** The new spec with everything that may change taken from the old one: what is left must be equal. */
function withMutableFrom(spec: PodSpec, old: PodSpec): PodSpec {
  const images = (next: readonly Container[] | undefined, past: readonly Container[] | undefined) =>
    next?.map((container, index) => ({ ...container, image: past?.[index]?.image }));
  const { terminationGracePeriodSeconds: grace } = old;
  return {
    ...spec,
    containers: images(spec.containers, old.containers) ?? [],
    initContainers: images(spec.initContainers, old.initContainers),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    tolerations: old.tolerations,
    schedulingGates: old.schedulingGates,
    ...((grace ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1 && { terminationGracePeriodSeconds: grace }),
  };
}
