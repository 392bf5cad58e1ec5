/** Subresources that show an object as one of another kind: their clients read and write that kind. */
import type { ApiObject } from '#machinery';
import type { Scope } from '../catalog.ts';
import type { Call } from './call.ts';
import type { Transformation, Wanted } from './update.ts';

/** How an object (in the version of its path) is shown, and how what is then wanted of the shown one is wanted of the object. */
export interface Lens {
  /** The shown kind. */
  readonly scope: Scope;
  readonly show: (live: ApiObject) => ApiObject;
  readonly write: (live: ApiObject, wanted: Wanted) => Wanted;
}

/** The call as it reads bodies and writes answers. */
export function shownCall(call: Call, lens: Lens | undefined): Call {
  return lens === undefined ? call : { ...call, scope: lens.scope };
}

/** A transformation of the shown object as one of the object itself. */
export function through(lens: Lens | undefined, transform: Transformation): Transformation {
  if (lens === undefined) return transform;
  return (live) => (live === undefined ? transform(live) : lens.write(live, transform(lens.show(live))));
}
