/** Whether somebody's rules cover others: who hands out rights must have them (upstream: rbac/validation Covers, ConfirmNoEscalation, CompactRules). */
import type { PolicyRule } from '#api';
import { goQuote } from '#machinery';
import { pathMatches } from './rules.ts';

/** The first parts of `wanted` that `held` does not cover, each with one verb, group, resource and name. */
export function missingRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): readonly PolicyRule[] {
  const missing: PolicyRule[] = [];
  for (const rule of wanted) {
    for (const single of singleRules(rule)) {
      if (missing.length === MISSING_MAX) return missing;
      if (!held.some((other) => covers(other, single))) missing.push(single);
    }
  }
  return missing;
}

/** More parts than any role of people has: a few kilobytes of a rule may have billions of them. */
const MISSING_MAX = 10_000;

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

function covers(held: PolicyRule, single: PolicyRule): boolean {
  const { resourceNames: heldNames = [] } = held;
  const [name] = single.resourceNames ?? [];
  return (
    hasAll(held.verbs, single.verbs) &&
    hasAll(held.apiGroups, single.apiGroups) &&
    coversResources(held.resources ?? [], single.resources ?? []) &&
    (heldNames.length === 0 || (name !== undefined && heldNames.includes(name))) &&
    (single.nonResourceURLs ?? []).every((url) => (held.nonResourceURLs ?? []).some((pattern) => pathMatches(pattern, url)))
  );
}

function hasAll(held: readonly string[] | undefined, wanted: readonly string[] | undefined): boolean {
  return (wanted ?? []).every((value) => held?.includes('*') === true || held?.includes(value) === true);
}

function coversResources(held: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((resource) => {
    if (held.includes('*') || held.includes(resource)) return true;
    const slash = resource.indexOf('/');
    return slash >= 0 && held.includes(`*${resource.slice(slash)}`);
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
