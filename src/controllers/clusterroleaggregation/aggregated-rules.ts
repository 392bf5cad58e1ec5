/** The rules that an aggregated cluster role collects from others (upstream: pkg/controller/clusterroleaggregation). */
import type { ClusterRole, PolicyRule } from '#api';
import { matchesLabelSelector, nameOf, stringifyJson } from '#machinery';

/** Each distinct rule of the roles that the selectors choose, selector by selector, roles by name; undefined when the role collects nothing. */
export function aggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): readonly PolicyRule[] | undefined {
  const selectors = role.aggregationRule?.clusterRoleSelectors;
  if (selectors === undefined) return undefined;
  const byName = [...all].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const rules = new Map<string, PolicyRule>();
  for (const selector of selectors) {
    for (const other of byName) {
      if (nameOf(other) === nameOf(role) || !matchesLabelSelector(selector, other.metadata.labels)) continue;
      for (const rule of other.rules ?? []) rules.set(stringifyJson(rule), rule);
    }
  }
  return [...rules.values()];
}
