/**
 * driver: the kit that a DRA driver's node part is built on.
 *
 * An author says which devices there are (`DriverPlugin.publish`) and what each allocated device means for a container
 * (`Author.prepare`); everything else a kubelet expects is here: registration, the v1 and v1beta1 services, ResourceSlices
 * split to the API's limits, CDI files, and a record of prepared claims that survives crashes and reboots. A repeated
 * prepare answers from the record and writes the CDI file again, because /var/run does not survive a reboot.
 */
export type { DeviceMetadata } from './device-metadata.ts';
export type { DeviceStatus } from './device-status.ts';
export type { DeviceHealthReport } from './health-service.ts';
export { type Author, type ClaimReference, type EditedDevice, PreparedClaims, type PreparedDevice } from './prepared-claims.ts';
export { type OpaqueConfig, opaqueConfigs } from './opaque-config.ts';
export { DriverPlugin, type DriverPluginOptions } from './driver-plugin.ts';
export { type DesiredPool, type DesiredSlice, planPool, splitDevices } from './pool-plan.ts';
export { SlicePublisher } from './slice-publisher.ts';
