/** Whether demands can be met together when each device serves one of them: an assignment by augmenting paths. */
import type { DeviceEntry } from './device.ts';

/** So many devices out of these. */
export interface Demand {
  readonly need: number;
  readonly options: readonly DeviceEntry[];
}

/** More places than these are not judged: the answer is then yes. Four claims of the largest size. */
const PLACES_MAX = 128;

/** False when no assignment exists. */
export function isAssignable(demands: readonly Demand[]): boolean {
  const places = demands.flatMap(({ need, options }) => Array.from({ length: need }, () => options));
  if (places.length > PLACES_MAX) return true;
  const served = new Map<DeviceEntry, number>();
  return places.every((_, place) => serve(place, { places, served, seen: new Set() }));
}

interface Assignment {
  readonly places: readonly (readonly DeviceEntry[])[];
  /** The place that each device serves. */
  readonly served: Map<DeviceEntry, number>;
  readonly seen: Set<DeviceEntry>;
}

/** Finds a device for the place, if need be by finding another one for a place served before. */
function serve(place: number, assignment: Assignment): boolean {
  const { places, served, seen } = assignment;
  for (const device of places[place] ?? []) {
    if (seen.has(device)) continue;
    seen.add(device);
    const other = served.get(device);
    if (other !== undefined && !serve(other, assignment)) continue;
    served.set(device, place);
    return true;
  }
  return false;
}
