/** Whether policy rules allow a request (upstream: pkg/apis/rbac/v1 evaluation helpers and authorizer/rbac RuleAllows). */
import type { PolicyRule } from '#api';
import type { AuthorizationAttributes } from './attributes.ts';

/** Matches every verb, group, resource or path. */
const ALL = '*';

/** Whether one rule allows the request. */
export function ruleAllows(rule: PolicyRule, attributes: AuthorizationAttributes): boolean {
  const { verb, path, group = '', resource = '', subresource = '', name = '' } = attributes;
  if (!matches(rule.verbs, verb)) return false;
  if (path !== undefined) return (rule.nonResourceURLs ?? []).some((pattern) => pathMatches(pattern, path));
  if (!matches(rule.apiGroups, group) || !resourceMatches(rule.resources ?? [], resource, subresource)) return false;
  return (rule.resourceNames ?? []).length === 0 || (rule.resourceNames ?? []).includes(name);
}

function matches(list: readonly string[] | undefined, value: string): boolean {
  return list !== undefined && (list.includes(value) || list.includes(ALL));
}

/** `pods/status` is named as such, as `*`, or with all others of its kind as `*` followed by the subresource. */
function resourceMatches(list: readonly string[], resource: string, subresource: string): boolean {
  const combined = subresource === '' ? resource : `${resource}/${subresource}`;
  return list.some((entry) => entry === ALL || entry === combined || (subresource !== '' && entry === `*/${subresource}`));
}

/** A path is named whole, as `*`, or by its beginning followed by `*`. */
export function pathMatches(pattern: string, path: string): boolean {
  return pattern === ALL || pattern === path || (pattern.endsWith(ALL) && path.startsWith(pattern.slice(0, -1)));
}
