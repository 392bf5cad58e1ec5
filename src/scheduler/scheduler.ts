/** The scheduler: takes pods from the queue, decides, and carries decisions out in the background. */
import { featuresFromGates, Ledger, PoolIndex } from '#allocator';
import { asError, type Clock, type Logger, type Random, sleep } from '#base';
import type { DeviceClass, Node, Pod, ResourceClaim, ResourceSlice } from '#api';
import { DEVICE_CLASSES, EventRecorder, Informer, NODES, PODS, RESOURCE_CLAIMS, RESOURCE_SLICES, type Resource, type RestClient } from '#client';
import { type ApiObject, isNotFound, keyOf, nameOf, namespaceOf, stringifyJson } from '#machinery';
import { bindingState, hasBindingConditions } from './binding-conditions.ts';
import { ClaimBinder } from './claim-binder.ts';
import { ClaimCache } from './claim-cache.ts';
import { type ClaimPlan, decide, type Decision, type Snapshot } from './decide.ts';
import { isFinished, NodeCache } from './node-cache.ts';
import { claimKeysOf, resolveClaims } from './pod-claims.ts';
import { SchedulingQueue } from './scheduling-queue.ts';

/** What the scheduler needs. It runs until `signal` aborts. */
export interface SchedulerOptions {
  readonly client: RestClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly gates: ReadonlyMap<string, boolean>;
  readonly signal: AbortSignal;
  /** How long devices may take to become ready (DynamicResourcesArgs.bindingTimeout: 600 s). */
  readonly bindingTimeoutMs?: number | undefined;
  /** The spec.schedulerName that this scheduler answers to. */
  readonly schedulerName?: string | undefined;
}

const DEFAULT_SCHEDULER_NAME = 'default-scheduler';
const DEFAULT_BINDING_TIMEOUT_MS = 600_000;
/** How often devices with binding conditions are looked at. */
const BINDING_POLL_MS = 5_000;
/** Pods being bound at a time; further decisions wait. */
const BINDINGS_MAX = 100;
/** Decisions in a row before other work in this thread gets its turn. */
const DECISION_SLICE_MS = 10;

/** Schedules pods until `options.signal` aborts. */
export async function runScheduler(options: SchedulerOptions): Promise<void> {
  await new Scheduler(options).run();
}

type Placement = Extract<Decision, { kind: 'place' }>;
type Refusal = Extract<Decision, { kind: 'refused' }>;

class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #name: string;
  readonly #bindingTimeoutMs: number;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #claims: Informer<ResourceClaim>;
  readonly #slices: Informer<ResourceSlice>;
  readonly #classes: Informer<DeviceClass>;
  readonly #pools = new PoolIndex();
  readonly #ledger = new Ledger();
  readonly #claimCache: ClaimCache;
  readonly #nodeCache = new NodeCache();
  readonly #queue: SchedulingQueue;
  readonly #binder: ClaimBinder;
  readonly #events: EventRecorder;
  readonly #background = new Set<Promise<void>>();
  #nodeList: readonly Node[] | undefined;
  #firstNode = 0;

  constructor(options: SchedulerOptions) {
    const { client, clock, random, logger } = options;
    this.#options = options;
    this.#name = options.schedulerName ?? DEFAULT_SCHEDULER_NAME;
    this.#bindingTimeoutMs = options.bindingTimeoutMs ?? DEFAULT_BINDING_TIMEOUT_MS;
    this.#pods = this.#informer(PODS);
    this.#nodes = this.#informer(NODES);
    this.#claims = this.#informer(RESOURCE_CLAIMS);
    this.#slices = this.#informer(RESOURCE_SLICES);
    this.#classes = this.#informer(DEVICE_CLASSES);
    this.#claimCache = new ClaimCache(this.#claims.lister, this.#ledger);
    this.#queue = new SchedulingQueue(clock, (pod) => this.#isReady(pod));
    this.#binder = new ClaimBinder({ client, cache: this.#claimCache, clock, logger });
    this.#events = new EventRecorder({ client, clock, random, logger, component: this.#name });
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const informers = [this.#nodes, this.#claims, this.#slices, this.#classes, this.#pods];
    const running = informers.map((informer) => informer.run(signal));
    const close = (): void => this.#queue.close();
    signal.addEventListener('abort', close, { once: true });
    await Promise.race([Promise.all(informers.map((informer) => informer.whenSynced())), aborted(signal)]);
    if (!signal.aborted) {
      this.#watch();
      await this.#schedule(signal);
    }
    await Promise.all([...running, ...this.#background]);
    await this.#events.flush();
  }

  #informer<T extends ApiObject>(resource: Resource<T>): Informer<T> {
    const { client, clock, random, logger } = this.#options;
    return new Informer({ client, resource, clock, random, logger });
  }

  /** Pods come last: their checks read what the others fill. */
  #watch(): void {
    this.#pods.addIndex('claim', claimKeysOf);
    this.#slices.addHandler({
      added: (slice) => this.#sliceChanged(slice),
      updated: (_old, slice) => this.#sliceChanged(slice),
      deleted: (slice) => this.#pools.deleteSlice(nameOf(slice)),
    });
    this.#classes.addHandler({ added: () => this.#queue.wake('class'), updated: () => this.#queue.wake('class') });
    this.#claims.addHandler({
      added: (claim) => this.#claimChanged(claim, false),
      updated: (old, claim) => this.#claimChanged(claim, old.status?.allocation !== undefined && claim.status?.allocation === undefined),
      deleted: (claim) => this.#claimChanged(claim, claim.status?.allocation !== undefined),
    });
    this.#nodes.addHandler({ added: () => this.#nodesChanged(), updated: (old, node) => this.#nodeUpdated(old, node), deleted: () => this.#nodesChanged() });
    this.#pods.addHandler({
      added: (pod) => this.#podChanged(pod),
      updated: (old, pod) => this.#podChanged(pod, old),
      deleted: (pod) => this.#podDeleted(pod),
    });
  }

  #sliceChanged(slice: ResourceSlice): void {
    this.#pools.upsertSlice(slice);
    this.#queue.wake('slice');
  }

  #claimChanged(claim: ResourceClaim, freed: boolean): void {
    this.#claimCache.informed(keyOf(claim));
    if (freed) this.#queue.wake('claim');
    for (const pod of this.#pods.lister.byIndex('claim', keyOf(claim))) this.#queue.recheck(keyOf(pod));
  }

  #nodesChanged(): void {
    this.#nodeList = undefined;
    this.#queue.wake('node');
  }

  /** Heartbeats change a node often and no decision: only what filters read wakes pods. */
  #nodeUpdated(old: Node, node: Node): void {
    this.#nodeList = undefined;
    const essence = (of: Node): string => stringifyJson([of.spec, of.metadata.labels, of.status?.allocatable, of.status?.declaredFeatures]);
    if (essence(old) !== essence(node)) this.#queue.wake('node');
  }

  #podChanged(pod: Pod, old?: Pod): void {
    this.#nodeCache.informed(pod);
    const waits = (pod.spec?.nodeName ?? '') === '' && !isFinished(pod) && pod.metadata.deletionTimestamp === undefined;
    if (waits && (pod.spec?.schedulerName ?? DEFAULT_SCHEDULER_NAME) === this.#name) this.#queue.upsert(pod);
    else this.#queue.remove(keyOf(pod));
    if (isFinished(pod) && (old === undefined || !isFinished(old))) this.#queue.wake('pod');
  }

  #podDeleted(pod: Pod): void {
    this.#nodeCache.remove(keyOf(pod));
    this.#queue.remove(keyOf(pod));
    this.#queue.wake('pod');
  }

  /** PreEnqueue: nothing is published about a pod that is not ready. */
  #isReady(pod: Pod): boolean {
    return (pod.spec?.schedulingGates ?? []).length === 0 && resolveClaims(pod, (key) => this.#claimCache.get(key)).ok;
  }

  async #schedule(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let sliceStartMs = clock.monotonicMs();
    for (let pod = await this.#queue.take(); pod !== undefined; pod = await this.#queue.take()) {
      this.#carryOut(pod, decide(pod, this.#snapshot()), signal);
      while (this.#background.size >= BINDINGS_MAX) await Promise.race(this.#background);
      if (clock.monotonicMs() - sliceStartMs < DECISION_SLICE_MS) continue;
      await sleep(clock, 0);
      sliceStartMs = clock.monotonicMs();
    }
  }

  #snapshot(): Snapshot {
    const { random, gates, clock } = this.#options;
    return {
      nodes: this.#nodesInTurn(),
      podsOn: (name) => this.#nodeCache.podsOn(name),
      claimOf: (key) => this.#claimCache.get(key),
      isInFlight: (key) => this.#claimCache.isInFlight(key),
      deviceClass: (name) => this.#classes.lister.get(name),
      pools: this.#pools,
      ledger: this.#ledger,
      features: featuresFromGates(gates),
      random,
      nowMs: clock.nowMs(),
      bindingTimeoutMs: this.#bindingTimeoutMs,
    };
  }

  /** Each decision starts at the next node, so that equal nodes are filled in turn. */
  #nodesInTurn(): readonly Node[] {
    this.#nodeList ??= [...this.#nodes.lister.list()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    const first = this.#nodeList.length === 0 ? 0 : this.#firstNode++ % this.#nodeList.length;
    return first === 0 ? this.#nodeList : [...this.#nodeList.slice(first), ...this.#nodeList.slice(0, first)];
  }

  /** The synchronous part of a decision happens here, before the next one is made; the writes follow in the background. */
  #carryOut(pod: Pod, decision: Decision, signal: AbortSignal): void {
    if (decision.kind === 'place') {
      this.#nodeCache.assume(pod, decision.nodeName);
      this.#binder.assume(decision.claims);
      this.#inBackground(this.#place(pod, decision, signal));
    } else if (decision.kind === 'refused') this.#inBackground(this.#refuse(pod, decision));
    else this.#inBackground(this.#fail(pod, decision.message));
  }

  #inBackground(work: Promise<void>): void {
    const settled: Promise<void> = work
      .catch((error: unknown) => this.#options.logger.error('a scheduling attempt broke off', { error: asError(error).stack }))
      .finally(() => this.#background.delete(settled));
    this.#background.add(settled);
  }

  async #place(pod: Pod, decision: Placement, signal: AbortSignal): Promise<void> {
    try {
      await this.#preBind(pod, decision, signal);
      await this.#bind(pod, decision.nodeName);
    } catch (error) {
      await this.#binder.unreserve(pod, decision.claims);
      this.#nodeCache.forget(keyOf(pod));
      this.#queue.wake('pod');
      if (signal.aborted) return;
      return this.#fail(pod, asError(error).message);
    }
    this.#queue.bound(pod);
    const message = `Successfully assigned ${keyOf(pod)} to ${decision.nodeName}`;
    this.#events.event(pod, { type: 'Normal', reason: 'Scheduled', message, action: 'Binding' });
  }

  async #preBind(pod: Pod, decision: Placement, signal: AbortSignal): Promise<void> {
    try {
      const claims = await settleAll(decision.claims.map((plan: ClaimPlan) => this.#binder.bind(pod, plan)));
      if (claims.some(hasBindingConditions)) await this.#awaitDevices(pod, decision, signal);
    } catch (error) {
      throw new Error(`running PreBind plugin "DynamicResources": ${asError(error).message}`, { cause: error });
    }
  }

  /** Waits until all devices with binding conditions are ready; rejects on failure and timeout. */
  async #awaitDevices(pod: Pod, decision: Placement, signal: AbortSignal): Promise<void> {
    const message = `waiting for binding conditions for device on node ${decision.nodeName}`;
    this.#events.event(pod, { type: 'Normal', reason: 'BindingConditionsPending', message, action: 'Scheduling' });
    await this.#nominate(pod, decision.nodeName);
    try {
      await this.#devicesReady(pod, decision, signal);
    } finally {
      await this.#nominate(pod, null);
    }
  }

  /** Tells others where the pod is about to go, so that they keep the room; null takes it back. A failure is no obstacle. */
  async #nominate(pod: Pod, nodeName: string | null): Promise<void> {
    const body = { metadata: { uid: pod.metadata.uid }, status: { nominatedNodeName: nodeName } };
    try {
      await this.#options.client.patch(PODS, nameOf(pod), { namespace: namespaceOf(pod), type: 'merge', subresource: 'status', body });
    } catch (error) {
      this.#options.logger.debug('a nomination could not be written', { pod: keyOf(pod), error: asError(error).message });
    }
  }

  async #devicesReady(pod: Pod, decision: Placement, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      let waiting = false;
      for (const { claim } of decision.claims) {
        const current = this.#claimCache.get(keyOf(claim));
        if (current?.status?.allocation === undefined) throw new Error(`claim ${keyOf(claim)} got deallocated elsewhere in the meantime`);
        const state = bindingState(current, clock.nowMs(), this.#bindingTimeoutMs);
        if (state.kind === 'failed' || state.kind === 'timed-out') throw new Error(state.message);
        waiting ||= state.kind === 'waiting';
      }
      if (!waiting) return;
      // A deleted pod waits for nothing; its claims are given back by the caller.
      if (this.#pods.lister.get(keyOf(pod))?.metadata.uid !== pod.metadata.uid) throw new Error('the pod was deleted in the meantime');
      await sleep(clock, BINDING_POLL_MS, signal);
    }
  }

  async #bind(pod: Pod, nodeName: string): Promise<void> {
    const { name, namespace, uid } = pod.metadata;
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, uid }, target: { apiVersion: 'v1', kind: 'Node', name: nodeName } };
    try {
      await this.#options.client.createSubresource(PODS, nameOf(pod), 'binding', binding);
    } catch (error) {
      throw new Error(`binding rejected: running Bind plugin "DefaultBinder": ${asError(error).message}`, { cause: error });
    }
  }

  /** No node fits: said to the user, and the pod waits for a change. */
  async #refuse(pod: Pod, refusal: Refusal): Promise<void> {
    if (refusal.deallocate !== undefined) {
      try {
        await this.#binder.deallocate(refusal.deallocate);
      } catch (error) {
        this.#options.logger.warn('a claim could not be deallocated', { claim: keyOf(refusal.deallocate), error: asError(error).message });
        this.#queue.retry(pod);
        return;
      }
    }
    this.#queue.refused(pod, refusal.wakes);
    if (refusal.deallocate !== undefined) this.#queue.wake('claim');
    await this.#publish(pod, 'Unschedulable', refusal.message);
  }

  /** Something went wrong: said to the user, and tried again after the backoff. */
  async #fail(pod: Pod, message: string): Promise<void> {
    this.#queue.retry(pod);
    await this.#publish(pod, 'SchedulerError', message);
  }

  /** Event and PodScheduled condition; a pod of the same name that came later is not touched. */
  async #publish(pod: Pod, reason: 'Unschedulable' | 'SchedulerError', message: string): Promise<void> {
    const current = this.#pods.lister.get(keyOf(pod));
    if (current === undefined || current.metadata.uid !== pod.metadata.uid) return;
    this.#events.event(pod, { type: 'Warning', reason: 'FailedScheduling', message, action: 'Scheduling' });
    const known = current.status?.conditions?.find((condition) => condition.type === 'PodScheduled');
    if (known?.status === 'False' && known.reason === reason && known.message === message) return;
    const lastTransitionTime = known?.status === 'False' ? known.lastTransitionTime : `${new Date(this.#options.clock.nowMs()).toISOString().slice(0, 19)}Z`;
    const condition = { type: 'PodScheduled', status: 'False', reason, message, lastTransitionTime };
    const body = { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } };
    try {
      await this.#options.client.patch(PODS, nameOf(pod), { namespace: namespaceOf(pod), type: 'strategic', subresource: 'status', body });
    } catch (error) {
      if (!isNotFound(error)) this.#options.logger.warn('a pod condition could not be written', { pod: keyOf(pod), error: asError(error).message });
    }
  }
}

/** Like Promise.all, but waits for all also when one fails, so that nothing is written after the caller has begun to undo. */
async function settleAll<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
