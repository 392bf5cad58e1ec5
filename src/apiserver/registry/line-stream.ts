/** A bounded queue of encoded lines that a response body drains. */
import { joined, utf8 } from '../http/pieces.ts';
import { refusal } from '../refusals.ts';
import type { WatchRounds } from './watch-rounds.ts';

/** Lines that a reader may lag behind before it is cut off; upstream buffers 100 to 1000 events per watcher. */
export const LAG_LINES_MAX = 10_000;
/** Bytes of such lines: one object may have a million of them. */
export const LAG_BYTES_MAX = 16 * 1024 * 1024;
const NOTHING = new Uint8Array();

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

  /** Adds a line that does not count against the limit: what exists when a watch starts is not lag. */
  pushInitial(line: Uint8Array): void {
    if (this.#ended) return;
    this.#lines.push(line);
    this.#wakeReader();
  }

  /** Adds a line; ends the stream with an ERROR event of 410 when the reader lags too far. */
  push(line: Uint8Array): void {
    if (this.#ended) return;
    this.#lag += 1;
    this.#lagBytes += line.length;
    if (this.#lag > LAG_LINES_MAX) return this.#cutOff(`more than ${String(LAG_LINES_MAX)} events`);
    if (this.#lagBytes > LAG_BYTES_MAX && this.#lag > 1) return this.#cutOff(`events of more than ${String(LAG_BYTES_MAX)} bytes`);
    this.pushInitial(line);
  }

  #cutOff(lag: string): void {
    const { status } = refusal(410, 'Expired', `the watch was too slow to follow and has to start anew: ${lag} were waiting to be read`);
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
    this.#lines = [];
    this.end();
  }

  /** Hands all chunks to `sink`, then ends it. */
  pourInto(sink: LineSink): void {
    this.#sink = sink;
    if (this.#lines.length > 0 || this.#ended) this.#announce();
  }

  /** The sink takes chunks again. */
  resume(): void {
    this.#full = false;
    if (this.#lines.length > 0) this.#announce();
  }

  /** Called by the rounds. */
  flush(join: (lines: readonly Uint8Array[]) => Uint8Array): void {
    this.#announced = false;
    const sink = this.#sink;
    if (sink === undefined) return;
    if (this.#lines.length > 0 && (!this.#full || this.#ended)) this.#full = !sink.write(join(this.#take()));
    if (!this.#ended) return;
    this.#sink = undefined;
    sink.end();
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
    if (this.#sink !== undefined && (!this.#full || this.#ended)) return this.#announce();
    this.#wake?.();
    this.#wake = undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      while (!this.#closed) {
        if (this.#lines.length > 0) {
          const [first = NOTHING, ...more] = this.#take();
          yield more.length === 0 ? first : joined([first, ...more]);
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
