/** What a deployment says about its replica sets: counts, and the conditions Available and Progressing. Pure. */
import type { Deployment, DeploymentStatus, ReplicaSet } from '#api';
import { nameOf } from '#machinery';
import { availableOf, replicasOf, rollingLimits } from './rollout.ts';

type DeploymentCondition = NonNullable<DeploymentStatus['conditions']>[number];

/** The status that follows from the sets; `now` as conditions carry it. */
export function deploymentStatus(deployment: Deployment, current: ReplicaSet, others: readonly ReplicaSet[], now: string): DeploymentStatus {
  const sets = [current, ...others];
  const sum = (count: (set: ReplicaSet) => number): number => sets.reduce((total, set) => total + count(set), 0);
  const replicas = sum((set) => Number(set.status?.replicas ?? 0));
  const available = sum(availableOf);
  const updated = Number(current.status?.replicas ?? 0);
  const wanted = Number(deployment.spec?.replicas ?? 1);
  const isComplete = updated === wanted && replicas === wanted && availableOf(current) === wanted;
  return {
    ...deployment.status,
    observedGeneration: Number(deployment.metadata.generation ?? 0),
    replicas,
    updatedReplicas: updated,
    readyReplicas: sum((set) => Number(set.status?.readyReplicas ?? 0)),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(replicasOf) - available),
    conditions: [
      merged(deployment, availability(available >= wanted - rollingLimits(deployment, wanted).unavailable), now),
      merged(deployment, progress(current, isComplete), now),
    ],
  };
}

function availability(enough: boolean): DeploymentCondition {
  return enough
    ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : { type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable', message: 'Deployment does not have minimum availability.' };
}

function progress(current: ReplicaSet, isComplete: boolean): DeploymentCondition {
  return isComplete
    ? { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message: `ReplicaSet "${nameOf(current)}" has successfully progressed.` }
    : { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message: `ReplicaSet "${nameOf(current)}" is progressing.` };
}

/** Times change with what they date only. */
function merged({ status }: Deployment, condition: DeploymentCondition, now: string): DeploymentCondition {
  const before = status?.conditions?.find(({ type }) => type === condition.type);
  const isSame = before?.status === condition.status && before.reason === condition.reason && before.message === condition.message;
  if (isSame) return before;
  return { ...condition, lastUpdateTime: now, lastTransitionTime: before?.status === condition.status ? (before.lastTransitionTime ?? now) : now };
}
