/** The registered instances of each driver: two of one driver live side by side during a rolling update. */
import type { GrpcClient } from '#ports';
import type { DraService } from './driver-calls.ts';

/** The services of the device health stream, as drivers advertise them; the first is preferred. */
export const HEALTH_SERVICES = ['v1.DRAResourceHealth', 'v1alpha1.DRAResourceHealth'] as const;
/** One of them. */
export type HealthService = (typeof HEALTH_SERVICES)[number];

/** A registered instance and its connection. */
export interface DriverInstance {
  readonly driver: string;
  readonly endpoint: string;
  readonly service: DraService;
  /** How it reports device health; undefined when it does not. */
  readonly health: HealthService | undefined;
  readonly client: GrpcClient;
}

/** Who wants to know of a driver's coming and going. */
export interface DriverListener {
  /** The driver has a connected instance now, which it had not. */
  connected?(driver: string): void;
  /** Its last connected instance is gone, or none of its instances is registered any more. */
  lost?(driver: string): void;
  /** The set of its registered instances changed. */
  changed?(driver: string): void;
}

/** Instances in the order of their registration. */
export class DriverInstances {
  readonly #instances = new Map<string, DriverInstance[]>();
  readonly #connected = new Set<DriverInstance>();
  readonly #listeners: DriverListener[] = [];

  /** Tells `listener` of everything from now on. */
  listen(listener: DriverListener): void {
    this.#listeners.push(listener);
  }

  /** Names of the drivers with an instance. */
  drivers(): readonly string[] {
    return [...this.#instances.keys()];
  }

  /** Registered instances of a driver, oldest first. */
  of(driver: string): readonly DriverInstance[] {
    return this.#instances.get(driver) ?? [];
  }

  /** The newest connected instance, or the newest; undefined when none is registered. */
  preferred(driver: string): DriverInstance | undefined {
    const instances = this.of(driver);
    return instances.findLast((instance) => this.#connected.has(instance)) ?? instances.at(-1);
  }

  /** Whether any instance of the driver is connected. */
  isConnected(driver: string): boolean {
    return this.of(driver).some((instance) => this.#connected.has(instance));
  }

  /** Takes the instance in and follows its connection. */
  add(instance: DriverInstance): void {
    this.#instances.set(instance.driver, [...this.of(instance.driver), instance]);
    instance.client.watchConnected((connected) => this.#connection(instance, connected));
    this.#tell('changed', instance.driver);
  }

  /** Closes the instance's connection and forgets it. */
  remove(instance: DriverInstance): void {
    const left = this.of(instance.driver).filter((other) => other !== instance);
    if (left.length > 0) this.#instances.set(instance.driver, left);
    else this.#instances.delete(instance.driver);
    instance.client.close();
    const counted = this.#connected.delete(instance) || left.length === 0;
    if (counted && !this.isConnected(instance.driver)) this.#tell('lost', instance.driver);
    this.#tell('changed', instance.driver);
  }

  #connection(instance: DriverInstance, connected: boolean): void {
    // A connection that was closed here says so later.
    if (!this.of(instance.driver).includes(instance)) return;
    const before = this.isConnected(instance.driver);
    if (connected) this.#connected.add(instance);
    else this.#connected.delete(instance);
    const after = this.isConnected(instance.driver);
    if (before !== after) this.#tell(after ? 'connected' : 'lost', instance.driver);
  }

  #tell(what: keyof DriverListener, driver: string): void {
    for (const listener of this.#listeners) listener[what]?.(driver);
  }
}
