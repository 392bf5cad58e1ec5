/** Mirrors a collection of the API: list once, then follow the watch; list anew only when the history is gone, or another's. */
import { asError, type Clock, type Logger, type Random, sleep } from '#base';
import { type ApiObject, isExpired, isTooLargeResourceVersion } from '#machinery';
import { Backoff, REFLECTOR_BACKOFF } from './backoff.ts';
import type { Resource } from './resource.ts';
import type { RestClient, Scope } from './rest-client.ts';
import type { WatchEvent } from './watch-stream.ts';

/** What a reflector reports to; both are called in the order of the server's history. */
export interface ReflectorSink<T extends ApiObject> {
  /** The collection as it is now; whatever is not in `items` is gone. */
  replace(items: readonly T[]): void;
  /** One change. Never a bookmark. */
  apply(event: WatchEvent<T>): void;
}

/** What a reflector needs. */
export interface ReflectorOptions<T extends ApiObject> extends Scope {
  readonly client: RestClient;
  readonly resource: Resource<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Seconds after which the server ends a watch, at least; up to twice as long (client-go: 5 minutes). */
const WATCH_TIMEOUT_SECONDS = 300;

/** A watch that outlives its timeout by so much hangs on a dead connection and is given up. */
const DEAD_WATCH_GRACE_MS = 30_000;

/** Keeps `sink` in step with the API until `signal` aborts; never rejects. */
export async function reflect<T extends ApiObject>(options: ReflectorOptions<T>, sink: ReflectorSink<T>, signal: AbortSignal): Promise<void> {
  const { clock, logger, resource } = options;
  const backoff = new Backoff(REFLECTOR_BACKOFF, clock, options.random);
  let resourceVersion: string | undefined;
  while (!signal.aborted) {
    try {
      resourceVersion ??= await listInto(options, sink);
      const startedMs = clock.monotonicMs();
      for await (const event of watchFrom(options, resourceVersion, signal)) {
        resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion;
        if (event.type !== 'BOOKMARK') sink.apply(event);
      }
      // An ordinary end; a server that closes at once is not asked in a tight loop.
      if (clock.monotonicMs() - startedMs < 1000) await pause(backoff, clock, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (isExpired(error) || isTooLargeResourceVersion(error)) resourceVersion = undefined;
      else logger.warn('watching failed, trying again', { resource: resource.plural, error: asError(error).message });
      await pause(backoff, clock, signal);
    }
  }
}

async function listInto<T extends ApiObject>(options: ReflectorOptions<T>, sink: ReflectorSink<T>): Promise<string> {
  const { namespace, labelSelector, fieldSelector } = options;
  const list = await options.client.list(options.resource, { namespace, labelSelector, fieldSelector });
  sink.replace(list.items);
  return list.metadata.resourceVersion ?? '0';
}

async function* watchFrom<T extends ApiObject>(options: ReflectorOptions<T>, resourceVersion: string, signal: AbortSignal): AsyncGenerator<WatchEvent<T>> {
  const { namespace, labelSelector, fieldSelector } = options;
  const timeoutSeconds = WATCH_TIMEOUT_SECONDS + options.random.below(WATCH_TIMEOUT_SECONDS);
  const dead = new AbortController();
  const cancel = options.clock.setTimer(timeoutSeconds * 1000 + DEAD_WATCH_GRACE_MS, () => dead.abort(new Error('the watch outlived its timeout')));
  try {
    yield* options.client.watch(
      options.resource,
      { namespace, labelSelector, fieldSelector, resourceVersion, allowWatchBookmarks: true, timeoutSeconds },
      AbortSignal.any([signal, dead.signal]),
    );
  } finally {
    cancel();
  }
}

async function pause(backoff: Backoff, clock: Clock, signal: AbortSignal): Promise<void> {
  await sleep(clock, backoff.nextMs(), signal).catch(() => undefined);
}
