/** Whether a pod may be evicted: what disruption budgets allow (upstream: registry/core/pod/storage/eviction.go). */
import type { Pod, PodDisruptionBudget } from '#api';
import { conflict, forbidden, matchesLabelSelector } from '#machinery';
import { listPrefix, type Scope } from './catalog.ts';
import { type Core, timestamp } from './options.ts';
import { refusal } from './refusals.ts';
import type { StoredObject } from './registry/object-store.ts';

/** Upstream: MaxDisruptedPodSize. */
const MAX_DISRUPTED_POD_SIZE = 2000;
/** The budget's controller may count between reading and writing it. */
const SPEND_ATTEMPTS = 10;
/** Pods in these phases serve nobody. */
const IDLE_PHASES: ReadonlySet<string> = new Set(['Succeeded', 'Failed', 'Pending']);

/**
 * Takes the eviction from the budget that the pod is under; 429 when it allows none. Budgets that no controller has counted yet, nor
 * ever will where none runs, allow everything: upstream refuses.
 */
export async function spendDisruption(core: Core, pod: Pod, dryRun: boolean): Promise<void> {
  const scope = core.catalog.findAnyVersion('policy', 'poddisruptionbudgets');
  if (scope === undefined || pod.metadata.deletionTimestamp !== undefined || IDLE_PHASES.has(pod.status?.phase ?? '')) return;
  for (let attempt = 1; attempt <= SPEND_ATTEMPTS; attempt++) {
    const [found, ...others] = await budgetsOf(core, scope, pod);
    if (found === undefined) return;
    if (others.length > 0) {
      throw refusal(500, 'InternalError', 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.');
    }
    const budget = found.object as PodDisruptionBudget;
    if ((budget.status?.observedGeneration ?? 0) === 0 || isFree(pod, budget)) return;
    const spent = spend(core, budget, pod);
    if (dryRun || (await core.objects.put(scope, spent, found.revision)) !== undefined) return;
  }
  throw conflict({ group: 'policy', resource: 'poddisruptionbudgets' }, pod.metadata.name ?? '');
}

async function budgetsOf(core: Core, scope: Scope, pod: Pod): Promise<readonly StoredObject[]> {
  const { entries } = await core.objects.store.range({ prefix: listPrefix(scope, pod.metadata.namespace ?? '') });
  const budgets = entries.map((entry) => core.objects.peek(entry));
  // Stored under budgets are budgets.
  return budgets.filter(({ object }) => matchesLabelSelector((object as PodDisruptionBudget).spec?.selector, pod.metadata.labels));
}

/** A pod that is not ready costs nothing where the policy says so, or the healthy ones suffice. */
function isFree({ status }: Pod, { spec, status: counted }: PodDisruptionBudget): boolean {
  const ready = (status?.conditions ?? []).some((condition) => condition.type === 'Ready' && condition.status === 'True');
  if (ready) return false;
  const { currentHealthy = 0, desiredHealthy = 0 } = counted ?? {};
  return spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow' || (desiredHealthy > 0 && currentHealthy >= desiredHealthy);
}

/** The budget with one disruption less. */
function spend(core: Core, budget: PodDisruptionBudget, pod: Pod): PodDisruptionBudget {
  const { metadata, status } = budget;
  const { name = '', generation = 0 } = metadata;
  if (status === undefined || (status.observedGeneration ?? 0) < generation) {
    throw refused(`The disruption budget ${name} is still being processed by the server.`, RETRY_AFTER_SECONDS);
  }
  const { disruptionsAllowed = 0, desiredHealthy = 0, currentHealthy = 0, disruptedPods = {} } = status;
  const resource = { group: 'policy', resource: 'poddisruptionbudgets' };
  if (disruptionsAllowed < 0) throw forbidden(resource, name, 'pdb disruptions allowed is negative');
  if (Object.keys(disruptedPods).length > MAX_DISRUPTED_POD_SIZE) {
    throw forbidden(resource, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller');
  }
  if (disruptionsAllowed === 0) {
    throw refused(`The disruption budget ${name} needs ${String(desiredHealthy)} healthy pods and has ${String(currentHealthy)} currently`);
  }
  const disrupted = { ...disruptedPods, [pod.metadata.name ?? '']: timestamp(core.options.clock.nowMs()) };
  return { ...budget, status: { ...status, disruptionsAllowed: disruptionsAllowed - 1, disruptedPods: disrupted } };
}

const RETRY_AFTER_SECONDS = 10;

function refused(message: string, retryAfterSeconds?: number): Error {
  const details = { causes: [{ reason: 'DisruptionBudget', message }], ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) };
  return refusal(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", details);
}
