/**
 * kit: what a driver that is a program of its own imports: the driver kit and the client, put together with Node's platform.
 *
 * `connect` gives everything that a DriverPlugin and a RestClient need from the machine they run on; a driver's own code adds
 * its devices and what they mean for a container. drivers/example-gpu shows the whole of it.
 */
export {
  type Author,
  type ClaimReference,
  type DesiredPool,
  type DesiredSlice,
  type DeviceHealthReport,
  type DeviceMetadata,
  type DeviceStatus,
  DriverPlugin,
  type DriverPluginOptions,
  type EditedDevice,
  type OpaqueConfig,
  opaqueConfigs,
  type PreparedDevice,
  splitDevices,
} from '#driver';
export type { ContainerEdits } from '#cdi';
export type { CounterSet, Device, DeviceAttribute, DeviceRequestAllocationResult, ResourceClaim } from '#api';
export type { Json } from '#machinery';
export { connect, type Connection } from './connect.ts';
