/** Feature gates as data: stage and default per Kubernetes release (the DRA gates and those of the kinds served here). */

/** What a release makes of a gate. */
interface GateStage {
  readonly since: string;
  readonly default: boolean;
  /** Upstream refuses to change it. */
  readonly locked?: boolean;
}

const off = (since: string): GateStage => ({ since, default: false });
const on = (since: string): GateStage => ({ since, default: true });
const locked = (since: string): GateStage => ({ since, default: true, locked: true });

/** Newest last: the stage in force is the last one whose release is not after the emulated version. */
const GATES: Readonly<Record<string, readonly GateStage[]>> = {
  DynamicResourceAllocation: [off('1.26'), on('1.34'), locked('1.35')],
  DRAAdminAccess: [off('1.32'), on('1.34'), locked('1.36')],
  DRAPrioritizedList: [off('1.33'), on('1.34'), locked('1.37')],
  DRAResourceClaimDeviceStatus: [off('1.32'), on('1.33'), locked('1.37')],
  DRAPartitionableDevices: [off('1.33'), on('1.36')],
  DRADeviceTaints: [off('1.33'), on('1.36')],
  DRADeviceTaintRules: [off('1.35'), on('1.37')],
  DRAExtendedResource: [off('1.34'), on('1.36'), locked('1.37')],
  DRAConsumableCapacity: [off('1.34'), on('1.36')],
  DRADeviceBindingConditions: [off('1.34'), on('1.36')],
  DRASchedulerFilterTimeout: [on('1.34')],
  DRAResourceClaimGranularStatusAuthorization: [on('1.36')],
  DRAListTypeAttributes: [off('1.36')],
  DRANodeAllocatableResources: [off('1.36')],
  DRAResourcePoolStatus: [off('1.36')],
  DRAWorkloadResourceClaims: [off('1.36')],
  DRAFractionalCapacityRange: [off('1.37')],
  DRAPartitionableDevicesType: [off('1.37')],
  DRAOptionalNodeOperations: [off('1.37')],
  DRADerivedAttributes: [off('1.37')],
  DRADeviceCompatibilityGroups: [off('1.37')],
  ResourceHealthStatus: [off('1.31'), on('1.36')],
  ResourceHealthStatusMessage: [on('1.36')],
  GenericWorkload: [off('1.35')],
  GangScheduling: [off('1.35')],
  TopologyAwareWorkloadScheduling: [off('1.36')],
  WorkloadAwarePreemption: [off('1.36')],
  WorkloadWithJob: [off('1.36')],
  ConstrainedImpersonation: [off('1.35'), on('1.36')],
  ServiceAccountNodeAudienceRestriction: [off('1.32'), on('1.33')],
  PodTopologyLabelsAdmission: [off('1.33'), on('1.35')],
  MaxUnavailableStatefulSet: [off('1.24')],
  NodeDeclaredFeatures: [off('1.35'), on('1.36')],
  KubeletPodResourcesDynamicResources: [on('1.34')],
  KubeletPodResourcesGet: [on('1.34')],
};

/** A gate cannot be set as asked; the message is one sentence that names it. */
export class GateError extends Error {
  override readonly name = 'GateError';
}

/**
 * All gates that `emulatedVersion` (e.g. "1.36") knows, with `overrides` applied. `AllAlpha`-style groups are not known.
 * Throws GateError on an unknown gate and on changing a locked one.
 */
export function featureGates(emulatedVersion: string, overrides: Readonly<Record<string, boolean>> = {}): ReadonlyMap<string, boolean> {
  const gates = new Map<string, boolean>();
  for (const [name, stages] of Object.entries(GATES)) {
    const stage = stageAt(stages, emulatedVersion);
    if (stage !== undefined) gates.set(name, stage.default);
  }
  for (const [name, value] of Object.entries(overrides)) {
    const stage = Object.hasOwn(GATES, name) ? stageAt(GATES[name] ?? [], emulatedVersion) : undefined;
    if (stage === undefined) throw new GateError(`unrecognized feature gate: ${name}`);
    if (stage.locked === true && value !== stage.default)
      throw new GateError(`cannot set feature gate ${name} to ${value}, feature is locked to ${stage.default}`);
    gates.set(name, value);
  }
  return gates;
}

function stageAt(stages: readonly GateStage[], version: string): GateStage | undefined {
  return stages.findLast((stage) => compareReleases(stage.since, version) <= 0);
}

/** Orders releases written as "major.minor" (a leading v and a patch are ignored). */
export function compareReleases(a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = numbersOf(a);
  const [bMajor = 0, bMinor = 0] = numbersOf(b);
  return aMajor - bMajor || aMinor - bMinor;
}

function numbersOf(release: string): number[] {
  return release.replace(/^v/, '').split('.').map(Number);
}
