/** A bounded queue of encoded lines that a response body drains. */
import { joined, utf8 } from '../http/pieces.ts';
import { refusal } from '../refusals.ts';
import type { WatchRounds } from './watch-rounds.ts';

/** Lines that a reader may lag behind before it is cut off; upstream buffers 100 to 1000 events per watcher. */
export const LAG_LINES_MAX = 10_000;
/** Bytes of such lines: one object may have a million of them. */
export const LAG_BYTES_MAX = 16 * 1024 * 1024;

/** Where chunks go. */
export interface LineSink {
  /** Takes a chunk; false asks to wait for `resume` before the next. */
  write(chunk: Uint8Array): boolean;
  end(): void;
}

/**
 * Written by events, read by one consumer as chunks of whole lines: by iterating, or poured into a sink, which costs no promises.
 * A reader that lags too far is told and cut off.
 */
export class LineStream implements AsyncIterable<Uint8Array> {
  readonly #rounds: WatchRounds;
  /** What comes before all lines, made when the reader takes it. */
  #initial: Iterator<Uint8Array> | undefined;
  #lines: Uint8Array[] = [];
  /** How many of #lines count as lag, and their bytes. */
  #lag = 0;
  #lagBytes = 0;
  #ended = false;
  #closed = false;
  #wake: (() => void) | undefined;
  #sink: LineSink | undefined;
  /** Whether the sink asked to wait. */
  #full = false;
  /** Whether the next round takes this stream along. */
  #announced = false;
  readonly #cleanups: (() => void)[] = [];

  constructor(rounds: WatchRounds) {
    this.#rounds = rounds;
  }

  /** Runs `cleanup` once when the stream ends or is closed; at once when it has. */
  onClose(cleanup: () => void): void {
    if (this.#ended) cleanup();
    else this.#cleanups.push(cleanup);
  }

  /**
   * Begins with `chunks` of whole lines, each asked for when the reader has taken the one before: what exists when a watch starts is no
   * lag, and does not wait in memory. Lines that are added meanwhile are lag.
   */
  begin(chunks: Iterator<Uint8Array>): void {
    if (this.#ended) return;
    this.#initial = chunks;
    this.#wakeReader();
  }

  /** Adds a line; ends the stream with an ERROR event of 410 when the reader lags too far. */
  push(line: Uint8Array): void {
    if (this.#ended) return;
    this.#lag += 1;
    this.#lagBytes += line.length;
    if (this.#lag > LAG_LINES_MAX) return this.#cutOff(`more than ${String(LAG_LINES_MAX)} events`);
    if (this.#lagBytes > LAG_BYTES_MAX && this.#lag > 1) return this.#cutOff(`events of more than ${String(LAG_BYTES_MAX)} bytes`);
    this.#lines.push(line);
    this.#wakeReader();
  }

  #cutOff(lag: string): void {
    const { status } = refusal(410, 'Expired', `the watch was too slow to follow and has to start anew: ${lag} were waiting to be read`);
    this.#initial = undefined;
    this.#lines = [];
    this.end(utf8(`{"type":"ERROR","object":${JSON.stringify(status)}}\n`));
  }

  /** Ends the stream after what is queued, and after `last`. */
  end(last?: Uint8Array): void {
    if (this.#ended) return;
    if (last !== undefined) this.#lines.push(last);
    this.#ended = true;
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
    this.#wakeReader();
  }

  /** Ends the stream at once; what is queued is dropped. */
  close(): void {
    this.#closed = true;
    this.#initial = undefined;
    this.#lines = [];
    this.end();
  }

  /** Hands all chunks to `sink`, then ends it. */
  pourInto(sink: LineSink): void {
    this.#sink = sink;
    if (this.#waits || this.#ended) this.#announce();
  }

  /** The sink takes chunks again. */
  resume(): void {
    this.#full = false;
    // Rounds are for events that many wait for.
    if (this.#initial !== undefined) this.flush(joined);
    else if (this.#waits) this.#announce();
  }

  /** Called by the rounds. */
  flush(join: (lines: readonly Uint8Array[]) => Uint8Array): void {
    this.#announced = false;
    const sink = this.#sink;
    if (sink === undefined) return;
    while (this.#waits && !this.#mustWait) {
      const chunk = this.#next(join);
      if (chunk !== undefined) this.#full = !sink.write(chunk);
    }
    if (!this.#ended || this.#waits) return;
    this.#sink = undefined;
    sink.end();
  }

  /** The last lines go out whether the sink takes more or not: they are few. */
  get #mustWait(): boolean {
    return this.#full && (!this.#ended || this.#initial !== undefined);
  }

  get #waits(): boolean {
    return this.#initial !== undefined || this.#lines.length > 0;
  }

  /** What is to be sent next; nothing where the beginning turns out to be over. */
  #next(join: (lines: readonly Uint8Array[]) => Uint8Array): Uint8Array | undefined {
    if (this.#initial === undefined) return join(this.#take());
    const next = this.#initial.next();
    if (next.done !== true) return next.value;
    this.#initial = undefined;
    return undefined;
  }

  #announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    this.#rounds.add(this);
  }

  #take(): readonly Uint8Array[] {
    const lines = this.#lines;
    this.#lines = [];
    this.#lag = 0;
    this.#lagBytes = 0;
    return lines;
  }

  #wakeReader(): void {
    if (this.#sink !== undefined && !this.#mustWait) return this.#announce();
    this.#wake?.();
    this.#wake = undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      while (!this.#closed) {
        if (this.#waits) {
          const chunk = this.#next(joined);
          if (chunk !== undefined) yield chunk;
          continue;
        }
        if (this.#ended) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      this.close();
    }
  }
}
