/** The pods that wait for a node: gated, active, backing off or unschedulable until something changes. */
import type { Clock } from '#base';
import type { Pod } from '#api';
import { keyOf, stringifyJson } from '#machinery';
import type { QueueName } from './metrics.ts';
import { Heap } from './pod-heap.ts';
import { priorityOf } from './pod-priority.ts';
import type { WakeCause } from './wake-cause.ts';

/** How long a refused pod rests before its next attempt: doubling from the first to the last. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Upstream's podInitialBackoffSeconds and podMaxBackoffSeconds. */
export const DEFAULT_BACKOFF: Backoff = { firstMs: 1_000, maxMs: 10_000 };

/** A refused pod is tried again after so long whatever happens (podMaxInUnschedulablePodsDuration). */
const MAX_UNSCHEDULABLE_MS = 5 * 60_000;

interface Entry {
  pod: Pod;
  place: 'gated' | 'active' | 'backoff' | 'unschedulable' | 'taken';
  attempts: number;
  readonly sinceMs: number;
  lastAttemptMs: number;
  wakes: ReadonlySet<WakeCause>;
  /** What happened while an attempt was going on; the attempt may not have seen it. */
  missed: Set<WakeCause>;
  cancelTimer: () => void;
}

interface Ticket {
  readonly entry: Entry;
  readonly priority: number;
}

/**
 * Hands out one pod after another: higher priority first, then the one that has waited longest. A pod that was refused
 * comes back when a change of a kind that it waits for is reported, not before its backoff (1 s doubling to 10 s) is over.
 */
export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #isReady: (pod: Pod) => boolean;
  readonly #backoff: Backoff;
  readonly #entries = new Map<string, Entry>();
  readonly #active = new Heap<Ticket>(goesFirst);
  #taker: ((pod: Pod | undefined) => void) | undefined;
  #closed = false;

  /** `isReady` is the PreEnqueue check: a pod that is not ready stays gated. */
  constructor(clock: Clock, isReady: (pod: Pod) => boolean, backoff: Backoff = DEFAULT_BACKOFF) {
    this.#clock = clock;
    this.#backoff = backoff;
    this.#isReady = isReady;
  }

  /** A pod without node is there or has changed. */
  upsert(pod: Pod): void {
    const entry = this.#entries.get(keyOf(pod));
    if (entry === undefined || entry.pod.metadata.uid !== pod.metadata.uid) {
      this.remove(keyOf(pod));
      const now = this.#clock.monotonicMs();
      const fresh: Entry = { pod, place: 'gated', attempts: 0, sinceMs: now, lastAttemptMs: now, wakes: new Set(), missed: new Set(), cancelTimer: nothing };
      this.#entries.set(keyOf(pod), fresh);
      if (this.#isReady(pod)) this.#activate(fresh);
      return;
    }
    const relevant = mattersToScheduling(entry.pod, pod);
    entry.pod = pod;
    if (entry.place === 'gated') this.#ungate(entry);
    else if (relevant && entry.place === 'unschedulable') this.#backOff(entry);
    else if (relevant && entry.place === 'taken') for (const cause of ALL_CAUSES) entry.missed.add(cause);
  }

  /** The pod is gone or has a node. */
  remove(key: string): void {
    this.#entries.get(key)?.cancelTimer();
    this.#entries.delete(key);
  }

  /** Checks a gated pod again, and wakes a refused one: something that it names has changed. */
  recheck(key: string): void {
    const entry = this.#entries.get(key);
    if (entry?.place === 'gated') this.#ungate(entry);
    else if (entry !== undefined) this.#wakeEntry(entry, 'claim');
  }

  /** Something changed that may help every pod waiting for such a change. */
  wake(cause: WakeCause): void {
    for (const entry of this.#entries.values()) this.#wakeEntry(entry, cause);
  }

  /** The next pod, once there is one; undefined when closed. One taker at a time. It must be answered by `refused`, `retry` or `remove`. */
  take(): Promise<Pod | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const entry = this.#next();
    if (entry !== undefined) return Promise.resolve(this.#hand(entry));
    return new Promise((resolve) => {
      this.#taker = resolve;
    });
  }

  /** No node fits: the pod waits for one of `wakes`. */
  refused(pod: Pod, wakes: ReadonlySet<WakeCause>): void {
    const entry = this.#taken(pod);
    if (entry === undefined) return;
    entry.wakes = wakes;
    if ([...entry.missed].some((cause) => wakes.has(cause))) return this.#backOff(entry);
    entry.place = 'unschedulable';
    entry.cancelTimer = this.#clock.setTimer(MAX_UNSCHEDULABLE_MS, () => this.#activate(entry));
  }

  /** The attempt failed for a passing reason: again after the backoff. */
  retry(pod: Pod): void {
    const entry = this.#taken(pod);
    if (entry !== undefined) this.#backOff(entry);
  }

  /** The pod has got its node; returns how many attempts it took. */
  bound(pod: Pod): number {
    const entry = this.#taken(pod);
    if (entry !== undefined) this.remove(keyOf(pod));
    return entry?.attempts ?? 1;
  }

  /** How many pods wait in which part of the queue. */
  lengths(): Readonly<Record<QueueName, number>> {
    const lengths = { active: 0, backoff: 0, unschedulable: 0, gated: 0 };
    for (const { place } of this.#entries.values()) if (place !== 'taken') lengths[place]++;
    return lengths;
  }

  /** Ends the queue; a taker gets undefined. */
  close(): void {
    this.#closed = true;
    for (const entry of this.#entries.values()) entry.cancelTimer();
    this.#entries.clear();
    this.#taker?.(undefined);
    this.#taker = undefined;
  }

  #taken(pod: Pod): Entry | undefined {
    const entry = this.#entries.get(keyOf(pod));
    return entry?.place === 'taken' && entry.pod.metadata.uid === pod.metadata.uid ? entry : undefined;
  }

  #wakeEntry(entry: Entry, cause: WakeCause): void {
    if (entry.place === 'taken') entry.missed.add(cause);
    else if (entry.place === 'unschedulable' && entry.wakes.has(cause)) this.#backOff(entry);
  }

  #ungate(entry: Entry): void {
    if (this.#isReady(entry.pod)) this.#activate(entry);
  }

  #backOff(entry: Entry): void {
    entry.cancelTimer();
    const backoffMs = Math.min(this.#backoff.firstMs * 2 ** Math.min(entry.attempts - 1, 10), this.#backoff.maxMs);
    const leftMs = entry.lastAttemptMs + backoffMs - this.#clock.monotonicMs();
    if (leftMs <= 0) return this.#activate(entry);
    entry.place = 'backoff';
    entry.cancelTimer = this.#clock.setTimer(leftMs, () => this.#activate(entry));
  }

  #activate(entry: Entry): void {
    entry.cancelTimer();
    entry.cancelTimer = nothing;
    if (!this.#isReady(entry.pod)) {
      entry.place = 'gated';
      return;
    }
    entry.place = 'active';
    this.#active.push({ entry, priority: priorityOf(entry.pod) });
    if (this.#taker !== undefined) void Promise.resolve().then(() => this.#serve());
  }

  /** Hands the first pod to the taker; after all pods that one event woke are in line, so that the most important of them goes first. */
  #serve(): void {
    const taker = this.#taker;
    const next = taker === undefined ? undefined : this.#next();
    if (taker === undefined || next === undefined) return;
    this.#taker = undefined;
    taker(this.#hand(next));
  }

  #next(): Entry | undefined {
    for (let ticket = this.#active.pop(); ticket !== undefined; ticket = this.#active.pop()) {
      // Tickets of pods that were removed meanwhile are void.
      if (ticket.entry.place === 'active' && this.#entries.get(keyOf(ticket.entry.pod)) === ticket.entry) return ticket.entry;
    }
    return undefined;
  }

  #hand(entry: Entry): Pod {
    entry.place = 'taken';
    entry.attempts++;
    entry.missed = new Set();
    entry.lastAttemptMs = this.#clock.monotonicMs();
    return entry.pod;
  }
}

const ALL_CAUSES: readonly WakeCause[] = ['node', 'pod', 'claim', 'slice', 'class'];

function goesFirst(a: Ticket, b: Ticket): boolean {
  return a.priority !== b.priority ? a.priority > b.priority : a.entry.sinceMs < b.entry.sinceMs;
}

/** Whether the change of a pod may change the outcome; the scheduler's own condition must not wake it. */
function mattersToScheduling(old: Pod, pod: Pod): boolean {
  return essence(old) !== essence(pod);
}

function essence(pod: Pod): string {
  return stringifyJson([pod.spec, pod.metadata.labels, pod.status?.resourceClaimStatuses]);
}

function nothing(): void {}
