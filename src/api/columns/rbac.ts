/** Table columns of rbac.authorization.k8s.io, ResourceQuota and LimitRange. */
import type { ApiObject } from '#machinery';
import type { Column } from '../kind.ts';
import type { ResourceQuota } from '../types/core-v1.ts';
import type { RoleBinding, Subject } from '../types/rbac-v1.ts';
import { AGE, ageCell, column, NAME } from './age.ts';
import { table } from './table.ts';

const CREATED_AT: Column = { ...AGE, name: 'Created At', type: 'date' };

/** Columns of kinds for which upstream has no printer: roles and limit ranges among them. */
export const NAME_AND_CREATION = table<ApiObject>([NAME, CREATED_AT], ({ metadata }) => [metadata.name ?? '', metadata.creationTimestamp ?? '']);

/** Columns of RoleBinding and ClusterRoleBinding. */
export const BINDING_COLUMNS = table<RoleBinding>(
  [
    NAME,
    column('Role', 'The role that is granted.'),
    AGE,
    column('Users', 'Users in the binding', 1),
    column('Groups', 'Groups in the binding', 1),
    column('ServiceAccounts', 'ServiceAccounts in the binding', 1),
  ],
  (binding) => {
    const named = (kind: string, nameOf: (subject: Subject) => string): string =>
      (binding.subjects ?? [])
        .filter((subject) => subject.kind === kind)
        .map(nameOf)
        .join(', ');
    return [
      binding.metadata.name ?? '',
      `${binding.roleRef.kind}/${binding.roleRef.name}`,
      ageCell(binding),
      named('User', ({ name }) => name),
      named('Group', ({ name }) => name),
      named('ServiceAccount', ({ name, namespace = '' }) => `${namespace}/${name}`),
    ];
  },
);

/** Columns of ResourceQuota: what is used of what is allowed, limits apart. */
export const QUOTA_COLUMNS = table<ResourceQuota>(
  [
    NAME,
    column('Request', 'Request represents a minimum amount of cpu/memory that a container may consume.'),
    column('Limit', 'Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.'),
    AGE,
  ],
  (quota) => {
    const { hard = {}, used = {} } = quota.status ?? {};
    const shown = (limits: boolean): string =>
      Object.keys(hard)
        .filter((name) => name.startsWith('limits.') === limits)
        .sort()
        .map((name) => `${name}: ${used[name] ?? '0'}/${hard[name] ?? '0'}`)
        .join(', ');
    return [quota.metadata.name ?? '', shown(false), shown(true), ageCell(quota)];
  },
);
