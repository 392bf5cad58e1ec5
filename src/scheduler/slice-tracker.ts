/** Published devices as the allocator is to see them: with the taints that DeviceTaintRules add (KEP 5055). */
import { type PoolIndex } from '#allocator';
import type { Device, DeviceTaint, DeviceTaintRule, ResourceSlice } from '#api';
import { nameOf } from '#machinery';

/** Keeps a pool index in step with slices and rules. A rule without selector selects nothing, as its documentation says. */
export class SliceTracker {
  readonly #pools: PoolIndex;
  readonly #slices = new Map<string, ResourceSlice>();
  /** Rules by name. */
  readonly #rules = new Map<string, DeviceTaintRule>();

  constructor(pools: PoolIndex) {
    this.#pools = pools;
  }

  /** A slice has appeared or changed. */
  upsertSlice(slice: ResourceSlice): void {
    this.#slices.set(nameOf(slice), slice);
    this.#publish(slice);
  }

  /** A slice is gone. */
  deleteSlice(slice: ResourceSlice): void {
    this.#slices.delete(nameOf(slice));
    this.#pools.deleteSlice(nameOf(slice));
  }

  /** A rule has appeared or changed. */
  upsertRule(rule: DeviceTaintRule): void {
    const before = this.#rules.get(nameOf(rule));
    this.#rules.set(nameOf(rule), rule);
    this.#republish([rule, ...(before === undefined ? [] : [before])]);
  }

  /** A rule is gone. */
  deleteRule(rule: DeviceTaintRule): void {
    this.#rules.delete(nameOf(rule));
    this.#republish([rule]);
  }

  #republish(rules: readonly DeviceTaintRule[]): void {
    for (const slice of this.#slices.values()) if (rules.some((rule) => concerns(rule, slice))) this.#publish(slice);
  }

  #publish(slice: ResourceSlice): void {
    const rules = [...this.#rules.values()].filter((rule) => concerns(rule, slice)).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    this.#pools.upsertSlice(
      rules.length === 0 ? slice : { ...slice, spec: { ...slice.spec, devices: slice.spec.devices?.map((device) => tainted(device, rules)) } },
    );
  }
}

/** Whether the rule may select devices of the slice. */
function concerns({ spec: { deviceSelector: selector } }: DeviceTaintRule, { spec }: ResourceSlice): boolean {
  if (selector === undefined) return false;
  return (selector.driver ?? spec.driver) === spec.driver && (selector.pool ?? spec.pool.name) === spec.pool.name;
}

/** The device with the rules' taints after its own. */
function tainted(device: Device, rules: readonly DeviceTaintRule[]): Device {
  const added: DeviceTaint[] = [];
  for (const { spec } of rules) if ((spec.deviceSelector?.device ?? device.name) === device.name) added.push(spec.taint);
  return added.length === 0 ? device : { ...device, taints: [...(device.taints ?? []), ...added] };
}
