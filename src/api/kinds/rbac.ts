/** Role, RoleBinding, ClusterRole and ClusterRoleBinding. */
import type { ApiObject } from '#machinery';
import { BINDING_COLUMNS, NAME_AND_CREATION } from '../columns/rbac.ts';
import type { RoleBinding } from '../types/rbac-v1.ts';
import {
  pathSegmentProblems,
  RBAC_GROUP,
  validateClusterRole,
  validateClusterRoleBinding,
  validateClusterRoleBindingUpdate,
  validateRole,
  validateRoleBinding,
  validateRoleBindingUpdate,
} from '../validation/rbac.ts';
import { defineKind, version } from './define.ts';

const SHARED = { group: RBAC_GROUP, nameProblems: pathSegmentProblems };
const definition = (kind: string) => `io.k8s.api.rbac.v1.${kind}`;

/** Roles of namespaces. */
export const ROLE = defineKind({
  ...SHARED,
  kind: 'Role',
  checksMetadataAgain: true,
  plural: 'roles',
  namespaced: true,
  versions: [version('v1', definition('Role'))],
  validateCreate: validateRole,
  validateUpdate: validateRole,
  table: NAME_AND_CREATION,
});

/** Roles of the cluster. */
export const CLUSTER_ROLE = defineKind({
  ...SHARED,
  kind: 'ClusterRole',
  checksMetadataAgain: true,
  plural: 'clusterroles',
  namespaced: false,
  versions: [version('v1', definition('ClusterRole'))],
  validateCreate: validateClusterRole,
  validateUpdate: validateClusterRole,
  table: NAME_AND_CREATION,
});

/** Bindings in namespaces. */
export const ROLE_BINDING = defineKind({
  ...SHARED,
  kind: 'RoleBinding',
  checksMetadataAgain: true,
  plural: 'rolebindings',
  namespaced: true,
  versions: [version('v1', definition('RoleBinding'), withGroups)],
  validateCreate: validateRoleBinding,
  validateUpdate: validateRoleBindingUpdate,
  table: BINDING_COLUMNS,
});

/** Bindings in the whole cluster. */
export const CLUSTER_ROLE_BINDING = defineKind({
  ...SHARED,
  kind: 'ClusterRoleBinding',
  checksMetadataAgain: true,
  plural: 'clusterrolebindings',
  namespaced: false,
  versions: [version('v1', definition('ClusterRoleBinding'), withGroups)],
  validateCreate: validateClusterRoleBinding,
  validateUpdate: validateClusterRoleBindingUpdate,
  table: BINDING_COLUMNS,
});

/** Roles, users and groups are of this group unless the binding says otherwise. */
function withGroups(object: ApiObject): ApiObject {
  const { roleRef, subjects, ...binding } = object as RoleBinding;
  const grouped = subjects?.map((subject) =>
    subject.kind === 'ServiceAccount' || (subject.apiGroup ?? '') !== '' ? subject : { ...subject, apiGroup: RBAC_GROUP },
  );
  return { ...binding, roleRef: { ...roleRef, apiGroup: roleRef.apiGroup || RBAC_GROUP }, ...(grouped !== undefined && { subjects: grouped }) } as ApiObject;
}
