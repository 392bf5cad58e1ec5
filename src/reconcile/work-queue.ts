/** A queue of keys: each at most once in it, never handed to two workers at a time, retried with growing pauses. */
import type { Clock } from '#base';
import type { WorkQueueMetrics } from './work-queue-metrics.ts';

/** Limits of the retry pauses; upstream's controllers: 5 ms doubling to 1000 s (workqueue.DefaultControllerRateLimiter). */
export interface RetryLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** What a queue may be told. */
export interface WorkQueueOptions {
  readonly retry?: RetryLimits | undefined;
  readonly metrics?: WorkQueueMetrics | undefined;
}

/** Upstream's default for controllers. */
const DEFAULT_RETRY: RetryLimits = { firstMs: 5, maxMs: 1_000_000 };

/**
 * Keys wait in order of arrival. A key added while it is being worked on waits until `done`, and is then handed out again,
 * so no change is missed and no key is worked on twice at once.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #retry: RetryLimits;
  readonly #metrics: WorkQueueMetrics | undefined;
  /** Waiting keys, oldest first, and since when they wait. */
  readonly #waiting = new Map<string, number>();
  /** Keys being worked on, and since when. */
  readonly #active = new Map<string, number>();
  /** Keys added while active. */
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #delayed = new Map<string, { dueMs: number; cancel: () => void }>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #closed = false;

  constructor(clock: Clock, { retry = DEFAULT_RETRY, metrics }: WorkQueueOptions = {}) {
    this.#clock = clock;
    this.#retry = retry;
    this.#metrics = metrics;
  }

  /** Keys waiting to be taken. */
  get length(): number {
    return this.#waiting.size;
  }

  /** Nothing waits, is delayed or being worked on. */
  get idle(): boolean {
    return this.#waiting.size + this.#active.size + this.#delayed.size === 0;
  }

  /** Adds a key, unless it waits already. */
  add(key: string): void {
    if (this.#closed) return;
    if (this.#active.has(key)) {
      this.#again.add(key);
      return;
    }
    if (this.#waiting.has(key)) return;
    this.#metrics?.adds.inc(this.#metrics);
    this.#waiting.set(key, this.#clock.monotonicMs());
    this.#showDepth();
    this.#takers.shift()?.(this.#hand(key));
  }

  /** Adds a key after a pause; of two pauses for one key the one that ends first counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return;
    if (delayMs <= 0) return this.add(key);
    const dueMs = this.#clock.monotonicMs() + delayMs;
    const earlier = this.#delayed.get(key);
    if (earlier !== undefined) {
      if (earlier.dueMs <= dueMs) return;
      earlier.cancel();
    }
    const cancel = this.#clock.setTimer(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { dueMs, cancel });
  }

  /** Adds a key again after a failure, each time after a pause twice as long. */
  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#metrics?.retries.inc(this.#metrics);
    this.addAfter(key, Math.min(this.#retry.firstMs * 2 ** Math.min(failures, 40), this.#retry.maxMs));
  }

  /** How often the key has failed since `forget`. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The key succeeded: its next retry pauses begin at the first again. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, once there is one; undefined when the queue is closed. Every key taken must be given to `done`. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    for (const key of this.#waiting.keys()) return Promise.resolve(this.#hand(key));
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** Work on the key has ended, well or not. */
  done(key: string): void {
    const sinceMs = this.#active.get(key);
    if (sinceMs !== undefined) this.#metrics?.worked.observe(this.#metrics, (this.#clock.monotonicMs() - sinceMs) / 1000);
    this.#active.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  #hand(key: string): string {
    const now = this.#clock.monotonicMs();
    this.#metrics?.waited.observe(this.#metrics, (now - (this.#waiting.get(key) ?? now)) / 1000);
    this.#waiting.delete(key);
    this.#active.set(key, now);
    this.#showDepth();
    return key;
  }

  #showDepth(): void {
    this.#metrics?.depth.set(this.#metrics, this.#waiting.size);
  }

  /** Ends the queue: takers get undefined, timers are cancelled, additions ignored. */
  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#waiting.clear();
    this.#again.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }
}
