/** What a terminating namespace says about the progress of its deletion: upstream's conditions (namespace/deletion/status_condition_utils.go). Pure. */
import type { Condition } from '#machinery';

/** What is left of one resource in the namespace. */
export interface Remaining {
  /** `pods`, `resourceclaims.resource.k8s.io`. */
  readonly resource: string;
  readonly count: number;
  /** Objects by the finalizer that they wait for. */
  readonly finalizers: ReadonlyMap<string, number>;
}

/** How a round of deletion went. */
export interface DeletionProgress {
  readonly remaining: readonly Remaining[];
  /** Why resources could not be listed or deleted. */
  readonly contentErrors: readonly string[];
  /** Why it is not known which resources there are. */
  readonly discoveryError?: string | undefined;
}

type NamespaceCondition = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** All conditions in upstream's order. */
export function namespaceConditions(progress: DeletionProgress): readonly NamespaceCondition[] {
  const { remaining, contentErrors, discoveryError } = progress;
  const left = remaining.filter(({ count }) => count > 0).sort(byResource);
  const finalizers = sumOfFinalizers(left);
  return [
    condition('NamespaceDeletionDiscoveryFailure', discoveryError, {
      bad: 'DiscoveryFailed',
      good: 'ResourcesDiscovered',
      text: 'All resources successfully discovered',
    }),
    condition('NamespaceDeletionGroupVersionParsingFailure', undefined, {
      bad: 'GroupVersionParsingFailed',
      good: 'ParsedGroupVersions',
      text: 'All legacy kube types successfully parsed',
    }),
    condition('NamespaceDeletionContentFailure', contentErrors.length === 0 ? undefined : contentErrors.join(', '), {
      bad: 'ContentDeletionFailed',
      good: 'ContentDeleted',
      text: 'All content successfully deleted, may be waiting on finalization',
    }),
    condition('NamespaceContentRemaining', left.length === 0 ? undefined : `Some resources are remaining: ${left.map(countText).join(', ')}`, {
      bad: 'SomeResourcesRemain',
      good: 'ContentRemoved',
      text: 'All content successfully removed',
    }),
    condition('NamespaceFinalizersRemaining', finalizers, {
      bad: 'SomeFinalizersRemain',
      good: 'ContentHasNoFinalizers',
      text: 'All content-preserving finalizers finished',
    }),
  ];
}

function condition(
  type: string,
  problem: string | undefined,
  { bad, good, text }: { readonly bad: string; readonly good: string; readonly text: string },
): NamespaceCondition {
  return problem === undefined ? { type, status: 'False', reason: good, message: text } : { type, status: 'True', reason: bad, message: problem };
}

function countText({ resource, count }: Remaining): string {
  return `${resource} has ${String(count)} resource instances`;
}

function sumOfFinalizers(left: readonly Remaining[]): string | undefined {
  const sums = new Map<string, number>();
  for (const { finalizers } of left) for (const [name, count] of finalizers) sums.set(name, (sums.get(name) ?? 0) + count);
  if (sums.size === 0) return undefined;
  const texts = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${name} in ${String(count)} resource instances`);
  return `Some content in the namespace has finalizers remaining: ${texts.join(', ')}`;
}

function byResource(a: Remaining, b: Remaining): number {
  return a.resource < b.resource ? -1 : 1;
}
