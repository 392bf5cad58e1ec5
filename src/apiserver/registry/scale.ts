/** The subresource `scale` (upstream: ScaleREST of the apps registries). */
import { SCALE, type Scalable, scaleOf, schemaOf } from '#api';
import { assert } from '#base';
import { type ApiObject, managersAfterScale, SCALE_API_VERSION, scaleManagers } from '#machinery';
import type { Scope } from '../catalog.ts';
import { invalidObject } from '../refusals.ts';
import { type Call, strategyContext } from './call.ts';
import type { Core } from '../options.ts';
import type { Lens } from './lens.ts';
import { withMetadata } from './object-store.ts';
import type { Wanted } from './update.ts';

/** The lens through which the objects of the call's scope are their scales. */
export function scaleLens(core: Core, call: Call): Lens {
  const { scope } = call;
  const shown = scaleScope(scope);
  return {
    scope: shown,
    show: (live) => withMetadata(scaleOf(scalable(live)), { managedFields: scaleManagers(live.metadata.managedFields) }),
    write: (live, wanted) => {
      const errors = SCALE.validateUpdate?.(wanted.wanted, live, strategyContext(core, call)) ?? [];
      if (errors.length > 0) throw invalidObject(shown.gvk, live.metadata.name ?? '', errors);
      return scaled(scope, live, wanted);
    },
  };
}

/** The scope in which an object of `scope` is its scale; refusals name the object still. */
export function scaleScope(scope: Scope): Scope {
  const [version] = SCALE.versions;
  assert(version !== undefined, 'a kind has a version');
  const gvk = { group: SCALE.group, version: version.version, kind: SCALE.kind };
  return { ...scope, kind: SCALE, version, apiVersion: SCALE_API_VERSION, gvk, schema: schemaOf(version.definition) };
}

/** The object with the replicas, and on the terms, of its scale; all else of a scale follows from the object. */
function scaled(scope: Scope, live: ApiObject, { wanted, managed }: Wanted): Wanted {
  const { resourceVersion, uid } = wanted.metadata;
  // The lens shows nothing but scales.
  const replicas = (wanted as { readonly spec?: { readonly replicas?: number } }).spec?.replicas ?? 0;
  const object = withMetadata({ ...live, spec: { ...scalable(live).spec, replicas } } as ApiObject, { resourceVersion, uid });
  if (managed === undefined) return { wanted: object };
  const managedFields = managersAfterScale(live.metadata.managedFields, managed.metadata.managedFields, scope.apiVersion);
  return { wanted: object, managed: withMetadata(object, { managedFields }) };
}

/** Kinds with this subresource are of this shape. */
function scalable(object: ApiObject): Scalable {
  return object as Scalable;
}
