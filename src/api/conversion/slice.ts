/** v1beta1 and v1alpha3 slices: devices keep everything but the name in `basic`; nodeName and allNodes are plain values. */
import type { ApiObject } from '#machinery';
import type { Device, ResourceSlice } from '../types/resource-v1.ts';
import type { ResourceSlice as PlainSlice } from '../types/resource-v1alpha3.ts';
import type { Device as BasicSliceDevice, ResourceSlice as BasicSlice } from '../types/resource-v1beta1.ts';

/** A v1beta1 slice as v1: "" and false mean unset. */
export function basicSliceToV1(object: ApiObject): ApiObject {
  const slice = object as BasicSlice;
  const { nodeName, allNodes, devices, ...spec } = slice.spec;
  const converted: ResourceSlice['spec'] = {
    ...spec,
    ...(nodeName !== undefined && nodeName !== '' && { nodeName }),
    ...(allNodes === true && { allNodes }),
    ...(devices !== undefined && { devices: devices.map(deviceToV1) }),
  };
  return { ...slice, apiVersion: 'resource.k8s.io/v1', spec: converted } as ApiObject;
}

/** A v1 slice as v1beta1; `basic` is always there. */
export function basicSliceFromV1(object: ApiObject): ApiObject {
  const slice = object as ResourceSlice;
  const { devices, ...spec } = slice.spec;
  const converted: BasicSlice['spec'] = { ...spec, ...(devices !== undefined && { devices: devices.map(deviceFromV1) }) };
  return { ...slice, apiVersion: 'resource.k8s.io/v1beta1', spec: converted } as ApiObject;
}

/** A v1alpha3 slice as v1: its capacities are plain quantities. */
export function plainSliceToV1(object: ApiObject): ApiObject {
  const { spec, ...slice } = object as PlainSlice;
  const devices = spec.devices?.map(({ name, basic }) => {
    const { capacity, ...rest } = basic ?? {};
    const wrapped = capacity === undefined ? {} : { capacity: mapValues(capacity, (value) => ({ value })) };
    return { name, ...(basic !== undefined && { basic: { ...rest, ...wrapped } }) };
  });
  return basicSliceToV1({ ...slice, spec: { ...spec, ...(devices !== undefined && { devices }) } } as ApiObject);
}

/** A v1 slice as v1alpha3, which has no place for the request policy of a capacity. */
export function plainSliceFromV1(object: ApiObject): ApiObject {
  const { spec, ...slice } = basicSliceFromV1(object) as BasicSlice;
  const devices = spec.devices?.map(({ name, basic }) => {
    const { capacity, ...rest } = basic ?? {};
    return { name, basic: { ...rest, ...(capacity !== undefined && { capacity: mapValues(capacity, ({ value }) => value) }) } };
  });
  return { ...slice, apiVersion: 'resource.k8s.io/v1alpha3', spec: { ...spec, ...(devices !== undefined && { devices }) } } as ApiObject;
}

function mapValues<A, B>(map: Readonly<Record<string, A>>, change: (value: A) => B): Readonly<Record<string, B>> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}

function deviceToV1({ name, basic }: BasicSliceDevice): Device {
  return { name, ...basic };
}

function deviceFromV1({ name, ...basic }: Device): BasicSliceDevice {
  return { name, basic };
}
