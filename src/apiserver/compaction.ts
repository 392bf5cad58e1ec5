/** Forgets old history by itself, also when no process lives for as long as history is kept. */
import { asError, type Clock, type Logger } from '#base';
import { isJsonObject, parseJson } from '#machinery';
import type { Entry, Store } from '#storage';
import { utf8 } from './http/pieces.ts';

/** Upstream: DefaultCompactInterval of the etcd3 storage; history is kept for one to two of it. */
const COMPACT_INTERVAL_MS = 5 * 60_000;
/** Where the mark is kept, beside all objects (upstream: compact_rev_key of the etcd3 storage). */
const MARK_KEY = '/dray/compaction';

/** What the store holds of its own age: at this time, this was its revision. */
interface Mark {
  readonly revision: number;
  /** Unix time in milliseconds. */
  readonly timeMs: number;
}

/** What compaction works with. */
export interface CompactionOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Compacts to the revision of a mark that is one interval old, and sets the next one. The mark is stored: after a restart the interval goes on,
 * so that a server that starts again and again forgets as one that runs on.
 */
export class Compaction {
  readonly #options: CompactionOptions;
  #cancel: () => void = () => {};
  #closed = false;

  constructor(options: CompactionOptions) {
    this.#options = options;
  }

  /** Does what is due, now and whenever something is. Failures are logged, and tried again after an interval. */
  async run(): Promise<void> {
    this.#cancel();
    const { clock, logger } = this.#options;
    const delayMs = await this.#step().catch((thrown: unknown) => {
      if (!this.#closed) logger.error('compaction failed', { error: asError(thrown).message });
      return COMPACT_INTERVAL_MS;
    });
    if (!this.#closed) this.#cancel = clock.setTimer(delayMs, () => void this.run());
  }

  /** Resolves with the time until the next step. */
  async #step(): Promise<number> {
    const { store, clock } = this.#options;
    const entry = await store.get(MARK_KEY);
    const mark = entry === undefined ? undefined : markIn(entry);
    const ageMs = mark === undefined ? -1 : clock.nowMs() - mark.timeMs;
    if (ageMs >= 0 && ageMs < COMPACT_INTERVAL_MS) return COMPACT_INTERVAL_MS - ageMs;
    // A mark of the future is of a clock that was wrong: it tells nothing.
    if (mark !== undefined && ageMs >= 0) await store.compact(Math.min(mark.revision, store.revision()));
    const nothingNew = entry !== undefined && ageMs >= 0 && entry.modRevision === store.revision();
    if (!nothingNew) await this.#set(entry);
    return COMPACT_INTERVAL_MS;
  }

  /** Of several servers on one store one sets the mark; the others find it at their next step. */
  async #set(old: Entry | undefined): Promise<void> {
    const { store, clock } = this.#options;
    const mark: Mark = { revision: store.revision(), timeMs: clock.nowMs() };
    const compare = [{ key: MARK_KEY, modRevision: old?.modRevision ?? 0 }];
    await store.commit({ compare, writes: [{ key: MARK_KEY, value: utf8(JSON.stringify(mark)) }] });
  }

  /** Ends the background work. */
  close(): void {
    this.#closed = true;
    this.#cancel();
  }
}

/** Undefined for what is no mark of ours. */
function markIn({ value }: Entry): Mark | undefined {
  const mark = parseJson(new TextDecoder().decode(value));
  if (!isJsonObject(mark)) return undefined;
  const { revision, timeMs } = mark;
  return typeof revision === 'number' && typeof timeMs === 'number' ? { revision, timeMs } : undefined;
}
