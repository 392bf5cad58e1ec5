/** Time as a parameter: whoever waits or stamps is handed a clock, so a test can turn it. */

/** Wall time and timers. `platform` gives the real one, tests one that is turned by hand. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Milliseconds from an arbitrary start, never going back: for durations. */
  monotonicMs(): number;
  /** Runs `callback` once after `delayMs`; the returned function cancels it. */
  setTimer(delayMs: number, callback: () => void): () => void;
}

/** Resolves after `delayMs` on `clock`; rejects with the signal's reason when `signal` aborts first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(asError(signal.reason));
    const onAbort = (): void => {
      cancel();
      reject(asError(signal?.reason));
    };
    const cancel = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** The thrown value as an Error: JavaScript lets anything be thrown, the house handles Errors. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
