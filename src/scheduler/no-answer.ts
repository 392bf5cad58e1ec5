/** Writes that got no answer: the server may have carried them out, and which it was shows only when it answers again. */
import { type Clock, sleep } from '#base';
import { ApiError, isNotFound } from '#machinery';

/** Pause before the server is asked what became of a write, and between such questions. */
const PAUSE_MS = 1_000;

/** A write failed without a word of the server. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** An error that tells what a write was for; one without the server's answer stays recognizable. */
export function failedWrite(what: string, cause: Error): Error {
  const message = `${what}: ${cause.message}`;
  return cause instanceof ApiError ? new Error(message, { cause }) : new NoAnswer(message, { cause });
}

/** What `read` finds once the server answers; undefined when it says that there is nothing. Rejects when `signal` aborts. */
export async function whenAnswered<T>(read: () => Promise<T>, clock: Clock, signal: AbortSignal): Promise<T | undefined> {
  for (;;) {
    await sleep(clock, PAUSE_MS, signal);
    try {
      return await read();
    } catch (error) {
      if (isNotFound(error)) return undefined;
    }
  }
}
