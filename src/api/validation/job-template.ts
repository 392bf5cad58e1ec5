/** What of a job's template may change while the job is suspended (batch/validation validatePodTemplateUpdate). */
import { sameValue } from '../object.ts';
import type { Job } from '../types/batch-v1.ts';
import type { Affinity, Container, PodSpec, PodTemplateSpec } from '../types/core-v1.ts';
import { goStruct } from './go-struct.ts';
import { isConditionTrue } from './job-status.ts';
import type { FieldErrors } from './report.ts';

const IMMUTABLE = 'field is immutable';

/** Suspended, with no pod left that follows the old template. */
function isMutable({ spec, status }: Job): boolean {
  const stopped = status?.startTime === undefined || isConditionTrue(status.conditions, 'Suspended');
  return spec?.suspend === true && stopped && (status?.active ?? 0) === 0;
}

/** The template of a job stays, but for where its pods go and what they ask for while it is suspended. */
export function checkTemplateUpdate(errors: FieldErrors, template: PodTemplateSpec, job: Job): void {
  const old = job.spec?.template;
  if (old === undefined) return;
  const mutable = isMutable(job);
  const steered = mutable ? withDirectives(old, template) : old;
  if (!mutable || steered.spec === undefined || template.spec === undefined) {
    if (!sameValue(template, steered)) errors.invalid('spec.template', goStruct(template, 'io.k8s.api.core.v1.PodTemplateSpec'), IMMUTABLE);
    return;
  }
  if (!sameValue(template.spec, withResources(steered.spec, template.spec))) {
    errors.invalid('spec.template.spec', goStruct(template.spec, 'io.k8s.api.core.v1.PodSpec'), IMMUTABLE);
  }
}

/** The old template with what steers the scheduler taken from the new one. */
function withDirectives(old: PodTemplateSpec, { metadata, spec }: PodTemplateSpec): PodTemplateSpec {
  const { annotations, labels } = metadata ?? {};
  if (old.spec === undefined || spec === undefined) return old;
  const { nodeSelector, tolerations, schedulingGates } = spec;
  const affinity = withNodeAffinity(old.spec.affinity, spec.affinity);
  return { metadata: { ...old.metadata, annotations, labels }, spec: { ...old.spec, nodeSelector, tolerations, schedulingGates, affinity } };
}

/** Only the part about nodes follows the new one; nothing else of an affinity may come or go. */
function withNodeAffinity(old: Affinity | undefined, next: Affinity | undefined): Affinity | undefined {
  const { nodeAffinity: _steering, ...rest } = old ?? {};
  if (next !== undefined) return { ...rest, nodeAffinity: next.nodeAffinity };
  return Object.values(rest).some((part) => part !== undefined) ? rest : undefined;
}

/** The old spec whose containers ask for what those of the same names in the new one do. */
function withResources(old: PodSpec, next: PodSpec): PodSpec {
  const containers = following(old.containers, next.containers);
  const initContainers = following(old.initContainers, next.initContainers);
  return { ...old, containers: containers ?? [], ...(initContainers !== undefined && { initContainers }) };
}

function following(old: readonly Container[] | undefined, next: readonly Container[] | undefined): readonly Container[] | undefined {
  if (old?.length !== next?.length) return old;
  return old?.map((container, index) => {
    const other = next?.[index];
    return other?.name === container.name ? { ...container, resources: other.resources } : container;
  });
}
