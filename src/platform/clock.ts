/** The real clock: wall time, monotonic time and timers of this process. */
import type { Clock } from '#base';

/** Some 25 days; Node fires timers with a longer delay at once. */
const DELAY_MAX_MS = 2 ** 31 - 1;

/** Reads the machine's clocks. Its timers keep the process alive until they fire or are cancelled. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.min(delayMs, DELAY_MAX_MS));
    return () => clearTimeout(timer);
  },
};
