/** The ReplicaSet controller: keeps as many pods of a template as wanted. Pods without owner are not adopted. */
import { asError } from '#base';
import type { Pod, ReplicaSet } from '#api';
import { EventRecorder, PODS, REPLICA_SETS } from '#client';
import { isNotFound, keyOf, nameOf, namespaceOf } from '#machinery';
import { Controller, type ReconcileResult } from '#reconcile';
import { type ControllerContext, queueFor, synced } from '../controller-context.ts';
import { Expectations } from '../expectations.ts';
import { nextAvailableMs, podFromTemplate, replicaPlan, replicaStatus, sameCounts } from './replicas.ts';

const BY_SET = 'replica-set';
/** Pods created or deleted in one go (upstream: BurstReplicas). */
const BURST = 500;

/** Runs until `signal` aborts. */
export async function runReplicaSetController(context: ControllerContext, signal: AbortSignal): Promise<void> {
  const { client, clock, random, logger, informers } = context;
  const sets = informers.of(REPLICA_SETS);
  const pods = informers.of(PODS);
  pods.addIndex(BY_SET, (pod) => setUidOf(pod) ?? []);
  await synced([sets, pods], signal);
  const queue = queueFor(context, 'replicaset');
  const expectations = new Expectations(clock);
  const events = new EventRecorder({ client, clock, random, logger, component: 'replicaset-controller' });
  const changed = (set: ReplicaSet): void => queue.add(keyOf(set));
  const podChanged = (pod: Pod, tell: (owner: string) => void): void => {
    const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true && reference.kind === 'ReplicaSet');
    if (owner === undefined) return;
    const key = `${namespaceOf(pod)}/${owner.name}`;
    tell(key);
    queue.add(key);
  };
  const arrived = (pod: Pod): void => podChanged(pod, (owner) => expectations.arrived(owner, pod));
  sets.addHandler({ added: changed, updated: (_old, set) => changed(set) });
  pods.addHandler({ added: arrived, updated: (_old, pod) => arrived(pod), deleted: (pod) => podChanged(pod, (owner) => expectations.gone(owner, pod)) });
  const replicator = new Replicator(context, events, expectations);
  const reconcile = async (key: string): Promise<void | ReconcileResult> => {
    const set = sets.lister.get(key);
    if (set === undefined) return undefined;
    const own = (): readonly Pod[] => pods.lister.byIndex(BY_SET, set.metadata.uid ?? '');
    if (set.metadata.deletionTimestamp === undefined && !expectations.isWaiting(key)) await replicator.replicate(set, own());
    return replicator.report(set, own());
  };
  await new Controller({ name: 'replicaset', reconcile, queue, logger }).run(signal);
  await events.flush();
}

function setUidOf(pod: Pod): readonly string[] | undefined {
  const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true && reference.kind === 'ReplicaSet');
  return owner === undefined ? undefined : [owner.uid];
}

/** Carries plans out. */
class Replicator {
  readonly #context: ControllerContext;
  readonly #events: EventRecorder;
  readonly #expectations: Expectations;

  constructor(context: ControllerContext, events: EventRecorder, expectations: Expectations) {
    this.#context = context;
    this.#events = events;
    this.#expectations = expectations;
  }

  /** Rejects when the server refuses a pod. */
  async replicate(set: ReplicaSet, pods: readonly Pod[]): Promise<void> {
    const { create, remove } = replicaPlan(set, pods);
    // One first: if the server refuses it, it would refuse them all.
    if (create > 0) await this.#create(set);
    await Promise.all(Array.from({ length: Math.min(create, BURST) - 1 }, () => this.#create(set)));
    await Promise.all(remove.slice(0, BURST).map((pod) => this.#remove(set, pod)));
  }

  async report(set: ReplicaSet, pods: readonly Pod[]): Promise<void | ReconcileResult> {
    const { client, clock } = this.#context;
    const status = replicaStatus(set, pods, clock.nowMs());
    if (!sameCounts(status, set.status)) {
      await client.updateStatus(REPLICA_SETS, { ...set, status }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }
    const requeueAfterMs = nextAvailableMs(set, pods, clock.nowMs());
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
  }

  async #create(set: ReplicaSet): Promise<void> {
    const template = set.spec?.template ?? {};
    this.#expectations.creating(keyOf(set));
    try {
      const pod = await this.#context.client.create(PODS, podFromTemplate({ apiVersion: 'apps/v1', kind: 'ReplicaSet', object: set }, template));
      this.#expectations.created(keyOf(set), nameOf(pod));
      this.#events.event(set, { type: 'Normal', reason: 'SuccessfulCreate', message: `Created pod: ${nameOf(pod)}` });
    } catch (error) {
      this.#expectations.notCreated(keyOf(set));
      this.#events.event(set, { type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${asError(error).message}` });
      throw error;
    }
  }

  async #remove(set: ReplicaSet, pod: Pod): Promise<void> {
    // Before the call: the informer may tell of a pod that goes at once before the server has answered.
    this.#expectations.deleted(keyOf(set), pod);
    try {
      await this.#context.client.delete(PODS, nameOf(pod), { namespace: namespaceOf(pod), uid: pod.metadata.uid });
      this.#events.event(set, { type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${nameOf(pod)}` });
    } catch (error) {
      this.#expectations.gone(keyOf(set), pod);
      if (isNotFound(error)) return;
      this.#events.event(set, { type: 'Warning', reason: 'FailedDelete', message: `Error deleting: ${asError(error).message}` });
      throw error;
    }
  }
}
