/** The end of an object's life: when an update of a deleted object removes it. */
import type { Namespace } from '#api';
import type { ApiObject } from '#machinery';
import type { Core } from '../options.ts';
import type { Call } from './call.ts';
import { StoredObject } from './object-store.ts';

/** True when nothing keeps a deleted object any longer: neither finalizers nor a grace period. */
export function isFinished(live: ApiObject, object: ApiObject): boolean {
  if (live.metadata.deletionTimestamp === undefined) return false;
  const grace = object.metadata.deletionGracePeriodSeconds ?? 0;
  return grace === 0 && (object.metadata.finalizers ?? []).length === 0 && namespaceFinalizers(object).length === 0;
}

/** spec.finalizers of a namespace, which hold it like metadata.finalizers do. */
export function namespaceFinalizers(object: ApiObject): readonly string[] {
  if (object.kind !== 'Namespace') return [];
  // Narrowed by kind.
  return (object as Namespace).spec?.finalizers ?? [];
}

/** Removes the object; its last state (with the revision of the write before, as upstream answers), undefined when another write came between. */
export async function removeFinished(core: Core, call: Call, live: StoredObject, object: ApiObject): Promise<StoredObject | undefined> {
  if (call.dryRun) return new StoredObject(object, live.revision);
  const revision = await core.objects.remove(call.scope, object, live.revision);
  return revision === undefined ? undefined : new StoredObject(object, revision);
}
