/** The drivers of a node: who is registered, how they are called, what they say of their devices, and what is wiped when they stay away. */
import type { Clock, Logger } from '#base';
import type { RestClient } from '#client';
import type { Grpc, HostFiles } from '#ports';
import { type DeviceHealth, DeviceHealthCache } from './device-health.ts';
import { type CallObserver, driverCalls, type RegisteredDriver } from './driver-calls.ts';
import { DriverInstances } from './driver-instances.ts';
import { HealthFollower } from './health-follower.ts';
import { PluginRegistry } from './plugin-registry.ts';
import { SliceWiper } from './slice-wiper.ts';

/** What the drivers of a node need; `rootDir` is the node agent's. */
export interface NodeDriversOptions {
  readonly client: RestClient;
  readonly files: HostFiles;
  readonly grpc: Grpc;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
  readonly rootDir: string;
  /** Whether device health is followed (gate ResourceHealthStatus). */
  readonly followsHealth: boolean;
  readonly observeCall: CallObserver;
  /** A driver can be called again: waiting pods may go on. */
  readonly usable: () => void;
  /** Devices of a driver read differently from now on. */
  readonly healthChanged: (driver: string) => void;
}

/** Finds drivers until its signal aborts. */
export class NodeDrivers {
  readonly #options: NodeDriversOptions;
  readonly #instances = new DriverInstances();
  readonly #registry: PluginRegistry;
  readonly #wiper: SliceWiper;
  readonly #health: DeviceHealthCache;
  readonly #follower: HealthFollower | undefined;

  constructor(options: NodeDriversOptions) {
    this.#options = options;
    const { rootDir, files, clock, logger, healthChanged, usable, followsHealth } = options;
    const instances = this.#instances;
    this.#registry = new PluginRegistry({ ...options, directory: `${rootDir}/plugins_registry`, instances });
    this.#wiper = new SliceWiper({ ...options, instances });
    this.#health = new DeviceHealthCache({ files, clock, logger, file: `${rootDir}/dra_health_state`, changed: healthChanged });
    this.#follower = followsHealth ? new HealthFollower({ clock, logger, instances, cache: this.#health }) : undefined;
    instances.listen({ connected: usable });
  }

  /** Works until `signal` aborts, then closes all connections. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#follower !== undefined) await this.#health.load();
    await Promise.all([this.#registry.run(signal), this.#wiper.run(signal), this.#follower?.run(signal)]);
    await this.#health.close();
  }

  /** Names of the registered drivers. */
  names(): readonly string[] {
    return this.#instances.drivers();
  }

  /** The newest connected instance of a driver, or the newest; undefined when none is registered. */
  driver(name: string): RegisteredDriver | undefined {
    const instance = this.#instances.preferred(name);
    const { clock, observeCall } = this.#options;
    return instance === undefined ? undefined : driverCalls({ ...instance, clock, observe: observeCall });
  }

  /** The health of a device as last reported. */
  deviceHealth(driver: string, pool: string, device: string): DeviceHealth {
    return this.#health.of(driver, pool, device);
  }
}
