/** What an object's owners mean for it: a pure judgement. */
import type { ApiObject, OwnerReference } from '#machinery';

/** The finalizers that a delete with propagation policy leaves on the owner (meta/v1). */
export const FOREGROUND_FINALIZER = 'foregroundDeletion';
/** As above, for dependents that shall stay. */
export const ORPHAN_FINALIZER = 'orphan';

/** How one owner is: alive, gone for good, or deleted in the foreground and waiting for its dependents. */
export type OwnerState = 'solid' | 'dangling' | 'waiting';

/** What to do with an object that has owners. */
export type OwnerVerdict =
  | { readonly kind: 'keep' }
  /** Some owner lives: the references of the others go. */
  | { readonly kind: 'dropReferences'; readonly keep: readonly OwnerReference[] }
  | { readonly kind: 'delete'; readonly propagationPolicy: 'Background' | 'Foreground' | 'Orphan' };

/** The state of an owner, given the object found under its uid, if any. */
export function ownerState(owner: ApiObject | undefined): OwnerState {
  if (owner === undefined) return 'dangling';
  return owner.metadata.deletionTimestamp !== undefined && hasFinalizer(owner, FOREGROUND_FINALIZER) ? 'waiting' : 'solid';
}

/** Judges an object by the states of its owners, in the order of its references (upstream: attemptToDeleteItem). */
export function judge(object: ApiObject, states: readonly OwnerState[], hasDependents: boolean): OwnerVerdict {
  const references = object.metadata.ownerReferences ?? [];
  if (references.length === 0) return { kind: 'keep' };
  if (states.includes('solid')) {
    const keep = references.filter((_reference, i) => states[i] === 'solid');
    return keep.length === references.length ? { kind: 'keep' } : { kind: 'dropReferences', keep };
  }
  if (states.includes('waiting') && hasDependents) return { kind: 'delete', propagationPolicy: 'Foreground' };
  if (hasFinalizer(object, ORPHAN_FINALIZER)) return { kind: 'delete', propagationPolicy: 'Orphan' };
  if (hasFinalizer(object, FOREGROUND_FINALIZER)) return { kind: 'delete', propagationPolicy: 'Foreground' };
  return { kind: 'delete', propagationPolicy: 'Background' };
}

/** Whether the object carries the finalizer. */
export function hasFinalizer(object: ApiObject, finalizer: string): boolean {
  return (object.metadata.finalizers ?? []).includes(finalizer);
}

/** Whether the object holds up the foreground deletion of its owner. */
export function blocks(dependent: ApiObject, ownerUid: string): boolean {
  return (dependent.metadata.ownerReferences ?? []).some((reference) => reference.uid === ownerUid && reference.blockOwnerDeletion === true);
}
