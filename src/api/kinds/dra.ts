/** The kinds of resource.k8s.io: DeviceClass, ResourceClaim, ResourceClaimTemplate, ResourceSlice, DeviceTaintRule. */
import type { ApiObject } from '#machinery';
import { CLAIM_COLUMNS, NAME_AND_AGE, POOL_STATUS_COLUMNS, SLICE_COLUMNS, TAINT_RULE_COLUMNS } from '../columns/dra.ts';
import { flatClaimFromV1, flatClaimToV1, flatTemplateFromV1, flatTemplateToV1 } from '../conversion/claim.ts';
import { basicSliceFromV1, basicSliceToV1, plainSliceFromV1, plainSliceToV1 } from '../conversion/slice.ts';
import { stampedAs } from '../conversion/stamp.ts';
import {
  defaultBasicSlice,
  defaultClaim,
  defaultFlatClaim,
  defaultFlatTemplate,
  defaultPlainSlice,
  defaultSlice,
  defaultTaintRule,
  defaultTemplate,
} from '../defaults/dra.ts';
import type { KindVersion, StrategyContext } from '../kind.ts';
import { firstGeneration, nextGeneration, onlyStatus, withStatus } from '../object.ts';
import { createdClaim, preparedTemplate, updatedClaim } from '../strategy/claim.ts';
import { without } from '../strategy/drop-claim.ts';
import { dropSliceFields } from '../strategy/drop-slice.ts';
import { updatedTaintRule } from '../strategy/taint-rule.ts';
import type { DeviceTaintRule } from '../types/resource-v1beta2.ts';
import type { ResourcePoolStatusRequest } from '../types/resource-v1alpha3.ts';
import type { DeviceClass, ResourceClaim, ResourceClaimTemplate, ResourceSlice } from '../types/resource-v1.ts';
import { validateClaim, validateClaimUpdate, validateClass, validateTaintRule, validateTemplate, validateTemplateUpdate } from '../validation/dra.ts';
import { dnsSubdomainProblems } from '../validation/names.ts';
import { validatePoolStatusRequest, validatePoolStatusRequestUpdate } from '../validation/pool-status.ts';
import { validateSlice } from '../validation/slice.ts';
import { type Defaults, defineKind, version } from './define.ts';

const GROUP = 'resource.k8s.io';
const SPEC_AND_METADATA = [['f:spec'], ['f:metadata']];
const definition = (apiVersion: string, kind: string) => `io.k8s.api.resource.${apiVersion}.${kind}`;

/** A version with the shape of the stored one: conversion only writes another apiVersion. */
function sameShape(apiVersion: string, stored: string, kind: string, defaults?: Defaults): KindVersion {
  return version(apiVersion, definition(apiVersion, kind), defaults, {
    toStorage: stampedAs(`${GROUP}/${stored}`),
    fromStorage: stampedAs(`${GROUP}/${apiVersion}`),
  });
}

/** A claim in a version whose requests are flat. */
function flatClaim(apiVersion: string): KindVersion {
  const fromStorage = (object: ApiObject) => flatClaimFromV1(object, `${GROUP}/${apiVersion}`);
  return version(apiVersion, definition(apiVersion, 'ResourceClaim'), defaultFlatClaim, { toStorage: flatClaimToV1, fromStorage });
}

/** A template in a version whose requests are flat. */
function flatTemplate(apiVersion: string): KindVersion {
  const fromStorage = (object: ApiObject) => flatTemplateFromV1(object, `${GROUP}/${apiVersion}`);
  return version(apiVersion, definition(apiVersion, 'ResourceClaimTemplate'), defaultFlatTemplate, { toStorage: flatTemplateToV1, fromStorage });
}

/** DeviceClasses. */
export const DEVICE_CLASS = defineKind({
  group: GROUP,
  kind: 'DeviceClass',
  anyGenerateName: true,
  checksMetadataAgain: true,
  nameProblems: (name) => dnsSubdomainProblems(name, 'bytes'),
  plural: 'deviceclasses',
  namespaced: false,
  createOnUpdate: false,
  versions: [
    version('v1', definition('v1', 'DeviceClass')),
    ...['v1beta2', 'v1beta1', 'v1alpha3'].map((apiVersion) => sameShape(apiVersion, 'v1', 'DeviceClass')),
  ],
  generation: true,
  prepareForCreate: (object, context) => firstGeneration(preparedClass(object as DeviceClass, undefined, context)),
  prepareForUpdate: (object, old, context) => nextGeneration(preparedClass(object as DeviceClass, old as DeviceClass, context), old),
  validateCreate: (object, context) => validateClass(object, context),
  validateUpdate: (object, old, context) => validateClass(object, context, old),
  table: NAME_AND_AGE,
});

/** ResourceClaims. The spec is fixed, the status has several writers. */
export const RESOURCE_CLAIM = defineKind({
  group: GROUP,
  kind: 'ResourceClaim',
  checksMetadataAgain: true,
  plural: 'resourceclaims',
  namespaced: true,
  createOnUpdate: false,
  subresources: ['status'],
  resetByStatus: SPEC_AND_METADATA,
  versions: [
    version('v1', definition('v1', 'ResourceClaim'), defaultClaim),
    sameShape('v1beta2', 'v1', 'ResourceClaim', defaultClaim),
    flatClaim('v1beta1'),
    flatClaim('v1alpha3'),
  ],
  prepareForCreate: (object, context) => createdClaim(object as ResourceClaim, context),
  prepareForUpdate: (object, old, context) => updatedClaim(object as ResourceClaim, old as ResourceClaim, context),
  validateCreate: validateClaim,
  validateUpdate: validateClaimUpdate,
  table: CLAIM_COLUMNS,
});

/** ResourceClaimTemplates: immutable. */
export const RESOURCE_CLAIM_TEMPLATE = defineKind({
  group: GROUP,
  kind: 'ResourceClaimTemplate',
  checksMetadataAgain: true,
  plural: 'resourceclaimtemplates',
  namespaced: true,
  createOnUpdate: false,
  versions: [
    version('v1', definition('v1', 'ResourceClaimTemplate'), defaultTemplate),
    sameShape('v1beta2', 'v1', 'ResourceClaimTemplate', defaultTemplate),
    flatTemplate('v1beta1'),
    flatTemplate('v1alpha3'),
  ],
  prepareForCreate: (object, context) => preparedTemplate(object as ResourceClaimTemplate, undefined, context),
  prepareForUpdate: (object, old, context) => preparedTemplate(object as ResourceClaimTemplate, old as ResourceClaimTemplate, context),
  validateCreate: validateTemplate,
  validateUpdate: validateTemplateUpdate,
  table: NAME_AND_AGE,
});

/** ResourceSlices, published by drivers. */
export const RESOURCE_SLICE = defineKind({
  group: GROUP,
  kind: 'ResourceSlice',
  plural: 'resourceslices',
  namespaced: false,
  createOnUpdate: false,
  versions: [
    version('v1', definition('v1', 'ResourceSlice'), defaultSlice),
    sameShape('v1beta2', 'v1', 'ResourceSlice', defaultSlice),
    version('v1beta1', definition('v1beta1', 'ResourceSlice'), defaultBasicSlice, { toStorage: basicSliceToV1, fromStorage: basicSliceFromV1 }),
    version('v1alpha3', definition('v1alpha3', 'ResourceSlice'), defaultPlainSlice, { toStorage: plainSliceToV1, fromStorage: plainSliceFromV1 }),
  ],
  generation: true,
  prepareForCreate: (object, context) => firstGeneration(preparedSlice(object as ResourceSlice, undefined, context)),
  prepareForUpdate: (object, old, context) => preparedSlice(nextGeneration(object as ResourceSlice, old as ResourceSlice), old as ResourceSlice, context),
  validateCreate: (object) => validateSlice(object),
  validateUpdate: (object, old) => validateSlice(object, old),
  warnings: (object) => driverWarnings((object as ResourceSlice).spec.driver),
  selectableFieldNames: ['spec.nodeName', 'spec.driver', 'spec.pool.name'],
  selectableSince: { 'spec.pool.name': '1.37' },
  selectableFields: (object) => sliceFields(object as ResourceSlice),
  indexedFields: ['spec.nodeName', 'spec.driver'],
  table: SLICE_COLUMNS,
});

function preparedSlice(slice: ResourceSlice, old: ResourceSlice | undefined, context: StrategyContext): ApiObject {
  return { ...slice, spec: dropSliceFields(slice.spec, old?.spec, context.gates) } as ApiObject;
}

function preparedClass(deviceClass: DeviceClass, old: DeviceClass | undefined, { gates }: StrategyContext): ApiObject {
  const kept = gates.get('DRAExtendedResource') === true || old?.spec.extendedResourceName !== undefined;
  return kept ? deviceClass : ({ ...deviceClass, spec: without(deviceClass.spec, 'extendedResourceName') } as ApiObject);
}

function sliceFields({ spec }: ResourceSlice): Readonly<Record<string, string>> {
  return { 'spec.nodeName': spec.nodeName ?? '', 'spec.driver': spec.driver, 'spec.pool.name': spec.pool.name };
}

function driverWarnings(driver: string): readonly string[] {
  if (driver === driver.toLowerCase()) return [];
  return [`spec.driver: driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`];
}

/** DeviceTaintRules: taint devices by hand. */
export const DEVICE_TAINT_RULE = defineKind({
  group: GROUP,
  kind: 'DeviceTaintRule',
  plural: 'devicetaintrules',
  namespaced: false,
  createOnUpdate: false,
  subresources: ['status'],
  resetByStatus: SPEC_AND_METADATA,
  versions: [
    version('v1beta2', definition('v1beta2', 'DeviceTaintRule'), defaultTaintRule),
    // Stored as v1beta2, which 1.36 reads too. 1.37 opens v1 with a stricter PUT.
    { ...sameShape('v1', 'v1beta2', 'DeviceTaintRule', defaultTaintRule), unconditionalUpdate: false },
    sameShape('v1alpha3', 'v1beta2', 'DeviceTaintRule', defaultTaintRule),
  ],
  generation: true,
  prepareForCreate: (object) => firstGeneration({ ...object, status: {} } as ApiObject),
  prepareForUpdate: (object, old, context) =>
    context.subresource === 'status' ? onlyStatus(object, old) : updatedTaintRule(object as DeviceTaintRule, old as DeviceTaintRule, context),
  validateCreate: (object, context) => validateTaintRule(object, context),
  validateUpdate: (object, old, context) => validateTaintRule(object, context, old),
  table: TAINT_RULE_COLUMNS,
});

/** ResourcePoolStatusRequests: a question about pools, answered once by a controller. */
export const RESOURCE_POOL_STATUS_REQUEST = defineKind({
  group: GROUP,
  kind: 'ResourcePoolStatusRequest',
  plural: 'resourcepoolstatusrequests',
  namespaced: false,
  createOnUpdate: false,
  subresources: ['status'],
  resetByStatus: SPEC_AND_METADATA,
  versions: [{ ...version('v1alpha3', definition('v1alpha3', 'ResourcePoolStatusRequest'), withLimit), unconditionalUpdate: false }],
  prepareForCreate: (object) => withStatus(object, undefined),
  prepareForUpdate: (object, old, { subresource }) =>
    subresource === 'status' ? onlyStatus(object, old) : withStatus(object, (old as ResourcePoolStatusRequest).status),
  validateCreate: validatePoolStatusRequest,
  validateUpdate: validatePoolStatusRequestUpdate,
  table: POOL_STATUS_COLUMNS,
});

/** Pools in one answer unless the request says otherwise. */
const DEFAULT_POOL_LIMIT = 100;

function withLimit(object: ApiObject): ApiObject {
  const request = object as ResourcePoolStatusRequest;
  return { ...request, spec: { ...request.spec, limit: request.spec.limit ?? DEFAULT_POOL_LIMIT } } as ApiObject;
}
