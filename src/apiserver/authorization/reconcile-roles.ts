/** How default roles and bindings are brought up to date (upstream: component-helpers/auth/rbac/reconciliation): what they lack is added, what was added to them stays. */
import { type ClusterRole, type ClusterRoleBinding, RBAC_GROUP } from '#api';
import type { ApiObject, LabelSelector } from '#machinery';
import { equalParts } from '../registry/managed.ts';
import { withMetadata } from '../registry/object-store.ts';
import { missingRules } from './covers.ts';
import { AUTOUPDATE_ANNOTATION } from './default-roles.ts';

/** What to do about a default role or binding: nothing, write it anew in place, or remove it and make the expected one. */
export type Repair = { readonly kind: 'none' } | { readonly kind: 'update'; readonly object: ApiObject } | { readonly kind: 'recreate' };

/** Compares what is stored with what a release expects; objects of other groups, and those whose owner said so, are left alone. */
export function repairOf(group: string, live: ApiObject, expected: ApiObject): Repair {
  if (group !== RBAC_GROUP || live.metadata.annotations?.[AUTOUPDATE_ANNOTATION] === 'false') return { kind: 'none' };
  if ('roleRef' in expected) {
    // Only bindings refer to roles.
    const [binding, wanted] = [live as ClusterRoleBinding, expected as ClusterRoleBinding];
    if (!equalParts(binding.roleRef, wanted.roleRef)) return { kind: 'recreate' };
    return changed(live, withMeta(withSubjects(binding, wanted), expected));
  }
  // All others of the group are roles.
  return changed(live, withMeta(withRules(live as ClusterRole, expected as ClusterRole), expected));
}

function changed(live: ApiObject, object: ApiObject): Repair {
  return equalParts(live, object) ? { kind: 'none' } : { kind: 'update', object };
}

function withMeta(object: ApiObject, { metadata: { labels, annotations } }: ApiObject): ApiObject {
  return withMetadata(object, { labels: { ...labels, ...object.metadata.labels }, annotations: { ...annotations, ...object.metadata.annotations } });
}

function withSubjects(binding: ClusterRoleBinding, wanted: ClusterRoleBinding): ClusterRoleBinding {
  const present = binding.subjects ?? [];
  const missing = (wanted.subjects ?? []).filter((subject) => !present.some((other) => equalParts(other, subject)));
  return missing.length === 0 ? binding : { ...binding, subjects: [...present, ...missing] };
}

function withRules(role: ClusterRole, wanted: ClusterRole): ClusterRole {
  const missing = missingRules(role.rules ?? [], wanted.rules ?? []);
  const completed = missing.length === 0 ? role : { ...role, rules: [...(role.rules ?? []), ...missing] };
  return withAggregation(completed, wanted);
}

function withAggregation(role: ClusterRole, { aggregationRule: wanted }: ClusterRole): ClusterRole {
  const { aggregationRule: own, ...rest } = role;
  if (wanted === undefined) return own === undefined ? role : rest;
  const present: readonly LabelSelector[] = own?.clusterRoleSelectors ?? [];
  const missing = (wanted.clusterRoleSelectors ?? []).filter((selector) => !present.some((other) => equalParts(other, selector)));
  return missing.length === 0 ? role : { ...role, aggregationRule: { clusterRoleSelectors: [...present, ...missing] } };
}
