/** Table columns of the kinds of resource.k8s.io. */
import type { ApiObject, Condition } from '#machinery';
import type { Cell, TableColumns } from '../kind.ts';
import type { DeviceTaintRule } from '../types/resource-v1beta2.ts';
import type { ResourcePoolStatusRequest } from '../types/resource-v1alpha3.ts';
import type { ResourceClaim, ResourceSlice } from '../types/resource-v1.ts';
import { AGE, Age, ageCell, column, integerColumn, NAME } from './age.ts';

/** Name and age, for kinds with nothing else to show. */
export const NAME_AND_AGE: TableColumns = {
  columns: [NAME, AGE],
  cells: (object) => [object.metadata.name ?? '', ageCell(object)],
};

/** Columns of ResourceClaim: State says pending, or allocated and reserved, deleted first. */
export const CLAIM_COLUMNS: TableColumns = {
  columns: [NAME, column('State', 'A summary of the current state (allocated, pending, reserved, etc.).'), AGE],
  cells: (object) => [object.metadata.name ?? '', claimState(object as ResourceClaim), ageCell(object)],
};

/** `pending`, `allocated`, `allocated,reserved`, each after `deleted,` while the claim is being deleted; `deleted` alone. */
export function claimState(claim: ResourceClaim): string {
  const states: string[] = [];
  const deleted = claim.metadata.deletionTimestamp !== undefined;
  if (deleted) states.push('deleted');
  const allocated = (claim.status?.allocation ?? undefined) !== undefined;
  if (allocated) states.push('allocated');
  else if (!deleted) states.push('pending');
  if ((claim.status?.reservedFor?.length ?? 0) > 0) states.push('reserved');
  return states.join(',');
}

/** Columns of ResourceSlice; Node is empty unless the slice names one. */
export const SLICE_COLUMNS: TableColumns = {
  columns: [
    NAME,
    column('Node', "The node where the resources are. Empty if the slice isn't local to a node."),
    column('Driver', 'The name of the driver which provides the resources in the slice.'),
    column('Pool', 'The name of the pool to which the slice belongs.'),
    AGE,
  ],
  cells: (object) => sliceCells(object as ResourceSlice),
};

function sliceCells(slice: ResourceSlice): readonly Cell[] {
  const { nodeName, driver, pool } = slice.spec;
  return [slice.metadata.name ?? '', nodeName ?? '', driver, pool.name, ageCell(slice)];
}

/** Columns of DeviceTaintRule. */
export const TAINT_RULE_COLUMNS: TableColumns = {
  columns: [
    NAME,
    column('Key', 'The key of the taint.'),
    column('Value', 'The value of the taint.'),
    column('Effect', 'The effect of the taint.'),
    column('TimeAdded', 'The time when the taint was added.'),
    AGE,
  ],
  cells: (object) => ruleCells(object as ApiObject as DeviceTaintRule),
};

function ruleCells(rule: DeviceTaintRule): readonly Cell[] {
  const { key, value, effect, timeAdded } = rule.spec.taint;
  const added = timeAdded === undefined ? '' : new Age(timeAdded);
  return [rule.metadata.name ?? '', key, value ?? '', effect, added, ageCell(rule)];
}

/** Columns of ResourcePoolStatusRequest: sums over the pools that were answered. */
export const POOL_STATUS_COLUMNS: TableColumns = {
  columns: [
    NAME,
    column('Driver', 'The driver whose pools are asked for.'),
    column('Total', 'Devices in all pools.'),
    column('Available', 'Devices that could be allocated.'),
    column('Allocated', 'Devices that are allocated.'),
    column('Unavailable', 'Devices that are neither.'),
    column('Errors', 'Pools whose numbers are not known.'),
    integerColumn('Pools', 'Pools that match the request.'),
    column('Status', 'Pending, Complete or Failed.'),
    column('Completed', 'How long ago the request was answered.'),
  ],
  cells: (object) => poolStatusCells(object as ResourcePoolStatusRequest),
};

const SUMS = ['totalDevices', 'availableDevices', 'allocatedDevices', 'unavailableDevices'] as const;

function poolStatusCells({ metadata, spec, status }: ResourcePoolStatusRequest): readonly Cell[] {
  const pools = status?.pools ?? [];
  const { poolCount = 0 } = status ?? {};
  const complete = trueCondition(status?.conditions, 'Complete');
  const failed = trueCondition(status?.conditions, 'Failed');
  const answered = status !== undefined && failed === undefined;
  const sums = SUMS.map((member) => (answered ? String(pools.reduce((sum, pool) => sum + (pool[member] ?? 0), 0)) : '-'));
  const problems = answered ? String(pools.filter(({ validationError }) => validationError !== undefined).length) : '-';
  const partial = poolCount > pools.length ? ` (${String(pools.length)}/${String(poolCount)} pools)` : '';
  const state = failed === undefined ? (complete === undefined ? 'Pending' : `Complete${partial}`) : 'Failed';
  const completed = complete === undefined ? '<none>' : new Age(complete.lastTransitionTime);
  return [metadata.name ?? '', spec.driver, ...sums, problems, poolCount, state, completed];
}

function trueCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type && condition.status === 'True');
}
