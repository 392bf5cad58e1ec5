/** What the pools of a driver offer and how much of it is taken: the answer to a ResourcePoolStatusRequest (KEP 5677). Pure. */
import { untoleratedTaint } from '#allocator';
import type { PoolStatus, ResourceClaim, ResourcePoolStatusRequest, ResourceSlice } from '#api';

/** The answer without its condition. */
export interface PoolStatuses {
  /** Pools that match, whether listed or not. */
  readonly poolCount: number;
  readonly pools: readonly PoolStatus[];
}

/** Pools listed when the request names no limit (resource/v1alpha3: ResourcePoolStatusRequestLimitDefault). */
const LIMIT_DEFAULT = 100;

/** Answers the request from all slices and claims; pools by name. */
export function poolStatuses({ spec }: ResourcePoolStatusRequest, slices: readonly ResourceSlice[], claims: readonly ResourceClaim[]): PoolStatuses {
  const pools = new Map<string, ResourceSlice[]>();
  for (const slice of slices) {
    const { driver, pool } = slice.spec;
    if (driver !== spec.driver || (spec.poolName !== undefined && spec.poolName !== pool.name)) continue;
    pools.set(pool.name, [...(pools.get(pool.name) ?? []), slice]);
  }
  const names = [...pools.keys()].sort((a, b) => (a < b ? -1 : 1));
  const listed = names.slice(0, Number(spec.limit ?? LIMIT_DEFAULT));
  const taken = allocatedDevices(spec.driver, claims);
  return { poolCount: names.length, pools: listed.map((name) => statusOf(name, pools.get(name) ?? [], taken.get(name) ?? new Set())) };
}

/** Device names in use, by pool; admin access uses nothing. */
function allocatedDevices(driver: string, claims: readonly ResourceClaim[]): ReadonlyMap<string, ReadonlySet<string>> {
  const taken = new Map<string, Set<string>>();
  for (const result of claims.flatMap((claim) => claim.status?.allocation?.devices?.results ?? [])) {
    if (result.driver !== driver || result.adminAccess === true) continue;
    taken.set(result.pool, (taken.get(result.pool) ?? new Set()).add(result.device));
  }
  return taken;
}

function statusOf(poolName: string, all: readonly ResourceSlice[], taken: ReadonlySet<string>): PoolStatus {
  const generation = Math.max(...all.map(({ spec }) => Number(spec.pool.generation)));
  const slices = all.filter(({ spec }) => Number(spec.pool.generation) === generation);
  const first = slices[0];
  const common = { driver: first?.spec.driver ?? '', poolName, generation, ...nodeOf(slices) };
  const validationError = problemOf(slices);
  if (validationError !== undefined) return { ...common, validationError };
  const devices = slices.flatMap(({ spec }) => spec.devices ?? []);
  const allocated = devices.filter(({ name }) => taken.has(name)).length;
  const unavailable = devices.filter(({ name, taints }) => !taken.has(name) && untoleratedTaint(taints, []) !== undefined).length;
  return {
    ...common,
    resourceSliceCount: slices.length,
    totalDevices: devices.length,
    allocatedDevices: allocated,
    availableDevices: devices.length - allocated - unavailable,
    unavailableDevices: unavailable,
  };
}

/** Why the pool cannot be counted. */
function problemOf(slices: readonly ResourceSlice[]): string | undefined {
  const counts = new Set(slices.map(({ spec }) => Number(spec.pool.resourceSliceCount)));
  const [wanted = 0] = counts;
  if (counts.size > 1) return 'pool is invalid: its slices disagree about their number';
  if (slices.length < wanted) return `pool is incomplete: ${String(slices.length)} of ${String(wanted)} slices`;
  const seen = new Set<string>();
  for (const { name } of slices.flatMap(({ spec }) => spec.devices ?? [])) {
    if (seen.has(name)) return `pool is invalid: the device name ${name} is not unique`;
    seen.add(name);
  }
  return undefined;
}

/** The node of a pool that is on one node. */
function nodeOf(slices: readonly ResourceSlice[]): { readonly nodeName?: string } {
  const names = new Set(slices.map(({ spec }) => spec.nodeName ?? ''));
  const [nodeName = ''] = names;
  return names.size === 1 && nodeName !== '' ? { nodeName } : {};
}
