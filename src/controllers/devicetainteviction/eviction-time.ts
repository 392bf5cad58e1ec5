/** When a claim's devices force its pods off: pure arithmetic over taints and tolerations (KEP 5055). */
import { tolerates } from '#allocator';
import type { DeviceRequestAllocationResult, DeviceTaint, DeviceTaintRule, ResourceClaim } from '#api';
import { nameOf } from '#machinery';

/** One taint that forces pods off, and whose it is. */
export interface EvictionReason {
  readonly atMs: number;
  /** Set when a rule put the taint there. */
  readonly rule?: DeviceTaintRule | undefined;
}

/** The taints of published devices. */
export type PublishedTaints = (result: DeviceRequestAllocationResult) => readonly DeviceTaint[];

/** All NoExecute taints on devices of the claim that are not tolerated for good, with the time until which they are. */
export function evictionReasons(claim: ResourceClaim, published: PublishedTaints, rules: readonly DeviceTaintRule[]): readonly EvictionReason[] {
  const reasons: EvictionReason[] = [];
  for (const result of claim.status?.allocation?.devices?.results ?? []) {
    for (const taint of published(result)) addReason(reasons, result, { taint });
    for (const rule of rules) if (selects(rule, result)) addReason(reasons, result, { taint: rule.spec.taint, rule });
  }
  return reasons;
}

/** Whether the rule selects the device. A rule without selector selects nothing. */
export function selects({ spec }: DeviceTaintRule, device: { readonly driver: string; readonly pool: string; readonly device: string }): boolean {
  const selector = spec.deviceSelector;
  if (selector === undefined) return false;
  const matches = (wanted: string | undefined, found: string): boolean => wanted === undefined || wanted === found;
  return matches(selector.driver, device.driver) && matches(selector.pool, device.pool) && matches(selector.device, device.device);
}

/** The order in which rules are looked at. */
export function byName(a: DeviceTaintRule, b: DeviceTaintRule): number {
  return nameOf(a) < nameOf(b) ? -1 : 1;
}

interface TaintSource {
  readonly taint: DeviceTaint;
  readonly rule?: DeviceTaintRule | undefined;
}

function addReason(reasons: EvictionReason[], result: DeviceRequestAllocationResult, { taint, rule }: TaintSource): void {
  if (taint.effect !== 'NoExecute') return;
  const toleratedMs = toleratedTime(taint, result);
  if (toleratedMs === undefined) return;
  const addedMs = Date.parse(taint.timeAdded ?? '');
  reasons.push({ atMs: (Number.isNaN(addedMs) ? 0 : addedMs) + toleratedMs, rule });
}

/** How long the taint is tolerated after it was added: the shortest of the matching tolerations; undefined if one of them has no end. */
function toleratedTime(taint: DeviceTaint, result: DeviceRequestAllocationResult): number | undefined {
  const matching = (result.tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
  if (matching.some((toleration) => toleration.tolerationSeconds === undefined)) return undefined;
  if (matching.length === 0) return 0;
  return 1000 * Math.min(...matching.map((toleration) => Math.max(Number(toleration.tolerationSeconds), 0)));
}
