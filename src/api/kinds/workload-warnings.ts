/** What is warned of in workloads, on create and where an update changes what pods are made of (upstream: the kinds' strategies). */
import type { ApiObject } from '#machinery';
import type { StrategyContext } from '../kind.ts';
import type { StatefulSet } from '../types/apps-v1.ts';
import type { Job } from '../types/batch-v1.ts';
import type { PodTemplateSpec } from '../types/core-v1.ts';
import { TEMPLATE_GENERATION } from '../strategy/workloads.ts';
import { claimWarnings, nameWarnings, podWarnings } from '../validation/pod-warnings.ts';

/** What workloads have in common here. */
interface Templated extends ApiObject {
  readonly spec?: { readonly template?: PodTemplateSpec | undefined } | undefined;
}

function templateWarnings(object: ApiObject, old: ApiObject | undefined): readonly string[] {
  if (old !== undefined && object.metadata.generation === old.metadata.generation) return [];
  // Kinds whose pods come from a template have it there.
  const { spec } = object as Templated;
  return spec?.template === undefined ? [] : podWarnings(spec.template);
}

/** Deployments, ReplicaSets and Jobs: their names become those of pods. */
export function namingWarnings(object: ApiObject, _context: StrategyContext, old?: ApiObject): readonly string[] {
  const names = old === undefined ? nameWarnings(object.metadata.name ?? '', 'Pod names and hostnames') : [];
  return [...names, ...templateWarnings(object, old)];
}

/** DaemonSets, whose templates are counted apart. */
export function daemonSetWarnings(object: ApiObject, _context: StrategyContext, old?: ApiObject): readonly string[] {
  const count = ({ metadata }: ApiObject): string | undefined => metadata.annotations?.[TEMPLATE_GENERATION];
  return old !== undefined && count(object) === count(old) ? [] : templateWarnings(object, old);
}

/** StatefulSets: their claims and histories, too. */
export function statefulSetWarnings(object: ApiObject, _context: StrategyContext, old?: ApiObject): readonly string[] {
  const { volumeClaimTemplates = [], revisionHistoryLimit = 0 } = (object as StatefulSet).spec ?? {};
  const warnings = [...templateWarnings(object, old)];
  volumeClaimTemplates.forEach(({ spec }, index) => {
    // The additional member is upstream's.
    const path = `spec.volumeClaimTemplates[${index}]${old === undefined ? '' : '.Spec'}`;
    if (spec !== undefined) warnings.push(...claimWarnings(spec, path));
  });
  if (revisionHistoryLimit < 0) warnings.push('spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended');
  return warnings;
}

/** batch completionsSoftLimit and parallelismSoftLimitForUnlimitedCompletions. */
const [COMPLETIONS_SOFT_LIMIT, PARALLELISM_SOFT_LIMIT] = [100_000, 10_000];

/** Jobs: so many indexes that their outcomes cannot be kept, too. */
export function jobWarnings(object: ApiObject, context: StrategyContext, old?: ApiObject): readonly string[] {
  const { completionMode, completions = 0, parallelism = 0 } = (object as Job).spec ?? {};
  const isNew = old === undefined || object.metadata.generation !== old.metadata.generation;
  const vast = isNew && completionMode === 'Indexed' && completions > COMPLETIONS_SOFT_LIMIT && parallelism > PARALLELISM_SOFT_LIMIT;
  const indexes = vast
    ? [
        'spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail',
      ]
    : [];
  return [...indexes, ...namingWarnings(object, context, old)];
}
