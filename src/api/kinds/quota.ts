/** ResourceQuota and LimitRange. */
import type { ApiObject } from '#machinery';
import { NAME_AND_CREATION, QUOTA_COLUMNS } from '../columns/rbac.ts';
import { defaultLimitRange } from '../defaults/limit-range.ts';
import { exceptSpec, withStatus } from '../object.ts';
import type { ResourceQuota } from '../types/core-v1.ts';
import { validateLimitRange } from '../validation/limit-range.ts';
import { validateQuota, validateQuotaUpdate } from '../validation/quota.ts';
import { defineKind, version } from './define.ts';

/** ResourceQuotas: what a namespace may use, and what it does. */
export const RESOURCE_QUOTA = defineKind({
  group: '',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  namespaced: true,
  createOnUpdate: false,
  subresources: ['status'],
  versions: [version('v1', 'io.k8s.api.core.v1.ResourceQuota')],
  prepareForCreate: (object) => withStatus(object, {}),
  prepareForUpdate: (object, old, { subresource }) =>
    subresource === 'status' ? exceptSpec(object, old) : (withStatus(object, (old as ResourceQuota).status) as ApiObject),
  validateCreate: validateQuota,
  validateUpdate: validateQuotaUpdate,
  table: QUOTA_COLUMNS,
});

/** LimitRanges: smallest, largest and usual amounts of one pod, container or claim in a namespace. */
export const LIMIT_RANGE = defineKind({
  group: '',
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
  namespaced: true,
  versions: [version('v1', 'io.k8s.api.core.v1.LimitRange', defaultLimitRange)],
  metadataChecks: 'as-new',
  namesItself: true,
  validateCreate: validateLimitRange,
  validateUpdate: validateLimitRange,
  table: NAME_AND_CREATION,
});
