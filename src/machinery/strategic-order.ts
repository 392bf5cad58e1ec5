/** The order of a list after a strategic merge: what the patch names in its order, the rest where it was (strategicpatch normalizeElementOrder). */
import { isJsonObject } from './merge-patch.ts';
import type { Json } from './meta.ts';

/** What tells two elements of a list apart: the merge key of objects, the value of scalars. */
export function identityOf(element: Json, mergeKey: string | undefined): Json | undefined {
  if (mergeKey === undefined) return element;
  return isJsonObject(element) ? element[mergeKey] : undefined;
}

/** Places of the identities in a list. */
function placesOf(list: readonly Json[], mergeKey: string | undefined): ReadonlyMap<Json | undefined, number> {
  const places = new Map<Json | undefined, number>();
  for (const [i, element] of list.entries()) {
    const identity = identityOf(element, mergeKey);
    if (!places.has(identity)) places.set(identity, i);
  }
  return places;
}

/** `merged` with the elements of `wanted` in that order, and the others in the order of `before`. */
export function inOrder(merged: readonly Json[], wanted: readonly Json[], before: readonly Json[], mergeKey: string | undefined): Json[] {
  const wantedPlaces = placesOf(wanted, mergeKey);
  const beforePlaces = placesOf(before, mergeKey);
  const place = (places: ReadonlyMap<Json | undefined, number>, element: Json): number => places.get(identityOf(element, mergeKey)) ?? -1;
  const named = merged.filter((element) => place(wantedPlaces, element) >= 0).sort((a, b) => place(wantedPlaces, a) - place(wantedPlaces, b));
  const others = merged.filter((element) => place(wantedPlaces, element) < 0).sort((a, b) => place(beforePlaces, a) - place(beforePlaces, b));
  return interleave(others, named, (element) => place(beforePlaces, element));
}

/** Merges two sorted lists: one of `others` goes first only when both were there before and it stood in front. */
function interleave(others: readonly Json[], named: readonly Json[], placeBefore: (element: Json) => number): Json[] {
  const result: Json[] = [];
  let i = 0;
  let j = 0;
  while (i < others.length || j < named.length) {
    const other = others[i];
    const next = named[j];
    const otherFirst = other !== undefined && (next === undefined || (placeBefore(next) >= 0 && placeBefore(other) < placeBefore(next)));
    if (otherFirst) {
      result.push(other);
      i++;
    } else if (next !== undefined) {
      result.push(next);
      j++;
    }
  }
  return result;
}
