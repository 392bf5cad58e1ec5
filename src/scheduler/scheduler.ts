/** The scheduler: takes pods from the queue, decides, and carries decisions out in the background. */
import { type Features, featuresFromGates, Ledger, PoolIndex } from '#allocator';
import { asError, type Clock, type Logger, type Metrics, type Random, sleep } from '#base';
import type { Pod, PodGroup, ResourceClaim } from '#api';
import { EventRecorder, type RestClient } from '#client';
import { keyOf } from '#machinery';
import { DEFAULT_BINDING_TIMEOUT_MS } from './binding-conditions.ts';
import { BindingCycle } from './binding-cycle.ts';
import { ClaimBinder } from './claim-binder.ts';
import { ClaimCache } from './claim-cache.ts';
import { ClusterView, DEFAULT_SCHEDULER_NAME } from './cluster-view.ts';
import { decide, type Decision } from './decide.ts';
import { isExtendedClaimOf } from './extended-resources.ts';
import { type AttemptResult, type SchedulerMetrics, schedulerMetrics } from './metrics.ts';
import { NodeCache } from './node-cache.ts';
import { type ResolvedClaims, resolveClaims } from './pod-claims.ts';
import { PodReporter } from './pod-reporter.ts';
import { type Backoff, SchedulingQueue } from './scheduling-queue.ts';
import type { Snapshot } from './snapshot.ts';
import { VictimRemoval } from './victim-removal.ts';

/** What the scheduler needs. It runs until `signal` aborts. */
export interface SchedulerOptions {
  readonly client: RestClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly gates: ReadonlyMap<string, boolean>;
  readonly signal: AbortSignal;
  /** How long devices may take to become ready (DynamicResourcesArgs.bindingTimeout: 600 s). */
  readonly bindingTimeoutMs?: number | undefined;
  /** The spec.schedulerName that this scheduler answers to. */
  readonly schedulerName?: string | undefined;
  /** False leaves out the plugin DynamicResources: pods are placed without a look at their claims. It is out, too, while DRA is off. */
  readonly dynamicResources?: boolean | undefined;
  /** How long a refused pod rests: 1 s doubling to 10 s (podInitialBackoffSeconds, podMaxBackoffSeconds). */
  readonly backoff?: Backoff | undefined;
}

/** Pods being bound at a time; further decisions wait. */
const BINDINGS_MAX = 100;
/** Decisions in a row before other work in this thread gets its turn. */
const DECISION_SLICE_MS = 10;

const NO_CLAIMS: ResolvedClaims = { ok: true, claims: [] };

/** Schedules pods until `options.signal` aborts. */
export async function runScheduler(options: SchedulerOptions): Promise<void> {
  await new Scheduler(options).run();
}

type Placement = Extract<Decision, { kind: 'place' }>;
type Refusal = Extract<Decision, { kind: 'refused' }>;

class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #bindingTimeoutMs: number;
  readonly #dynamicResources: boolean;
  readonly #features: Features;
  readonly #view: ClusterView;
  readonly #pools = new PoolIndex();
  readonly #ledger = new Ledger();
  readonly #claimCache: ClaimCache;
  readonly #nodeCache = new NodeCache();
  readonly #queue: SchedulingQueue;
  readonly #binder: ClaimBinder;
  readonly #binding: BindingCycle;
  readonly #victims: VictimRemoval;
  readonly #events: EventRecorder;
  readonly #reporter: PodReporter;
  readonly #metrics: SchedulerMetrics;
  readonly #background = new Set<Promise<void>>();
  #turn = 0;

  constructor(options: SchedulerOptions) {
    const { client, clock, random, logger, signal, gates } = options;
    const name = options.schedulerName ?? DEFAULT_SCHEDULER_NAME;
    this.#options = options;
    this.#bindingTimeoutMs = options.bindingTimeoutMs ?? DEFAULT_BINDING_TIMEOUT_MS;
    this.#dynamicResources = options.dynamicResources !== false && gates.get('DynamicResourceAllocation') !== false;
    this.#features = featuresFromGates(gates);
    this.#view = new ClusterView({ client, clock, random, logger, gates });
    const { pods, claims } = this.#view;
    this.#claimCache = new ClaimCache(claims.lister, this.#ledger, clock);
    this.#queue = new SchedulingQueue(clock, (pod) => this.#isReady(pod), options.backoff);
    this.#metrics = schedulerMetrics(options.metrics, name, () => this.#queue.lengths());
    this.#events = new EventRecorder({ client, clock, random, logger, component: name });
    this.#reporter = new PodReporter({ client, clock, logger, events: this.#events, pods: pods.lister });
    const extendedClaimOf = (pod: Pod): ResourceClaim | undefined => this.#extendedClaimOf(pod);
    const groupOf = (pod: Pod): PodGroup | undefined => this.#view.groupOf(pod);
    this.#binder = new ClaimBinder({ client, cache: this.#claimCache, clock, logger, metrics: this.#metrics, extendedClaimOf, groupOf, signal });
    this.#binding = new BindingCycle({
      client,
      clock,
      binder: this.#binder,
      cache: this.#claimCache,
      pods: pods.lister,
      reporter: this.#reporter,
      metrics: this.#metrics,
      bindingTimeoutMs: this.#bindingTimeoutMs,
    });
    this.#victims = new VictimRemoval({ client, logger, reporter: this.#reporter, schedulerName: name });
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const close = (): void => this.#queue.close();
    signal.addEventListener('abort', close, { once: true });
    const running = await this.#view.start(signal);
    if (!signal.aborted) {
      this.#view.feed({
        schedulerName: this.#options.schedulerName ?? DEFAULT_SCHEDULER_NAME,
        pools: this.#pools,
        claims: this.#claimCache,
        nodes: this.#nodeCache,
        queue: this.#queue,
      });
      await this.#schedule(signal);
    }
    await Promise.all([running.ended, ...this.#background]);
    await this.#events.flush();
  }

  /** PreEnqueue: nothing is published about a pod that is not ready. */
  #isReady(pod: Pod): boolean {
    return (pod.spec?.schedulingGates ?? []).length === 0 && this.#claimsOf(pod).ok;
  }

  #claimsOf(pod: Pod): ResolvedClaims {
    return this.#dynamicResources ? resolveClaims(pod, (key) => this.#claimCache.get(key), this.#view.groupOf(pod)) : NO_CLAIMS;
  }

  #extendedClaimOf(pod: Pod): ResourceClaim | undefined {
    return this.#view.claimsControlledBy(pod.metadata.uid ?? '').find((claim) => isExtendedClaimOf(claim, pod));
  }

  async #schedule(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let sliceStartMs = clock.monotonicMs();
    for (let pod = await this.#queue.take(); pod !== undefined; pod = await this.#queue.take()) {
      this.#attempt(pod, signal);
      while (this.#background.size >= BINDINGS_MAX) await Promise.race(this.#background);
      if (clock.monotonicMs() - sliceStartMs < DECISION_SLICE_MS) continue;
      await sleep(clock, 0);
      sliceStartMs = clock.monotonicMs();
    }
  }

  #snapshot(): Snapshot {
    const { random, clock, gates } = this.#options;
    return {
      nodes: this.#nodesInTurn(),
      podsOn: (name) => this.#nodeCache.podsOn(name),
      nominatedTo: (name) => this.#nodeCache.nominatedTo(name),
      claimsOf: (pod) => this.#claimsOf(pod),
      isInFlight: (key) => this.#claimCache.isInFlight(key),
      extendedClaimOf: (pod) => this.#extendedClaimOf(pod),
      deviceClass: (name) => this.#view.classes.lister.get(name),
      classesByResource: this.#dynamicResources && gates.get('DRAExtendedResource') === true ? this.#view.classesByResource() : undefined,
      pools: this.#pools,
      ledger: this.#ledger,
      features: this.#features,
      random,
      nowMs: clock.nowMs(),
      bindingTimeoutMs: this.#bindingTimeoutMs,
    };
  }

  /** Each decision starts at the next node, so that equal nodes are filled in turn. */
  #nodesInTurn(): Snapshot['nodes'] {
    const nodes = this.#view.nodesByName();
    const first = nodes.length === 0 ? 0 : this.#turn++ % nodes.length;
    return first === 0 ? nodes : [...nodes.slice(first), ...nodes.slice(0, first)];
  }

  /** Decides, and makes the decision count before the next one is made; the writes follow in the background. */
  #attempt(pod: Pod, signal: AbortSignal): void {
    const { clock } = this.#options;
    const startMs = clock.monotonicMs();
    const decision = decide(pod, this.#snapshot());
    this.#metrics.algorithm((clock.monotonicMs() - startMs) / 1000);
    const report = (result: AttemptResult): void => this.#metrics.attempt(result, (clock.monotonicMs() - startMs) / 1000);
    if (decision.kind === 'place') {
      this.#nodeCache.assume(pod, decision.nodeName);
      this.#binder.assume(decision.claims);
      this.#inBackground(this.#place(pod, decision, signal).then(report));
    } else if (decision.kind === 'refused') {
      if (decision.preempt !== undefined) this.#nodeCache.nominate(pod, decision.preempt.nodeName);
      this.#inBackground(this.#refuse(pod, decision));
      report('unschedulable');
    } else {
      this.#inBackground(this.#fail(pod, decision.message));
      report('error');
    }
  }

  #inBackground(work: Promise<void>): void {
    const settled: Promise<void> = work
      .catch((error: unknown) => this.#options.logger.error('a scheduling attempt broke off', { error: asError(error).stack }))
      .finally(() => this.#background.delete(settled));
    this.#background.add(settled);
  }

  async #place(pod: Pod, placement: Placement, signal: AbortSignal): Promise<AttemptResult> {
    try {
      await this.#binding.run(pod, placement, signal);
    } catch (error) {
      this.#nodeCache.forget(pod);
      this.#queue.wake('pod');
      // Devices that were taken for it are free again, and no event of a claim need tell of it.
      if (placement.claims.length > 0) this.#queue.wake('claim');
      if (!signal.aborted) await this.#fail(pod, asError(error).message);
      return 'error';
    }
    this.#metrics.bound(this.#queue.bound(pod));
    const group = this.#view.anyGroupOf(pod);
    if (group !== undefined) await this.#reporter.groupScheduled(group.object, group.resource);
    return 'scheduled';
  }

  /** No node fits: said to the user, and the pod waits for a change. */
  async #refuse(pod: Pod, refusal: Refusal): Promise<void> {
    const { deallocate, remove, preempt, denominate } = refusal;
    try {
      if (deallocate !== undefined) await this.#binder.deallocate(deallocate);
      if (remove !== undefined) await this.#binder.remove(remove);
      if (preempt !== undefined) {
        await this.#victims.remove(pod, preempt);
        this.#metrics.preempted(preempt.victims.length);
      }
    } catch (error) {
      this.#options.logger.warn('making room for a pod failed', { pod: keyOf(pod), error: asError(error).message });
      this.#nodeCache.denominate(pod);
      this.#queue.retry(pod);
      return;
    }
    this.#queue.refused(pod, refusal.wakes);
    if (deallocate !== undefined || remove !== undefined) this.#queue.wake('claim');
    if (denominate === true) this.#nodeCache.denominate(pod);
    await this.#reporter.failed(pod, 'Unschedulable', refusal.message, denominate === true ? null : preempt?.nodeName);
  }

  /** Something went wrong: said to the user, and tried again after the backoff. */
  async #fail(pod: Pod, message: string): Promise<void> {
    this.#queue.retry(pod);
    await this.#reporter.failed(pod, 'SchedulerError', message);
  }
}
