/** Table columns of the kinds of resource.k8s.io. */
import type { ApiObject } from '#machinery';
import type { TableColumns } from '../kind.ts';
import type { DeviceTaintRule } from '../types/resource-v1beta2.ts';
import type { ResourceClaim, ResourceSlice } from '../types/resource-v1.ts';
import { AGE, ageCell, ageOf, column, NAME } from './age.ts';

/** Name and age, for kinds with nothing else to show. */
export const NAME_AND_AGE: TableColumns = {
  columns: [NAME, AGE],
  cells: (object, nowMs) => [object.metadata.name ?? '', ageCell(object, nowMs)],
};

/** Columns of ResourceClaim: State says pending, or allocated and reserved, deleted first. */
export const CLAIM_COLUMNS: TableColumns = {
  columns: [NAME, column('State', 'A summary of the current state (allocated, pending, reserved, etc.).'), AGE],
  cells: (object, nowMs) => [object.metadata.name ?? '', claimState(object as ResourceClaim), ageCell(object, nowMs)],
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
  cells: (object, nowMs) => sliceCells(object as ResourceSlice, nowMs),
};

function sliceCells(slice: ResourceSlice, nowMs: number): readonly string[] {
  const { nodeName, driver, pool } = slice.spec;
  return [slice.metadata.name ?? '', nodeName ?? '', driver, pool.name, ageCell(slice, nowMs)];
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
  cells: (object, nowMs) => ruleCells(object as ApiObject as DeviceTaintRule, nowMs),
};

function ruleCells(rule: DeviceTaintRule, nowMs: number): readonly string[] {
  const { key, value, effect, timeAdded } = rule.spec.taint;
  const added = timeAdded === undefined ? '' : ageOf(timeAdded, nowMs);
  return [rule.metadata.name ?? '', key, value ?? '', effect, added, ageCell(rule, nowMs)];
}
