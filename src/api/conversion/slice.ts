/** v1beta1 slices: devices keep everything but the name in `basic`; nodeName and allNodes are plain values. */
import type { ApiObject } from '#machinery';
import type { Device, ResourceSlice } from '../types/resource-v1.ts';
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

function deviceToV1({ name, basic }: BasicSliceDevice): Device {
  return { name, ...basic };
}

function deviceFromV1({ name, ...basic }: Device): BasicSliceDevice {
  return { name, basic };
}
