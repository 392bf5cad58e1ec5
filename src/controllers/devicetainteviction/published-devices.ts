/** The devices that drivers publish now: of each pool only the newest generation. */
import type { Device, DeviceTaint, ResourceSlice } from '#api';
import type { Informer } from '#client';

const BY_POOL = 'pool';

/** A device and where it is. */
export interface PublishedDevice {
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
}

/** Finds devices in the slices of an informer. */
export class PublishedDevices {
  readonly #slices: Informer<ResourceSlice>;

  constructor(slices: Informer<ResourceSlice>) {
    this.#slices = slices;
    slices.addIndex(BY_POOL, ({ spec }) => [poolKey(spec.driver, spec.pool.name)]);
  }

  /** The taints of a device; none if it is not published any more. */
  taintsOf({ driver, pool, device }: PublishedDevice): readonly DeviceTaint[] {
    return this.#devicesOf(poolKey(driver, pool)).find(({ name }) => name === device)?.taints ?? [];
  }

  /** How many devices `select` chooses. */
  count(select: (device: PublishedDevice) => boolean): number {
    const pools = new Map(this.#slices.lister.list().map(({ spec }) => [poolKey(spec.driver, spec.pool.name), spec]));
    let count = 0;
    for (const [key, { driver, pool }] of pools) {
      for (const { name: device } of this.#devicesOf(key)) if (select({ driver, pool: pool.name, device })) count++;
    }
    return count;
  }

  #devicesOf(key: string): readonly Device[] {
    const slices = this.#slices.lister.byIndex(BY_POOL, key);
    const newest = slices.reduce((most, { spec }) => Math.max(most, Number(spec.pool.generation)), 0);
    return slices.filter(({ spec }) => Number(spec.pool.generation) === newest).flatMap(({ spec }) => spec.devices ?? []);
  }
}

/** Neither a driver nor a pool's first segment is ever empty, so the text is unique. */
export function poolKey(driver: string, pool: string): string {
  return `${driver}/${pool}`;
}
