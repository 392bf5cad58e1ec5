/** Keeps a driver's ResourceSlices in the API server as wanted. */
import { asError, type Clock, type Logger, type Random, sleep } from '#base';
import type { ResourceSlice } from '#api';
import { Informer, NODES, RESOURCE_SLICES, type RestClient } from '#client';
import { isConflict, isNotFound, nameOf } from '#machinery';
import { OwnWrites } from './own-writes.ts';
import { canonical, type DesiredPool, planPool, type SliceOwner } from './pool-plan.ts';
import { poolProblems } from './pool-problems.ts';

/** What a publisher needs. */
export interface SlicePublisherOptions {
  readonly client: RestClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly driver: string;
  readonly nodeName: string;
  /** Told of what is wrong with what the driver wants, and of refusals; publishing goes on. */
  readonly handleError?: ((error: Error) => void) | undefined;
}

/** How long after an outside change a pool is put right: own writes and bursts settle first (controller: defaultSyncDelay). */
const REPAIR_DELAY_MS = 30_000;
/** Pause after a failed sync, doubled up to the maximum. */
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 60_000;

/** One writer per driver and node. Pools that are no longer wanted are deleted; slices stay when the driver stops. */
export class SlicePublisher {
  readonly #options: SlicePublisherOptions;
  readonly #informer: Informer<ResourceSlice>;
  #desired: ReadonlyMap<string, DesiredPool> | undefined;
  #wake: () => void = () => undefined;
  #woken = false;
  #cancelRepair: (() => void) | undefined;
  readonly #ownWrites = new OwnWrites();
  /** Wrong pools that were reported. */
  readonly #refused = new WeakSet<DesiredPool>();
  /** Ends the pause after a failure. */
  #news = new AbortController();

  constructor(options: SlicePublisherOptions) {
    this.#options = options;
    const { client, clock, random, logger, driver, nodeName } = options;
    this.#informer = new Informer({
      client,
      clock,
      random,
      logger,
      resource: RESOURCE_SLICES,
      fieldSelector: `spec.driver=${driver},spec.nodeName=${nodeName}`,
    });
    const changed = (slice: ResourceSlice): void => {
      if (!this.#ownWrites.arrived(slice)) this.#planRepair();
    };
    const deleted = (slice: ResourceSlice): void => {
      this.#ownWrites.gone(slice);
      this.#planRepair();
    };
    this.#informer.addHandler({ added: changed, updated: (_old, now) => changed(now), deleted });
  }

  /** Wants exactly these pools, by name, from now on. Returns at once. */
  publish(pools: ReadonlyMap<string, DesiredPool>): void {
    this.#desired = pools;
    this.#news.abort();
    this.#wakeUp();
  }

  /** Works until `signal` aborts. Errors are logged and retried. */
  async run(signal: AbortSignal): Promise<void> {
    const informing = this.#informer.run(signal);
    let retryMs = RETRY_MIN_MS;
    while (!signal.aborted) {
      await this.#woke(signal);
      if (signal.aborted) break;
      try {
        await this.#syncAll();
        retryMs = RETRY_MIN_MS;
      } catch (error) {
        this.#problem(asError(error));
        this.#news = new AbortController();
        await sleep(this.#options.clock, retryMs, AbortSignal.any([signal, this.#news.signal])).catch(() => undefined);
        retryMs = this.#news.signal.aborted ? RETRY_MIN_MS : Math.min(RETRY_MAX_MS, retryMs * 2);
        this.#wakeUp();
      }
    }
    await informing;
    this.#cancelRepair?.();
  }

  #wakeUp(): void {
    this.#woken = true;
    this.#wake();
  }

  async #woke(signal: AbortSignal): Promise<void> {
    while (!this.#woken && !signal.aborted) {
      const wake = Promise.withResolvers<void>();
      this.#wake = wake.resolve;
      signal.addEventListener('abort', this.#wake, { once: true });
      await wake.promise;
      signal.removeEventListener('abort', this.#wake);
    }
    this.#woken = false;
  }

  #planRepair(): void {
    this.#cancelRepair ??= this.#options.clock.setTimer(REPAIR_DELAY_MS, () => {
      this.#cancelRepair = undefined;
      this.#wakeUp();
    });
  }

  /** Reads the server rather than the informer: after own writes the informer may lag. */
  async #syncAll(): Promise<void> {
    const desired = this.#desired;
    if (desired === undefined) return;
    const { client, driver, nodeName } = this.#options;
    const [node, listed] = await Promise.all([client.get(NODES, nodeName), client.list(RESOURCE_SLICES, { fieldSelector: `spec.driver=${driver}` })]);
    const nodeReference = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata.uid ?? '', controller: true };
    const mine = listed.items.filter((slice) => slice.spec.nodeName === nodeName || desired.has(slice.spec.pool.name));
    this.#ownWrites.keepOnly(listed.items);
    const failures: unknown[] = [];
    for (const pool of new Set([...desired.keys(), ...mine.map((slice) => slice.spec.pool.name)])) {
      const wanted = desired.get(pool);
      // It stays as it is until the driver wants something else: trying again would change nothing.
      if (wanted !== undefined && this.#refuse(pool, wanted)) continue;
      const existing = mine.filter((slice) => slice.spec.pool.name === pool);
      // One pool that the server refuses must not keep the others from being published.
      await this.#syncPool(pool, wanted, existing, { driver, nodeName, nodeReference }).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  #refuse(name: string, pool: DesiredPool): boolean {
    if (this.#refused.has(pool)) return true;
    const problems = poolProblems(name, pool);
    for (const problem of problems) this.#problem(new Error(problem));
    if (problems.length > 0) this.#refused.add(pool);
    return problems.length > 0;
  }

  #problem(error: Error): void {
    this.#options.logger.error('Publishing ResourceSlices failed', { driver: this.#options.driver, error: error.message });
    this.#options.handleError?.(error);
  }

  async #syncPool(name: string, desired: DesiredPool | undefined, existing: readonly ResourceSlice[], owner: SliceOwner): Promise<void> {
    const { client, logger } = this.#options;
    const plan = planPool(name, desired, existing, owner);
    for (const slice of plan.deletes) {
      const { uid, resourceVersion } = slice.metadata;
      await client.delete(RESOURCE_SLICES, nameOf(slice), { uid, resourceVersion }).catch(ignoreNotFound);
    }
    for (const slice of plan.updates) this.#written(slice, await client.update(RESOURCE_SLICES, slice));
    for (const slice of plan.creates) this.#written(slice, await client.create(RESOURCE_SLICES, slice));
    const { deletes, updates, creates } = plan;
    if (deletes.length + updates.length + creates.length > 0) {
      logger.info('Published a pool', { pool: name, deleted: deletes.length, updated: updates.length, created: creates.length });
    }
  }

  /** Says so when the server kept less than was sent: a feature gate is off. */
  #written(sent: ResourceSlice, stored: ResourceSlice): void {
    this.#ownWrites.add(stored);
    const [devices, kept] = [sent.spec.devices ?? [], stored.spec.devices ?? []];
    const dropped = devices.filter((device, i) => canonical(withoutTimes(device)) !== canonical(withoutTimes(kept[i])));
    if (dropped.length === 0) return;
    const gates = 'DRADeviceTaints, DRAPartitionableDevices, DRADeviceBindingConditions, DRAConsumableCapacity';
    const names = dropped.map((device) => device.name).slice(0, 8);
    this.#problem(new Error(`the API server dropped fields of devices ${names.join(', ')} in ${nameOf(stored)}; a feature gate may be off (${gates})`));
  }
}

function withoutTimes(device: NonNullable<ResourceSlice['spec']['devices']>[number] | undefined): unknown {
  return device === undefined ? undefined : { ...device, taints: device.taints?.map((taint) => ({ ...taint, timeAdded: undefined })) };
}

function ignoreNotFound(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error)) throw error;
}
