/** Which allocation features are on: feature gates as data, one field per changed behaviour. */

/** The switches of the allocator. All off is the plain allocator of Kubernetes 1.34. */
export interface Features {
  /** DRAAdminAccess: requests may look at devices that are in use. */
  readonly adminAccess: boolean;
  /** DRAPrioritizedList: firstAvailable. */
  readonly prioritizedList: boolean;
  /** DRAPartitionableDevices: shared counters and node selection per device. */
  readonly partitionableDevices: boolean;
  /** DRADeviceTaints: taints keep devices from requests that do not tolerate them. */
  readonly deviceTaints: boolean;
  /** DRADeviceBindingConditions together with DRAResourceClaimDeviceStatus. */
  readonly deviceBindingAndStatus: boolean;
  /** DRAConsumableCapacity: devices that serve several claims, and requests for amounts. */
  readonly consumableCapacity: boolean;
  /** DRAConsumableCapacity with ranges whose bounds and steps are fractions (DRAFractionalCapacityRange). */
  readonly fractionalCapacityRange: boolean;
  /** DRAListTypeAttributes: attributes with several values. */
  readonly listTypeAttributes: boolean;
  /** DRADerivedAttributes: requests compute attributes for the constraints of their claim. */
  readonly derivedAttributes: boolean;
  /** DRADeviceCompatibilityGroups: devices of a counter set have to agree on a group. */
  readonly compatibilityGroups: boolean;
  /** DRAOptionalNodeOperations: slices may tell the node to skip preparing. */
  readonly optionalNodeOperations: boolean;
  /** A configuration that lists all requests of its claim is recorded without a list (since 1.37; 1.36 keeps the list). */
  readonly unlistedWholeConfig: boolean;
  /** Too many devices are noticed request by request (since 1.37; 1.36 adds up the whole claim first), which decides the text of the refusal. */
  readonly limitPerRequest: boolean;
}

/** Everything off. */
export const NO_FEATURES: Features = {
  adminAccess: false,
  prioritizedList: false,
  partitionableDevices: false,
  deviceTaints: false,
  deviceBindingAndStatus: false,
  consumableCapacity: false,
  fractionalCapacityRange: false,
  listTypeAttributes: false,
  derivedAttributes: false,
  compatibilityGroups: false,
  optionalNodeOperations: false,
  unlistedWholeConfig: false,
  limitPerRequest: false,
};

/** The features that a set of feature gates turns on, as upstream's AllocatorFeatures does. An unknown gate is off. */
export function featuresFromGates(gates: ReadonlyMap<string, boolean>): Features {
  const on = (gate: string): boolean => gates.get(gate) === true;
  // What changed without a gate of its own: releases that know this gate at all are 1.37 or later.
  const since137 = gates.has('DRADerivedAttributes');
  return {
    adminAccess: on('DRAAdminAccess'),
    prioritizedList: on('DRAPrioritizedList'),
    partitionableDevices: on('DRAPartitionableDevices'),
    deviceTaints: on('DRADeviceTaints'),
    deviceBindingAndStatus: on('DRADeviceBindingConditions') && on('DRAResourceClaimDeviceStatus'),
    consumableCapacity: on('DRAConsumableCapacity'),
    fractionalCapacityRange: on('DRAFractionalCapacityRange'),
    listTypeAttributes: on('DRAListTypeAttributes'),
    derivedAttributes: on('DRADerivedAttributes'),
    compatibilityGroups: on('DRADeviceCompatibilityGroups'),
    optionalNodeOperations: on('DRAOptionalNodeOperations'),
    unlistedWholeConfig: since137,
    limitPerRequest: since137,
  };
}
