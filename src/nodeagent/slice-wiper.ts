/** Deletes the ResourceSlices of drivers that stay away, so that nobody is sent to devices that cannot be prepared. */
import { asError, type Clock, type Logger, sleep } from '#base';
import { RESOURCE_SLICES, type RestClient } from '#client';
import type { DriverInstances } from './driver-instances.ts';

/** What the wiper needs. */
export interface SliceWiperOptions {
  readonly client: RestClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
  readonly instances: DriverInstances;
}

/** Kubelet: how long a driver may be without a connection (wipingDelay). */
const WIPING_DELAY_MS = 30_000;
/** Kubelet: backoff of the deletion. */
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 300_000;

/** One countdown per driver; a connection of any of its instances ends it. Only slices with spec.nodeName are touched. */
export class SliceWiper {
  readonly #options: SliceWiperOptions;
  readonly #countdowns = new Map<string, () => void>();
  readonly #wiping = new Set<Promise<void>>();
  #stop = new AbortController().signal;

  constructor(options: SliceWiperOptions) {
    this.#options = options;
    options.instances.listen({ lost: (driver) => this.#begin(driver), connected: (driver) => this.#cancel(driver) });
  }

  /** Watches until `signal` aborts. Drivers whose slices were left behind by an earlier run get the same time to come back. */
  async run(signal: AbortSignal): Promise<void> {
    this.#stop = signal;
    const { client, nodeName, instances } = this.#options;
    await this.#untilDone('Looking for ResourceSlices of drivers that are gone failed', async () => {
      const slices = await client.list(RESOURCE_SLICES, { fieldSelector: `spec.nodeName=${nodeName}` });
      for (const driver of new Set(slices.items.map((slice) => slice.spec.driver))) if (!instances.isConnected(driver)) this.#begin(driver);
    });
    await new Promise<void>((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })));
    for (const cancel of this.#countdowns.values()) cancel();
    await Promise.all(this.#wiping);
  }

  /** A countdown that runs is not begun anew. */
  #begin(driver: string): void {
    if (this.#stop.aborted || this.#countdowns.has(driver)) return;
    const cancel = this.#options.clock.setTimer(WIPING_DELAY_MS, () => {
      this.#countdowns.delete(driver);
      const wiping = this.#wipe(driver).finally(() => this.#wiping.delete(wiping));
      this.#wiping.add(wiping);
    });
    this.#countdowns.set(driver, cancel);
  }

  #cancel(driver: string): void {
    this.#countdowns.get(driver)?.();
    this.#countdowns.delete(driver);
  }

  async #wipe(driver: string): Promise<void> {
    const { client, nodeName, instances, logger } = this.#options;
    await this.#untilDone('Deleting the ResourceSlices of a driver that stays away failed', async () => {
      if (instances.isConnected(driver)) return;
      await client.deleteCollection(RESOURCE_SLICES, { fieldSelector: `spec.nodeName=${nodeName},spec.driver=${driver}` });
      logger.info('Deleted the ResourceSlices of a driver that stays away', { driver });
    });
  }

  async #untilDone(failure: string, action: () => Promise<void>): Promise<void> {
    const { clock, logger } = this.#options;
    for (let pauseMs = RETRY_MIN_MS; !this.#stop.aborted; pauseMs = Math.min(RETRY_MAX_MS, pauseMs * 2)) {
      try {
        return await action();
      } catch (error) {
        logger.warn(failure, { error: asError(error).message, retryInMs: pauseMs });
        await sleep(clock, pauseMs, this.#stop).catch(() => undefined);
      }
    }
  }
}
