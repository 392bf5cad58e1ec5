/** Runs a reconciler over the keys of a queue. */
import { asError, type Logger } from '#base';
import { isConflict } from '#machinery';
import type { WorkQueue } from './work-queue.ts';

/** What a run may ask for: to be called again after a while although nothing changed. */
export interface ReconcileResult {
  readonly requeueAfterMs?: number | undefined;
}

/**
 * Brings what a key names to what it should be. Input-free: it reads the world anew each time, acts on the difference and
 * keeps nothing, so that one run more does no harm. Rejecting means: try again later.
 */
export type Reconciler = (key: string, signal: AbortSignal) => Promise<void | ReconcileResult>;

/** What a controller is made of. `workers` keys are reconciled at a time, never one key twice. */
export interface ControllerOptions {
  readonly name: string;
  readonly reconcile: Reconciler;
  readonly queue: WorkQueue;
  readonly logger: Logger;
  readonly workers?: number | undefined;
}

/** Workers of upstream's controllers (--concurrent-*-syncs: mostly 5 or 10). */
const DEFAULT_WORKERS = 10;

/** A queue and its workers. */
export class Controller {
  readonly #options: ControllerOptions;

  constructor(options: ControllerOptions) {
    this.#options = options;
  }

  /** Works until `signal` aborts, then closes the queue and resolves when the runs in progress have ended. */
  async run(signal: AbortSignal): Promise<void> {
    const { queue, workers = DEFAULT_WORKERS } = this.#options;
    const stop = (): void => queue.close();
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    await Promise.all(Array.from({ length: workers }, () => this.#work(signal)));
    signal.removeEventListener('abort', stop);
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { queue } = this.#options;
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      await this.#reconcile(key, signal);
      queue.done(key);
    }
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const { name, reconcile, queue, logger } = this.#options;
    try {
      const result = await reconcile(key, signal);
      queue.forget(key);
      if (result?.requeueAfterMs !== undefined) queue.addAfter(key, result.requeueAfterMs);
    } catch (error) {
      if (signal.aborted) return;
      // A conflict only says that somebody was faster; the next run sees the newer object.
      const level = isConflict(error) ? 'debug' : 'warn';
      logger[level]('reconciling failed, trying again', { controller: name, key, error: asError(error).message });
      queue.addRateLimited(key);
    }
  }
}
