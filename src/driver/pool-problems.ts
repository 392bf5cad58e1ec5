/** What is wrong with a pool that a driver wants, as far as no server can see it: it looks at one slice at a time. Pure. */
import type { DesiredPool } from './pool-plan.ts';

/** Sentences, worded as upstream's resourceslice controller; none for a sound pool. */
export function poolProblems(name: string, pool: DesiredPool): readonly string[] {
  const devices = pool.slices.flatMap((slice) => slice.devices ?? []);
  const sets = pool.slices.flatMap((slice) => slice.sharedCounters ?? []);
  const counters = new Map(sets.map((set) => [set.name, new Set(Object.keys(set.counters))]));
  const missing = devices.flatMap((device) =>
    (device.consumesCounters ?? []).flatMap(({ counterSet, counters: consumed }) => {
      const known = counters.get(counterSet);
      if (known === undefined)
        return [`device ${quoted(device.name)} in pool ${quoted(name)} consumes counters of the unknown counter set ${quoted(counterSet)}`];
      const absent = Object.keys(consumed).filter((counter) => !known.has(counter));
      return absent.map(
        (counter) => `device ${quoted(device.name)} in pool ${quoted(name)} consumes the unknown counter ${quoted(`${counterSet}/${counter}`)}`,
      );
    }),
  );
  return [
    ...repeated(devices).map((device) => `found duplicate device ${quoted(device)} in pool ${quoted(name)}`),
    ...repeated(sets).map((set) => `found duplicate counter set ${quoted(set)} in pool ${quoted(name)}`),
    ...missing,
  ];
}

function repeated(named: readonly { readonly name: string }[]): readonly string[] {
  const names = named.map(({ name }) => name);
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
