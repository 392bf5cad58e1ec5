/** Validation of rbac.authorization.k8s.io (upstream: pkg/apis/rbac/validation). */
import type { ApiObject } from '#machinery';
import type { FieldError } from '../kind.ts';
import { sameValue } from '../object.ts';
import type { ClusterRole, PolicyRule, RoleBinding, Subject } from '../types/rbac-v1.ts';
import { checkLabelSelector } from './label-selector.ts';
import { dnsSubdomainProblems } from './names.ts';
import { FieldErrors } from './report.ts';

/** The group of roles and bindings. */
export const RBAC_GROUP = 'rbac.authorization.k8s.io';

/** Names of roles and bindings: whatever fits into a path. */
export function pathSegmentProblems(name: string): readonly string[] {
  if (name === '.' || name === '..') return [`may not be '${name}'`];
  return ['/', '%'].filter((illegal) => name.includes(illegal)).map((illegal) => `may not contain '${illegal}'`);
}

/** A role of a namespace. */
export function validateRole(object: ApiObject): readonly FieldError[] {
  return rulesProblems(object as ClusterRole, true);
}

/** A role of the whole cluster. */
export function validateClusterRole(object: ApiObject): readonly FieldError[] {
  return rulesProblems(object as ClusterRole, false);
}

function rulesProblems({ rules, aggregationRule }: ClusterRole, namespaced: boolean): readonly FieldError[] {
  const errors = new FieldErrors();
  (rules ?? []).forEach((rule, index) => checkRule(errors, `rules[${String(index)}]`, rule, namespaced));
  if (aggregationRule === undefined || namespaced) return errors.list;
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0)
    errors.required('aggregationRule.clusterRoleSelectors', 'at least one clusterRoleSelector required if aggregationRule is non-nil');
  selectors.forEach((selector, index) => {
    const at = `aggregationRule.clusterRoleSelectors[${String(index)}]`;
    if (!checkLabelSelector(errors, at, selector)) errors.invalid(at, null, 'invalid label selector.');
  });
  return errors.list;
}

function checkRule(errors: FieldErrors, path: string, rule: PolicyRule, namespaced: boolean): void {
  const { nonResourceURLs = [], apiGroups = [], resources = [], resourceNames = [] } = rule;
  if (isEmpty(rule.verbs)) errors.required(`${path}.verbs`, 'verbs must contain at least one value');
  if (nonResourceURLs.length > 0) {
    if (namespaced) errors.invalid(`${path}.nonResourceURLs`, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs');
    if (apiGroups.length + resources.length + resourceNames.length > 0)
      errors.invalid(`${path}.nonResourceURLs`, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs');
    return;
  }
  if (apiGroups.length === 0) errors.required(`${path}.apiGroups`, 'resource rules must supply at least one api group');
  if (resources.length === 0) errors.required(`${path}.resources`, 'resource rules must supply at least one resource');
}

/** Also true of a list that the schema demands and the object lacks: it is null then. */
function isEmpty(list: readonly string[] | null | undefined): boolean {
  return (list ?? []).length === 0;
}

/** A binding in a namespace: to a role of it or of the cluster. */
export function validateRoleBinding(object: ApiObject): readonly FieldError[] {
  return bindingProblems(object as RoleBinding, true);
}

/** A binding in the whole cluster. */
export function validateClusterRoleBinding(object: ApiObject): readonly FieldError[] {
  return bindingProblems(object as RoleBinding, false);
}

/** An update of either: it may not point to another role. */
export function validateRoleBindingUpdate(object: ApiObject, old: ApiObject): readonly FieldError[] {
  return [...validateRoleBinding(object), ...roleRefProblems(object as RoleBinding, old as RoleBinding)];
}

/** As validateRoleBindingUpdate, for the whole cluster. */
export function validateClusterRoleBindingUpdate(object: ApiObject, old: ApiObject): readonly FieldError[] {
  return [...validateClusterRoleBinding(object), ...roleRefProblems(object as RoleBinding, old as RoleBinding)];
}

function roleRefProblems({ roleRef }: RoleBinding, old: RoleBinding): readonly FieldError[] {
  const errors = new FieldErrors();
  if (sameValue(roleRef, old.roleRef)) return [];
  // Upstream prints its internal type.
  errors.invalid('roleRef', { APIGroup: roleRef.apiGroup ?? '', Kind: roleRef.kind, Name: roleRef.name }, 'cannot change roleRef');
  return errors.list;
}

function bindingProblems({ roleRef, subjects }: RoleBinding, namespaced: boolean): readonly FieldError[] {
  const errors = new FieldErrors();
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (roleRef.apiGroup !== RBAC_GROUP) errors.notSupported('roleRef.apiGroup', roleRef.apiGroup ?? '', [RBAC_GROUP]);
  if (!kinds.includes(roleRef.kind)) errors.notSupported('roleRef.kind', roleRef.kind, kinds);
  if (roleRef.name === '') errors.required('roleRef.name');
  else errors.invalidAll('roleRef.name', roleRef.name, pathSegmentProblems(roleRef.name));
  (subjects ?? []).forEach((subject, index) => checkSubject(errors, `subjects[${String(index)}]`, subject, namespaced));
  return errors.list;
}

function checkSubject(errors: FieldErrors, path: string, { kind, name, namespace = '', apiGroup = '' }: Subject, namespaced: boolean): void {
  if (name === '') errors.required(`${path}.name`);
  switch (kind) {
    case 'ServiceAccount':
      if (name !== '') errors.invalidAll(`${path}.name`, name, dnsSubdomainProblems(name));
      if (apiGroup !== '') errors.notSupported(`${path}.apiGroup`, apiGroup, ['']);
      if (!namespaced && namespace === '') errors.required(`${path}.namespace`);
      return;
    case 'User':
    case 'Group':
      if (apiGroup !== RBAC_GROUP) errors.notSupported(`${path}.apiGroup`, apiGroup, [RBAC_GROUP]);
      return;
    default:
      errors.notSupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group']);
  }
}
