/** What every controller gets, and informers shared between them. */
import type { Clock, Logger, Metrics, Random } from '#base';
import { Informer, type Resource, type RestClient } from '#client';
import { type ApiObject, apiVersionOf } from '#machinery';
import { WorkQueue, workQueueMetrics } from '#reconcile';

/** What the controllers run on. */
export interface ControllerContext {
  readonly client: RestClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly gates: ReadonlyMap<string, boolean>;
  /** The certificates by which pods know the API server, PEM; undefined where nobody said. */
  readonly rootCaPem?: string | undefined;
  readonly informers: SharedInformers;
}

/** The queue of a controller; `name` is what its metrics are told apart by. */
export function queueFor({ clock, metrics }: ControllerContext, name: string): WorkQueue {
  return new WorkQueue(clock, { metrics: workQueueMetrics(metrics, name) });
}

/** One informer per resource, however many controllers read it. */
export class SharedInformers {
  readonly #parts: { readonly client: RestClient; readonly clock: Clock; readonly random: Random; readonly logger: Logger };
  readonly #signal: AbortSignal;
  readonly #informers = new Map<string, Informer<never>>();
  readonly #running: Promise<void>[] = [];

  constructor(parts: { readonly client: RestClient; readonly clock: Clock; readonly random: Random; readonly logger: Logger }, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
  }

  /** The informer of a resource, started when first asked for. */
  of<T extends ApiObject>(resource: Resource<T>): Informer<T> {
    return this.#informer(resource, undefined);
  }

  /** The informer of the objects of one name, in all namespaces. */
  named<T extends ApiObject>(resource: Resource<T>, name: string): Informer<T> {
    return this.#informer(resource, `metadata.name=${name}`);
  }

  #informer<T extends ApiObject>(resource: Resource<T>, fieldSelector: string | undefined): Informer<T> {
    const key = `${apiVersionOf(resource)}/${resource.plural} ${fieldSelector ?? ''}`;
    const known = this.#informers.get(key);
    // The key names the resource, and with it T.
    if (known !== undefined) return known as unknown as Informer<T>;
    const informer = new Informer<T>({ ...this.#parts, resource, ...(fieldSelector !== undefined && { fieldSelector }) });
    this.#informers.set(key, informer as unknown as Informer<never>);
    this.#running.push(informer.run(this.#signal));
    return informer;
  }

  /** Resolves when all informers have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }
}

/** Resolves when all informers have their first list, or `signal` aborts. */
export async function synced(informers: readonly { whenSynced(): Promise<void> }[], signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  let stop: () => void = () => undefined;
  const aborted = new Promise<void>((resolve) => {
    stop = resolve;
    signal.addEventListener('abort', stop, { once: true });
  });
  await Promise.race([Promise.all(informers.map((informer) => informer.whenSynced())), aborted]);
  signal.removeEventListener('abort', stop);
}
