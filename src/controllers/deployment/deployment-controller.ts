/** The deployment controller: one replica set per template, scaled so that the newest takes over. */
import type { Deployment, Pod, PodTemplateSpec, ReplicaSet } from '#api';
import { DEPLOYMENTS, EventRecorder, type Informer, PODS, REPLICA_SETS } from '#client';
import { isAlreadyExists, isConflict, keyOf, nameOf, namespaceOf } from '#machinery';
import { Controller } from '#reconcile';
import { type ControllerContext, queueFor, synced } from '../controller-context.ts';
import { sameCounts } from '../replicaset/replicas.ts';
import { deploymentStatus } from './deployment-status.ts';
import { currentSet, nextScalings, replicasOf, type Scaling, TEMPLATE_HASH_LABEL, templateHash } from './rollout.ts';

const BY_DEPLOYMENT = 'deployment';
/** Counts the templates that a deployment has had (deploymentutil.RevisionAnnotation). */
const REVISION = 'deployment.kubernetes.io/revision';
/** Sets of former templates that are kept (apps/v1 default of revisionHistoryLimit). */
const HISTORY_LIMIT = 10;

/** Runs until `signal` aborts. */
export async function runDeploymentController(context: ControllerContext, signal: AbortSignal): Promise<void> {
  const { client, clock, random, logger, informers } = context;
  const deployments = informers.of(DEPLOYMENTS);
  const sets = informers.of(REPLICA_SETS);
  const pods = informers.of(PODS);
  sets.addIndex(BY_DEPLOYMENT, (set) => (set.metadata.ownerReferences ?? []).filter(({ controller }) => controller === true).map(({ uid }) => uid));
  await synced([deployments, sets, pods], signal);
  const queue = queueFor(context, 'deployment');
  const events = new EventRecorder({ client, clock, random, logger, component: 'deployment-controller' });
  const changed = (deployment: Deployment): void => queue.add(keyOf(deployment));
  const setChanged = (set: ReplicaSet): void => {
    const owner = set.metadata.ownerReferences?.find(({ controller, kind }) => controller === true && kind === 'Deployment');
    if (owner !== undefined) queue.add(`${namespaceOf(set)}/${owner.name}`);
  };
  deployments.addHandler({ added: changed, updated: (_old, deployment) => changed(deployment) });
  sets.addHandler({ added: setChanged, updated: (_old, set) => setChanged(set), deleted: setChanged });
  // Recreate waits for the end of pods.
  pods.addHandler({
    deleted: (pod) =>
      deployments.lister
        .list()
        .filter((one) => namespaceOf(one) === namespaceOf(pod))
        .forEach(changed),
  });
  const rollout = new Rollout(context, events);
  const reconcile = async (key: string): Promise<void> => {
    const deployment = deployments.lister.get(key);
    if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) return;
    await rollout.advance(deployment, { sets, pods });
  };
  await new Controller({ name: 'deployment', reconcile, queue, logger }).run(signal);
  await events.flush();
}

interface Views {
  readonly sets: Informer<ReplicaSet>;
  readonly pods: Informer<Pod>;
}

/** Carries steps out. */
class Rollout {
  readonly #context: ControllerContext;
  readonly #events: EventRecorder;

  constructor(context: ControllerContext, events: EventRecorder) {
    this.#context = context;
    this.#events = events;
  }

  async advance(deployment: Deployment, { sets, pods }: Views): Promise<void> {
    const own = sets.lister.byIndex(BY_DEPLOYMENT, deployment.metadata.uid ?? '');
    const current = currentSet(deployment, own) ?? (await this.#create(deployment, own));
    const others = own.filter((set) => set.metadata.uid !== current.metadata.uid);
    const uids = new Set([current, ...others].map((set) => set.metadata.uid));
    const ownPods = pods.lister.list().filter((pod) => (pod.metadata.ownerReferences ?? []).some(({ uid }) => uids.has(uid)));
    for (const scaling of nextScalings(deployment, current, others, ownPods)) await this.#scale(deployment, scaling);
    await this.#report(deployment, current, others);
    await this.#forget(deployment, others);
  }

  /** The set of a template that has none. A set of this name that is another's makes the next try use another name. */
  async #create(deployment: Deployment, own: readonly ReplicaSet[]): Promise<ReplicaSet> {
    const template: PodTemplateSpec = deployment.spec?.template ?? {};
    const collisions = Number(deployment.status?.collisionCount ?? 0);
    const planned = this.#plannedSet(deployment, own, templateHash(template, collisions));
    try {
      return await this.#context.client.create(REPLICA_SETS, planned);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const rival = await this.#context.client.get(REPLICA_SETS, nameOf(planned), namespaceOf(planned));
      const isOwn = (rival.metadata.ownerReferences ?? []).some(({ uid }) => uid === deployment.metadata.uid);
      if (isOwn && currentSet(deployment, [rival]) !== undefined) return rival;
      await this.#context.client.updateStatus(DEPLOYMENTS, { ...deployment, status: { ...deployment.status, collisionCount: collisions + 1 } });
      throw error;
    }
  }

  #plannedSet(deployment: Deployment, own: readonly ReplicaSet[], hash: string): ReplicaSet {
    const template: PodTemplateSpec = deployment.spec?.template ?? {};
    const labels = { ...template.metadata?.labels, [TEMPLATE_HASH_LABEL]: hash };
    const revision = 1 + Math.max(0, ...own.map((set) => Number(set.metadata.annotations?.[REVISION] ?? 0)));
    const reference = { apiVersion: 'apps/v1', kind: 'Deployment', name: nameOf(deployment), uid: deployment.metadata.uid ?? '' };
    const selector = deployment.spec?.selector ?? {};
    return {
      metadata: {
        name: `${nameOf(deployment)}-${hash}`,
        namespace: namespaceOf(deployment),
        labels,
        annotations: { [REVISION]: String(revision) },
        ownerReferences: [{ ...reference, controller: true, blockOwnerDeletion: true }],
      },
      spec: {
        replicas: 0,
        ...(deployment.spec?.minReadySeconds === undefined ? {} : { minReadySeconds: deployment.spec.minReadySeconds }),
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [TEMPLATE_HASH_LABEL]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    };
  }

  async #scale(deployment: Deployment, { set, replicas }: Scaling): Promise<void> {
    const before = replicasOf(set);
    await this.#context.client.update(REPLICA_SETS, { ...set, spec: { ...set.spec, selector: set.spec?.selector ?? {}, replicas } });
    const message = `Scaled ${replicas > before ? 'up' : 'down'} replica set ${nameOf(set)} from ${String(before)} to ${String(replicas)}`;
    this.#events.event(deployment, { type: 'Normal', reason: 'ScalingReplicaSet', message });
  }

  async #report(deployment: Deployment, current: ReplicaSet, others: readonly ReplicaSet[]): Promise<void> {
    const now = `${new Date(this.#context.clock.nowMs()).toISOString().slice(0, 19)}Z`;
    const status = deploymentStatus(deployment, current, others, now);
    const known = deployment.status?.conditions ?? [];
    const isSame = sameCounts(status, deployment.status) && (status.conditions ?? []).every((condition) => known.includes(condition));
    if (isSame) return;
    await this.#context.client.updateStatus(DEPLOYMENTS, { ...deployment, status }).catch((error: unknown) => {
      // The newer deployment is on its way here.
      if (!isConflict(error)) throw error;
    });
  }

  /** Deletes the oldest of the sets that are only kept to go back to. */
  async #forget(deployment: Deployment, others: readonly ReplicaSet[]): Promise<void> {
    const idle = others.filter((set) => replicasOf(set) === 0 && Number(set.status?.replicas ?? 0) === 0 && set.metadata.deletionTimestamp === undefined);
    const surplus = idle.length - Number(deployment.spec?.revisionHistoryLimit ?? HISTORY_LIMIT);
    if (surplus <= 0) return;
    const revisionOf = (set: ReplicaSet): number => Number(set.metadata.annotations?.[REVISION] ?? 0);
    const oldest = [...idle].sort((a, b) => revisionOf(a) - revisionOf(b)).slice(0, surplus);
    for (const set of oldest) await this.#context.client.delete(REPLICA_SETS, nameOf(set), { namespace: namespaceOf(set), uid: set.metadata.uid });
  }
}
