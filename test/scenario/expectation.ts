/** Compares what a cluster looks like with what a scenario expects. */

type Value = unknown;

/** Paths and texts of what differs; empty when the value is as expected. `$any`, `$oneOf`, `$set` and `$match` in the expectation leave room. */
export function differences(expected: Value, actual: Value, path = ''): readonly string[] {
  if (expected === '$any') return [];
  if (isRecord(expected) && Array.isArray(expected['$oneOf'])) {
    const fits = expected['$oneOf'].some((one) => differences(one ?? undefined, actual).length === 0);
    return fits ? [] : [differs(path, expected, actual)];
  }
  if (isRecord(expected) && typeof expected['$match'] === 'string') {
    const fits = typeof actual === 'string' && new RegExp(`^(?:${expected['$match']})$`).test(actual);
    return fits ? [] : [differs(path, expected, actual)];
  }
  if (isRecord(expected) && Array.isArray(expected['$set'])) return sameMembers(expected['$set'], actual) ? [] : [differs(path, expected, actual)];
  if (isRecord(expected) && isRecord(actual)) {
    const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
    return [...names].flatMap((name) => differences(expected[name], actual[name], `${path}/${name}`));
  }
  if (Array.isArray(expected) && Array.isArray(actual)) {
    return Array.from({ length: Math.max(expected.length, actual.length) }, (_, i) => differences(expected[i], actual[i], `${path}/${String(i)}`)).flat();
  }
  return expected === actual ? [] : [differs(path, expected, actual)];
}

/** Whether `actual` holds everything in `part`: fields of objects, and for each element of a list one that holds it; null means absent. */
export function contains(actual: Value, part: Value): boolean {
  if (part === null) return actual === undefined || actual === null;
  if (Array.isArray(part)) return Array.isArray(actual) && part.every((one) => actual.some((other) => contains(other, one)));
  if (isRecord(part)) return isRecord(actual) && Object.entries(part).every(([name, inner]) => contains(actual[name], inner));
  return actual === part;
}

/**
 * Compares whole snapshots. All of `events` must have happened, those of `eventsAllowed` may have; one that repeats an expected event with another
 * message is tolerated. Why preemption does not help is not compared: it depends on whether a plugin calls its refusal final.
 */
export function snapshotDifferences(expected: Readonly<Record<string, Value>>, actual: Readonly<Record<string, Value>>): readonly string[] {
  const { events: required, eventsAllowed, ...objects } = withoutPreemption(expected);
  const { events: seen, ...others } = withoutPreemption(actual);
  const found = [...differences(objects, others)];
  if (!Array.isArray(required)) return found;
  const happened = Array.isArray(seen) ? seen : [];
  const known: readonly Value[] = [...required, ...(Array.isArray(eventsAllowed) ? eventsAllowed : [])];
  for (const event of required) if (!happened.some((other) => differences(event, other).length === 0)) found.push(`/events: ${show(event)} is missing`);
  for (const event of happened) if (!known.some((one) => isLike(one, event))) found.push(`/events: ${show(event)} is not expected`);
  return found;
}

function isLike(expected: Value, event: Value): boolean {
  const about = (one: Value): string => (isRecord(one) ? [one['type'], one['reason'], one['from'], one['object']].join('|') : '');
  return about(expected) === about(event) || differences(expected, event).length === 0;
}

function withoutPreemption(snapshot: Readonly<Record<string, Value>>): Record<string, Value> {
  const text = JSON.stringify(snapshot).replaceAll(/(preemption: 0\/\d+ nodes are available: )[^"]*/g, '$1…');
  return JSON.parse(text) as Record<string, Value>;
}

function sameMembers(expected: readonly Value[], actual: Value): boolean {
  if (!Array.isArray(actual) || actual.length !== expected.length) return false;
  const left: Value[] = [...actual];
  return expected.every((one) => {
    const at = left.findIndex((other) => differences(one, other).length === 0);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

function differs(path: string, expected: Value, actual: Value): string {
  return `${path}: expected ${show(expected)}, found ${show(actual)}`;
}

function show(value: Value): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

/** An object that is no list. */
export function isRecord(value: Value): value is Readonly<Record<string, Value>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
