/** Follows the health stream of each driver that offers one. */
import { asError, type Clock, type Logger, sleep } from '#base';
import { type GrpcClient, GrpcCode, GrpcError } from '#ports';
import { callStream, draHealthV1, draHealthV1alpha1 } from '#wire';
import type { DeviceHealthCache, DeviceReport, Health } from './device-health.ts';
import type { DriverInstance, DriverInstances, HealthService } from './driver-instances.ts';
import { driverText } from './driver-text.ts';

/** What the follower needs. */
export interface HealthFollowerOptions {
  readonly instances: DriverInstances;
  readonly cache: DeviceHealthCache;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Following {
  readonly instance: DriverInstance;
  readonly stop: AbortController;
}

/** Kubelet: pause before a broken stream is opened again. */
const RECONNECT_MS = 5_000;

type Stream = AsyncIterable<draHealthV1.NodeWatchResourcesResponse | draHealthV1alpha1.NodeWatchResourcesResponse>;

/** The two versions differ in the service's name only. */
const OPEN: Readonly<Record<HealthService, (client: GrpcClient, signal: AbortSignal) => Stream>> = {
  'v1.DRAResourceHealth': (client, signal) => callStream(client, draHealthV1.DRAResourceHealth.method.nodeWatchResources, {}, signal),
  'v1alpha1.DRAResourceHealth': (client, signal) => callStream(client, draHealthV1alpha1.DRAResourceHealth.method.nodeWatchResources, {}, signal),
};
/** By number on the wire: UNKNOWN, HEALTHY, UNHEALTHY. */
const WORDS: readonly Health[] = ['Unknown', 'Healthy', 'Unhealthy'];

/** One stream per driver, to its newest instance: during a rolling update the old one's end changes nothing. */
export class HealthFollower {
  readonly #options: HealthFollowerOptions;
  readonly #following = new Map<string, Following>();
  readonly #streams = new Set<Promise<void>>();
  #ended = false;

  constructor(options: HealthFollowerOptions) {
    this.#options = options;
    options.instances.listen({ changed: (driver) => this.#choose(driver) });
  }

  /** Follows until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })));
    this.#ended = true;
    for (const { stop } of this.#following.values()) stop.abort();
    await Promise.all(this.#streams);
  }

  #choose(driver: string): void {
    if (this.#ended) return;
    const newest = this.#options.instances.of(driver).at(-1);
    const known = this.#following.get(driver);
    if (known?.instance === newest) return;
    known?.stop.abort();
    this.#following.delete(driver);
    if (newest?.health === undefined) return this.#options.cache.forget(driver);
    const following = { instance: newest, stop: new AbortController() };
    this.#following.set(driver, following);
    const stream = this.#follow(following).finally(() => this.#streams.delete(stream));
    this.#streams.add(stream);
  }

  async #follow({ instance, stop }: Following): Promise<void> {
    const { cache, clock, logger } = this.#options;
    const { driver } = instance;
    while (!stop.signal.aborted) {
      try {
        await this.#read(instance, stop.signal);
      } catch (error) {
        if (error instanceof GrpcError && error.code === GrpcCode.unimplemented) {
          logger.info('The driver does not report device health', { driver });
          return cache.forget(driver);
        }
        logger.debug('The stream of device health broke', { driver, error: driverText(asError(error).message) });
      }
      if (stop.signal.aborted) return;
      cache.forget(driver);
      await sleep(clock, RECONNECT_MS, stop.signal).catch(() => undefined);
    }
  }

  async #read({ driver, client, health }: DriverInstance, signal: AbortSignal): Promise<void> {
    if (health === undefined) return;
    for await (const { devices } of OPEN[health](client, signal)) this.#options.cache.report(driver, devices.map(reportOf));
  }
}

function reportOf({ device, health, message, healthCheckTimeoutSeconds }: draHealthV1.DeviceHealth | draHealthV1alpha1.DeviceHealth): DeviceReport {
  return {
    pool: device?.poolName ?? '',
    device: device?.deviceName ?? '',
    health: WORDS[health] ?? 'Unknown',
    message,
    timeoutSeconds: Number(healthCheckTimeoutSeconds),
  };
}
