/** Rewrites of metadata and status that the strategies of most kinds share. */
import type { ApiObject } from '#machinery';

/** The parts of an object that strategies move about without knowing the kind. */
export interface SpecAndStatus extends ApiObject {
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** Whether two decoded values print the same; members in any order, absent and undefined alike. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return (a ?? undefined) === (b ?? undefined);
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && sameElements(a, b);
  }
  return sameMembers(a as Members, b as Members); // neither null nor a list
}

function sameElements(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (!sameValue(a[at], b[at])) return false;
  return true;
}

type Members = Readonly<Record<string, unknown>>;

/** Objects of JSON inherit nothing, so that all names found are their own; lists of the names would be most of what a comparison costs. */
function sameMembers(a: Members, b: Members): boolean {
  for (const key in a) if (!sameValue(a[key], ownMember(b, key))) return false;
  for (const key in b) if (b[key] !== undefined && b[key] !== null && !Object.hasOwn(a, key)) return false;
  return true;
}

function ownMember(object: Members, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The object with this status in place of its own. */
export function withStatus<T extends ApiObject>(object: T, status: unknown): T {
  return { ...object, status };
}

/** What an update of /status may change: nothing but status, seen from the stored object. */
export function onlyStatus<T extends SpecAndStatus>(object: T, old: T): T {
  const { resourceVersion, managedFields } = object.metadata;
  return { ...old, metadata: { ...old.metadata, resourceVersion, managedFields }, status: object.status };
}

/** What an update of /status may change for most kinds: anything but the spec. */
export function exceptSpec<T extends SpecAndStatus>(object: T, old: T): T {
  return { ...object, spec: old.spec };
}

/** A create's first generation. */
export function firstGeneration<T extends ApiObject>(object: T): T {
  return { ...object, metadata: { ...object.metadata, generation: 1 } };
}

/** metadata.generation of an update: one more than before when the spec differs. */
export function nextGeneration<T extends SpecAndStatus>(object: T, old: T): T {
  const before = old.metadata.generation ?? 0;
  const generation = sameValue(object.spec, old.spec) ? before : before + 1;
  return { ...object, metadata: { ...object.metadata, generation } };
}
