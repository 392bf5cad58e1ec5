/** Growing pauses between attempts, spread by chance so that many clients do not return at once. */
import type { Clock, Random } from '#base';

/** How pauses grow; client-go's reflector: 0.8 s doubling to 30 s, forgotten after 2 minutes of quiet. */
export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
  /** After so long without a failure the next pause is the first again. */
  readonly resetMs: number;
}

/** Limits of client-go's reflector (tools/cache/reflector.go). */
export const REFLECTOR_BACKOFF: BackoffLimits = { firstMs: 800, maxMs: 30_000, resetMs: 120_000 };

/** The pauses of one repeated action. */
export class Backoff {
  readonly #limits: BackoffLimits;
  readonly #clock: Clock;
  readonly #random: Random;
  #currentMs: number;
  #lastMs: number;

  constructor(limits: BackoffLimits, clock: Clock, random: Random) {
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
    this.#currentMs = limits.firstMs;
    this.#lastMs = clock.monotonicMs();
  }

  /** The pause before the next attempt: between once and twice the current step. */
  nextMs(): number {
    const now = this.#clock.monotonicMs();
    if (now - this.#lastMs > this.#limits.resetMs) this.#currentMs = this.#limits.firstMs;
    this.#lastMs = now;
    const step = this.#currentMs;
    this.#currentMs = Math.min(step * 2, this.#limits.maxMs);
    return step + this.#random.below(step + 1);
  }
}
