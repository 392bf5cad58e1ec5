/** Who set the replicas, as the scale of an object tells it and as the object does (upstream: managedfields ScaleHandler). */
import { FieldSet } from './field-set.ts';
import { decodeManagers, encodeManagers, type ManagerEntry, managerKey, type Managers } from './managed-fields.ts';
import type { Json, ManagedFieldsEntry } from './meta.ts';

/** The version in which the scale of every kind is served. */
export const SCALE_API_VERSION = 'autoscaling/v1';

type ManagedFields = readonly ManagedFieldsEntry[] | undefined;

/** spec.replicas, in the scale and in the kinds that have one. */
const REPLICAS = FieldSet.of([['f:spec', 'f:replicas']]);

/** managedFields of a scale: the managers of the object that own its replicas. */
export function scaleManagers(ofObject: ManagedFields): readonly ManagedFieldsEntry[] {
  const owners: Managers = new Map();
  for (const entry of entriesOf(ofObject)) {
    const owner = { ...entry, apiVersion: SCALE_API_VERSION, fields: REPLICAS };
    if (ownsReplicas(entry)) owners.set(managerKey(owner), owner);
  }
  return encodeManagers(owners);
}

/** managedFields of an object (served as `apiVersion`) after a write to its scale left `ofScale`: who is not named there has lost the replicas. */
export function managersAfterScale(ofObject: ManagedFields, ofScale: ManagedFields, apiVersion: string): readonly ManagedFieldsEntry[] {
  const owners = new Map(entriesOf(ofScale).map((entry) => [identity(entry), entry]));
  const managers: Managers = new Map();
  for (const entry of entriesOf(ofObject)) {
    const keeps = !ownsReplicas(entry) || owners.delete(identity(entry));
    const fields = keeps ? entry.fields : entry.fields.difference(REPLICAS);
    if (!fields.isEmpty) managers.set(managerKey(entry), { ...entry, fields });
  }
  for (const entry of owners.values()) {
    const owner = { ...entry, apiVersion, fields: REPLICAS };
    managers.set(managerKey(owner), owner);
  }
  return encodeManagers(managers);
}

function entriesOf(managedFields: ManagedFields): readonly ManagerEntry[] {
  // Entries are JSON.
  return [...(decodeManagers(managedFields as Json | undefined) ?? new Map<string, ManagerEntry>()).values()];
}

function ownsReplicas({ fields }: ManagerEntry): boolean {
  return !fields.intersection(REPLICAS).isEmpty;
}

/** A manager whatever the version in which it wrote. */
function identity(entry: ManagerEntry): string {
  return managerKey({ ...entry, apiVersion: '' });
}
