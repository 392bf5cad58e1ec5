/** Evicts one pod when its time has come, and says so. */
import { type Clock, type Counter, type Histogram, type Metrics } from '#base';
import type { Pod } from '#api';
import { type EventRecorder, PODS, type RestClient } from '#client';
import { isNotFound, nameOf, namespaceOf } from '#machinery';
import type { ReconcileResult } from '#reconcile';
import type { EvictionReason } from './eviction-time.ts';
import type { PendingEvictions } from './pending-evictions.ts';

/** What the controller measures, under upstream's names (devicetainteviction/metrics). */
export interface EvictionMetrics {
  readonly deletions: Counter<never>;
  readonly seconds: Histogram<never>;
}

/** Upper bounds in seconds, as upstream. */
const DURATION_BUCKETS = [0.005, 0.025, 0.1, 0.5, 1, 1.5, 2, 4, 5, 10, 30, 60, 120, 180, 240];

/** Declares the metrics. */
export function evictingMetrics(metrics: Metrics): EvictionMetrics {
  const help = 'Total number of Pods deleted by the device taint eviction controller since its start.';
  const secondsHelp = 'Latency, in seconds, between the time when a device taint effect has been activated and a Pod’s deletion.';
  return {
    deletions: metrics.counter({ name: 'device_taint_eviction_controller_pod_deletions_total', help }),
    seconds: metrics.histogram({ name: 'device_taint_eviction_controller_pod_deletion_duration_seconds', help: secondsHelp }, DURATION_BUCKETS),
  };
}

/** What evictions work with. */
export interface PodEvictionParts {
  readonly client: RestClient;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly pending: PendingEvictions;
  readonly metrics: EvictionMetrics;
}

/** Upstream's event reason. */
const REASON = 'DeviceTaintManagerEviction';

/** Keeps which pods have an eviction ahead, so that its cancellation can be told, and counts evictions by rule. */
export class PodEviction {
  readonly #parts: PodEvictionParts;
  /** Pods with an eviction ahead: uid by key. */
  readonly #ahead = new Map<string, string>();
  readonly #evictedByRule = new Map<string, number>();

  constructor(parts: PodEvictionParts) {
    this.#parts = parts;
  }

  /** Pods evicted for the rule with this uid since the start. */
  evictedFor(ruleUid: string): number {
    return this.#evictedByRule.get(ruleUid) ?? 0;
  }

  /** Looks at the pod of a key: evicts it, comes back when it is due, or cancels what was ahead. */
  async sync(key: string): Promise<void | ReconcileResult> {
    const { pending, clock, events } = this.#parts;
    const pod = pending.pod(key);
    const uid = pod?.metadata.uid ?? '';
    // Another pod of the name has nothing to be cancelled.
    if (pod === undefined || this.#ahead.get(key) !== uid) this.#ahead.delete(key);
    if (pod === undefined) return undefined;
    const reasons = pending.reasonsFor(pod);
    if (reasons.length === 0) {
      const wasAhead = this.#ahead.delete(key);
      if (wasAhead && pod.metadata.deletionTimestamp === undefined) events.event(pod, { type: 'Normal', reason: REASON, message: 'Cancelling deletion' });
      return undefined;
    }
    const dueMs = Math.min(...reasons.map(({ atMs }) => atMs));
    const waitMs = dueMs - clock.nowMs();
    if (waitMs > 0) {
      this.#ahead.set(key, uid);
      return { requeueAfterMs: waitMs };
    }
    await this.#evict(pod, dueMs, reasons);
    this.#ahead.delete(key);
    return undefined;
  }

  async #evict(pod: Pod, dueMs: number, reasons: readonly EvictionReason[]): Promise<void> {
    const { client, clock, events, metrics } = this.#parts;
    try {
      const live = await client.get(PODS, nameOf(pod), namespaceOf(pod));
      if (live.metadata.uid !== pod.metadata.uid || live.metadata.deletionTimestamp !== undefined) return;
      events.event(pod, { type: 'Normal', reason: REASON, message: 'Marking for deletion' });
      await this.#mark(pod);
      await client.delete(PODS, nameOf(pod), { namespace: namespaceOf(pod), uid: pod.metadata.uid });
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
    metrics.deletions.inc({});
    metrics.seconds.observe({}, Math.max(0, clock.nowMs() - dueMs) / 1000);
    for (const uid of new Set(reasons.flatMap(({ rule }) => rule?.metadata.uid ?? []))) this.#evictedByRule.set(uid, this.evictedFor(uid) + 1);
  }

  async #mark(pod: Pod): Promise<void> {
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByDeviceTaintManager',
      message: 'Device Taint manager: deleting due to NoExecute taint',
      lastTransitionTime: `${new Date(this.#parts.clock.nowMs()).toISOString().slice(0, 19)}Z`,
    };
    const body = { metadata: { uid: pod.metadata.uid ?? null }, status: { conditions: [condition] } };
    await this.#parts.client.patch(PODS, nameOf(pod), { namespace: namespaceOf(pod), type: 'strategic', subresource: 'status', body });
  }
}
