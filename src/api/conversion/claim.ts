/** v1beta1 and v1alpha3 claims and templates: there the members of `exactly` lie in the request itself. */
import type { ApiObject } from '#machinery';
import type { DeviceRequest, ResourceClaim, ResourceClaimSpec, ResourceClaimTemplate } from '../types/resource-v1.ts';
import type {
  DeviceRequest as FlatRequest,
  ResourceClaim as FlatClaim,
  ResourceClaimSpec as FlatSpec,
  ResourceClaimTemplate as FlatTemplate,
} from '../types/resource-v1beta1.ts';

const V1 = 'resource.k8s.io/v1';

/** A flat claim as v1. */
export function flatClaimToV1(object: ApiObject): ApiObject {
  const claim = object as FlatClaim;
  return { ...claim, apiVersion: V1, spec: specToV1(claim.spec) } as ApiObject;
}

/** A v1 claim in the flat shape of `apiVersion`. */
export function flatClaimFromV1(object: ApiObject, apiVersion: string): ApiObject {
  const claim = object as ResourceClaim;
  return { ...claim, apiVersion, spec: specFromV1(claim.spec) } as ApiObject;
}

/** A flat template as v1. */
export function flatTemplateToV1(object: ApiObject): ApiObject {
  const template = object as FlatTemplate;
  return { ...template, apiVersion: V1, spec: { ...template.spec, spec: specToV1(template.spec.spec) } } as ApiObject;
}

/** A v1 template in the flat shape of `apiVersion`. */
export function flatTemplateFromV1(object: ApiObject, apiVersion: string): ApiObject {
  const template = object as ResourceClaimTemplate;
  return { ...template, apiVersion, spec: { ...template.spec, spec: specFromV1(template.spec.spec) } } as ApiObject;
}

function specToV1(spec: FlatSpec): ResourceClaimSpec {
  const { requests, ...devices } = spec.devices ?? {};
  return { ...spec, devices: { ...devices, ...(requests !== undefined && { requests: requests?.map(requestToV1) ?? requests }) } };
}

function specFromV1(spec: ResourceClaimSpec): FlatSpec {
  const { requests, ...devices } = spec.devices ?? {};
  return { ...spec, devices: { ...devices, ...(requests !== undefined && { requests: requests?.map(requestFromV1) ?? requests }) } };
}

/** `exactly` exists as soon as one of its members is set, so both forms at once stay visible to validation. */
function requestToV1({ name, firstAvailable, ...flat }: FlatRequest): DeviceRequest {
  const isSet = Object.values(flat).some((value) => value !== undefined && value !== '' && value !== 0);
  const { selectors = [], ...members } = flat;
  return {
    name,
    ...(isSet && { exactly: { ...members, deviceClassName: flat.deviceClassName ?? '', ...(selectors.length > 0 && { selectors }) } }),
    ...(firstAvailable !== undefined && { firstAvailable }),
  };
}

function requestFromV1({ name, exactly, firstAvailable }: DeviceRequest): FlatRequest {
  return { name, deviceClassName: '', ...exactly, ...(firstAvailable !== undefined && { firstAvailable }) };
}
