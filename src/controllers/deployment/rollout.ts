/** How a deployment gets from its old replica sets to the new one: pure (upstream: deployment/rolling.go, recreate.go). */
import type { Deployment, Pod, PodTemplateSpec, ReplicaSet } from '#api';
import { nameOf, parseJson, sameJson, stringifyJson } from '#machinery';

/** Tells the replica sets and pods of one template from those of another (apps/v1: DefaultDeploymentUniqueLabelKey). */
export const TEMPLATE_HASH_LABEL = 'pod-template-hash';

/** One replica set to be scaled. */
export interface Scaling {
  readonly set: ReplicaSet;
  readonly replicas: number;
}

/** The next step: the sets to scale at once. `current` is the set of the deployment's template; `pods` are those of all its sets. */
export function nextScalings(deployment: Deployment, current: ReplicaSet, others: readonly ReplicaSet[], pods: readonly Pod[]): readonly Scaling[] {
  const wanted = Number(deployment.spec?.replicas ?? 1);
  const old = others.filter((set) => replicasOf(set) > 0).sort(byAge);
  if (deployment.spec?.paused === true) {
    const active = [current, ...old].filter((set) => replicasOf(set) > 0);
    const only = active.length > 1 ? undefined : (active[0] ?? current);
    return only === undefined || replicasOf(only) === wanted ? [] : [{ set: only, replicas: wanted }];
  }
  if (deployment.spec?.strategy?.type === 'Recreate') return recreate(current, old, { wanted, pods });
  return roll(deployment, current, old, wanted);
}

/** The set whose template is the deployment's; of several the oldest. */
export function currentSet({ spec }: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return [...sets].sort(byAge).find((set) => sameTemplate(set.spec?.template, spec?.template));
}

/** A short text for the template: equal templates have equal texts. `collisions` leads to another one. */
export function templateHash(template: PodTemplateSpec, collisions: number): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(`${stringifyJson(template)}${String(collisions)}`)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return [...String(hash)].map((digit) => SAFE_LETTERS.charAt(digit.charCodeAt(0) % SAFE_LETTERS.length)).join('');
}

/** Letters that spell no words (apimachinery rand: SafeEncodeString). */
const SAFE_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/** How many more and how many fewer pods than wanted there may be during an update; both 0 would never end. */
export function rollingLimits({ spec }: Deployment, wanted: number): { readonly surge: number; readonly unavailable: number } {
  if (spec?.strategy?.type === 'Recreate') return { surge: 0, unavailable: wanted };
  const { maxSurge = '25%', maxUnavailable = '25%' } = spec?.strategy?.rollingUpdate ?? {};
  const surge = scaled(maxSurge, wanted, Math.ceil);
  const unavailable = Math.min(wanted, scaled(maxUnavailable, wanted, Math.floor));
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** spec.replicas of a set. */
export function replicasOf({ spec }: ReplicaSet): number {
  return Number(spec?.replicas ?? 1);
}

/** Pods of a set that are available. */
export function availableOf({ status }: ReplicaSet): number {
  return Number(status?.availableReplicas ?? 0);
}

/** Nothing new runs before everything old has ended. */
function recreate(
  current: ReplicaSet,
  old: readonly ReplicaSet[],
  { wanted, pods }: { readonly wanted: number; readonly pods: readonly Pod[] },
): readonly Scaling[] {
  if (old.length > 0) return old.map((set) => ({ set, replicas: 0 }));
  const hash = current.metadata.labels?.[TEMPLATE_HASH_LABEL];
  const isOver = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';
  if (pods.some((pod) => pod.metadata.labels?.[TEMPLATE_HASH_LABEL] !== hash && !isOver(pod))) return [];
  return replicasOf(current) === wanted ? [] : [{ set: current, replicas: wanted }];
}

function roll(deployment: Deployment, current: ReplicaSet, old: readonly ReplicaSet[], wanted: number): readonly Scaling[] {
  const { surge, unavailable } = rollingLimits(deployment, wanted);
  const now = replicasOf(current);
  const total = now + old.reduce((sum, set) => sum + replicasOf(set), 0);
  if (now > wanted) return [{ set: current, replicas: wanted }];
  const room = Math.min(wanted + surge - total, wanted - now);
  if (room > 0) return [{ set: current, replicas: now + room }];
  return scaleDown(current, old, { total, leastAvailable: wanted - unavailable });
}

/** Old pods that are not available go first, then available ones as far as enough stay. */
function scaleDown(
  current: ReplicaSet,
  old: readonly ReplicaSet[],
  { total, leastAvailable }: { readonly total: number; readonly leastAvailable: number },
): readonly Scaling[] {
  let spare = total - leastAvailable - (replicasOf(current) - availableOf(current));
  let available = availableOf(current) + old.reduce((sum, set) => sum + availableOf(set), 0) - leastAvailable;
  const scalings: Scaling[] = [];
  for (const set of old) {
    if (spare <= 0) break;
    const sick = Math.min(replicasOf(set) - Math.min(availableOf(set), replicasOf(set)), spare);
    const well = Math.max(0, Math.min(replicasOf(set) - sick, available, spare - sick));
    spare -= sick + well;
    available -= well;
    if (sick + well > 0) scalings.push({ set, replicas: replicasOf(set) - sick - well });
  }
  return scalings;
}

function sameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean {
  return sameJson(plain(a), plain(b));
}

/** The template without the label that tells sets apart. */
function plain(template: PodTemplateSpec | undefined): ReturnType<typeof parseJson> {
  const { [TEMPLATE_HASH_LABEL]: _hash, ...labels } = template?.metadata?.labels ?? {};
  return parseJson(stringifyJson({ ...template, metadata: { ...template?.metadata, labels } }));
}

function scaled(value: number | string, of: number, round: (amount: number) => number): number {
  const percent = typeof value === 'string' && value.endsWith('%') ? Number(value.slice(0, -1)) : undefined;
  return percent === undefined ? Number(value) : round((percent * of) / 100);
}

function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const created = ({ metadata }: ReplicaSet): number => Date.parse(metadata.creationTimestamp ?? '') || 0;
  return created(a) - created(b) || (nameOf(a) < nameOf(b) ? -1 : 1);
}
