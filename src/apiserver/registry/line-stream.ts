/** A bounded queue of encoded lines that a response body drains. */
import { joined, utf8 } from '../http/pieces.ts';
import { refusal } from '../refusals.ts';

/** Lines that a reader may lag behind before it is cut off; upstream buffers 100 to 1000 events per watcher. */
export const LAG_LINES_MAX = 10_000;
/** Bytes of such lines: one object may have a million of them. */
export const LAG_BYTES_MAX = 16 * 1024 * 1024;
const NOTHING = new Uint8Array();

/** Written by events, read by one consumer as chunks of whole lines. A reader that lags too far is told and cut off. */
export class LineStream implements AsyncIterable<Uint8Array> {
  #lines: Uint8Array[] = [];
  /** How many of #lines count as lag, and their bytes. */
  #lag = 0;
  #lagBytes = 0;
  #ended = false;
  #closed = false;
  #wake: (() => void) | undefined;
  readonly #cleanups: (() => void)[] = [];

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

  #wakeReader(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      while (!this.#closed) {
        if (this.#lines.length > 0) {
          const [first = NOTHING, ...more] = this.#lines;
          this.#lines = [];
          this.#lag = 0;
          this.#lagBytes = 0;
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
