/** Validation of counters, those of a set and those a device consumes. */
import type { Counter } from '../types/resource-v1.ts';
import { dnsLabelProblems } from './names.ts';
import type { FieldErrors } from './report.ts';

/** resource.ResourceSliceMaxCountersPerCounterSet and …PerDeviceCounterConsumption. */
export const MAX_COUNTERS = 32;

/** At least one, not too many; names are DNS labels, reported at the map. Any amount is allowed. */
export function checkCounters(errors: FieldErrors, path: string, counters: Readonly<Record<string, Counter>> | undefined): void {
  const names = Object.keys(counters ?? {});
  if (names.length === 0) return errors.required(path);
  if (names.length > MAX_COUNTERS) return errors.tooMany(path, names.length, MAX_COUNTERS);
  for (const name of names) errors.invalidAll(path, name, dnsLabelProblems(name));
}
