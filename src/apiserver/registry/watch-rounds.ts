/** When watchers are written to: all of them together, then none for as long as that took. */
import type { Clock } from '#base';
import { joined } from '../http/pieces.ts';

/** What an event may be late by waiting for the next round. */
const PAUSE_MAX_MS = 20;

/** Lines that are to be sent in the next round. */
export interface WaitingLines {
  /** Sends them; `join` makes one chunk of several lines. */
  flush(join: (lines: readonly Uint8Array[]) => Uint8Array): void;
}

/**
 * To send one event to a thousand watchers is to encrypt and send a thousand records, which takes many times as long as to store it.
 * Where events come faster than that, those that wait share a record; an event that comes alone does not wait.
 */
export class WatchRounds {
  readonly #clock: Clock;
  #waiting: WaitingLines[] = [];
  #scheduled = false;
  #pausedUntilMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes the lines along in the next round. */
  add(lines: WaitingLines): void {
    this.#waiting.push(lines);
    if (this.#scheduled) return;
    this.#scheduled = true;
    const pauseMs = this.#pausedUntilMs - this.#clock.monotonicMs();
    if (pauseMs > 0) this.#clock.setTimer(pauseMs, () => this.#run());
    else void Promise.resolve().then(() => this.#run());
  }

  #run(): void {
    this.#scheduled = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    const startMs = this.#clock.monotonicMs();
    const join = joinedOnce();
    for (const lines of waiting) lines.flush(join);
    const endMs = this.#clock.monotonicMs();
    this.#pausedUntilMs = endMs + Math.min(endMs - startMs, PAUSE_MAX_MS);
  }
}

/** Joins lines; most watchers of a round wait for the same ones. */
function joinedOnce(): (lines: readonly Uint8Array[]) => Uint8Array {
  let last: readonly Uint8Array[] = [];
  let chunk: Uint8Array = new Uint8Array();
  return (lines) => {
    const [first = chunk] = lines;
    if (lines.length === 1) return first;
    if (lines.length === last.length && lines.every((line, at) => line === last[at])) return chunk;
    last = lines;
    chunk = joined(lines);
    return chunk;
  };
}
