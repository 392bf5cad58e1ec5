/** Whether somebody's rules cover others: who hands out rights must have them (upstream: rbac/validation Covers, ConfirmNoEscalation, CompactRules). */
import type { PolicyRule } from '#api';
import { goQuote } from '#machinery';
import { pathMatches } from './rules.ts';

/** The first parts of `wanted` that `held` does not cover, each with one verb, group, resource and name. */
export function missingRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): readonly PolicyRule[] {
  const missing: PolicyRule[] = [];
  const rights = held.map(rightsOf);
  let left = COMPARISONS_MAX;
  const isHeld = (single: PolicyRule): boolean =>
    rights.some((right) => {
      left -= 1 + right.nonResourceURLs.length;
      return covers(right, single);
    });
  for (const rule of wanted) {
    for (const single of singleRules(rule)) {
      if (missing.length === MISSING_MAX) return missing;
      // What would take too long to look at is not held.
      if (left < 0) return [...missing, single];
      if (!isHeld(single)) missing.push(single);
    }
  }
  return missing;
}

/** A rule with its lists as sets. */
interface Right {
  readonly verbs: ReadonlySet<string>;
  readonly apiGroups: ReadonlySet<string>;
  readonly resources: ReadonlySet<string>;
  readonly resourceNames: ReadonlySet<string>;
  readonly nonResourceURLs: readonly string[];
}

function rightsOf({ verbs, apiGroups, resources, resourceNames, nonResourceURLs = [] }: PolicyRule): Right {
  const [names, groups] = [new Set(resourceNames), new Set(apiGroups)];
  return { verbs: new Set(verbs), apiGroups: groups, resources: new Set(resources), resourceNames: names, nonResourceURLs };
}

/** More parts than any role of people has: a few kilobytes of a rule may have billions of them. */
const MISSING_MAX = 10_000;
/** Comparisons of a part with a rule, or with a path of one: about a second. Billions of parts may be held, by those who may read everything for instance. */
const COMPARISONS_MAX = 10_000_000;

/** A rule as rules about one verb on one resource or path. */
function* singleRules({ verbs: required, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: PolicyRule): Generator<PolicyRule> {
  // Null where a role that is yet to be validated names none.
  const verbs = (required as readonly string[] | null) ?? [];
  const names = resourceNames.length === 0 ? [{}] : resourceNames.map((name) => ({ resourceNames: [name] }));
  for (const group of apiGroups)
    for (const resource of resources)
      for (const verb of verbs) for (const named of names) yield { apiGroups: [group], resources: [resource], ...named, verbs: [verb] };
  for (const url of nonResourceURLs) for (const verb of verbs) yield { nonResourceURLs: [url], verbs: [verb] };
}

function covers(held: Right, single: PolicyRule): boolean {
  const [name] = single.resourceNames ?? [];
  return (
    hasAll(held.verbs, single.verbs) &&
    hasAll(held.apiGroups, single.apiGroups) &&
    coversResources(held.resources, single.resources ?? []) &&
    (held.resourceNames.size === 0 || (name !== undefined && held.resourceNames.has(name))) &&
    (single.nonResourceURLs ?? []).every((url) => held.nonResourceURLs.some((pattern) => pathMatches(pattern, url)))
  );
}

function hasAll(held: ReadonlySet<string>, wanted: readonly string[] = []): boolean {
  return held.has('*') || wanted.every((value) => held.has(value));
}

function coversResources(held: ReadonlySet<string>, wanted: readonly string[]): boolean {
  return wanted.every((resource) => {
    if (held.has('*') || held.has(resource)) return true;
    const slash = resource.indexOf('/');
    return slash >= 0 && held.has(`*${resource.slice(slash)}`);
  });
}

/** Rules on resources that differ in their verb alone, put together, in upstream's compact notation and in order of that. */
export function describeRules(rules: readonly PolicyRule[]): readonly string[] {
  const byObject = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs, rule.nonResourceURLs && rule.verbs]);
    const known = byObject.get(key);
    byObject.set(key, known === undefined ? rule : { ...known, verbs: [...known.verbs, ...rule.verbs] });
  }
  return [...new Set([...byObject.values()].map(describe))].sort();
}

const PARTS = [
  ['APIGroups', 'apiGroups'],
  ['Resources', 'resources'],
  ['NonResourceURLs', 'nonResourceURLs'],
  ['ResourceNames', 'resourceNames'],
  ['Verbs', 'verbs'],
] as const;

function describe(rule: PolicyRule): string {
  const parts = PARTS.filter(([, member]) => (rule[member] ?? []).length > 0);
  return `{${parts.map(([name, member]) => `${name}:${quotedList(rule[member] ?? [])}`).join(', ')}}`;
}

/** A list of strings as Go's %q prints it. */
export function quotedList(list: readonly string[]): string {
  return `[${list.map((value) => goQuote(value)).join(' ')}]`;
}
