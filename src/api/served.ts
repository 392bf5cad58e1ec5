/** Which versions of which resources a release serves by default, and what --runtime-config changes. */
import { compareReleases } from './gates.ts';

/** What a caller asks for beyond what upstream serves. */
export interface ServedOptions {
  /** The v1alpha3 of 1.31 to 1.33 stays available in later releases, to those who name it in `runtimeConfig`. */
  readonly oldShapes: boolean;
}

/** Releases in which a version of a resource exists: from the first up to, but without, the second. */
interface Availability {
  readonly from: string;
  readonly before?: string;
  /** Its shape can still be served when a later release is emulated. */
  readonly oldShape?: boolean;
  /** Served without being asked for; alpha and beta versions are not. */
  readonly byDefault: boolean;
}

const STABLE: Availability = { from: '1.0', byDefault: true };
const DRA_V1: Availability = { from: '1.34', byDefault: true };
const DRA_V1BETA2: Availability = { from: '1.33', before: '1.39', byDefault: false };
const DRA_V1BETA1: Availability = { from: '1.32', before: '1.38', byDefault: false };
const DRA_V1ALPHA3: Availability = { from: '1.31', before: '1.34', oldShape: true, byDefault: false };
const FOUR = { v1: DRA_V1, v1beta2: DRA_V1BETA2, v1beta1: DRA_V1BETA1, v1alpha3: DRA_V1ALPHA3 };

const WORKLOAD_V1ALPHA2 = { v1alpha2: { from: '1.36', before: '1.37', byDefault: false } };

/** By resource (with its group), then version. Resources not named here have GA versions, which every release serves. */
const AVAILABLE: Readonly<Record<string, Readonly<Record<string, Availability>>>> = {
  'deviceclasses.resource.k8s.io': FOUR,
  'resourceclaims.resource.k8s.io': FOUR,
  'resourceclaimtemplates.resource.k8s.io': FOUR,
  'resourceslices.resource.k8s.io': FOUR,
  'devicetaintrules.resource.k8s.io': {
    v1: { from: '1.37', byDefault: true },
    v1beta2: { from: '1.36', before: '1.42', byDefault: false },
    v1alpha3: { from: '1.33', before: '1.39', byDefault: false },
  },
  'resourcepoolstatusrequests.resource.k8s.io': { v1alpha3: { from: '1.36', before: '1.42', byDefault: false } },
  'leasecandidates.coordination.k8s.io': {
    v1beta1: { from: '1.33', before: '1.39', byDefault: false },
    v1alpha2: { from: '1.32', before: '1.38', byDefault: false },
  },
  'workloads.scheduling.k8s.io': WORKLOAD_V1ALPHA2,
  'podgroups.scheduling.k8s.io': WORKLOAD_V1ALPHA2,
};

/**
 * Tells whether `group`/`version`/`plural` is served. `runtimeConfig` has the keys of upstream's flag:
 * `group/version`, `group/version/plural`, `api/all`, `api/ga`, `api/beta`, `api/alpha`; the most exact key wins.
 * `options` may keep old shapes available.
 */
export function servedVersions(
  emulatedVersion: string,
  runtimeConfig: Readonly<Record<string, boolean>> = {},
  options: ServedOptions = { oldShapes: false },
): (group: string, version: string, plural: string) => boolean {
  return (group, version, plural) => {
    const availability = availabilityOf(group, version, plural);
    if (availability === undefined || compareReleases(availability.from, emulatedVersion) > 0) return false;
    const groupVersion = group === '' ? version : `${group}/${version}`;
    const asked = runtimeConfig[`${groupVersion}/${plural}`] ?? runtimeConfig[groupVersion];
    const gone = availability.before !== undefined && compareReleases(availability.before, emulatedVersion) <= 0;
    if (gone) return options.oldShapes && availability.oldShape === true && asked === true;
    return asked ?? runtimeConfig[`api/${stageOf(version)}`] ?? runtimeConfig['api/all'] ?? availability.byDefault;
  };
}

/** Releases from which a version is deprecated and gone, as upstream's types declare them. */
const DEPRECATIONS: Readonly<Record<string, readonly [deprecated: string, removed: string]>> = {
  'resource.k8s.io/v1beta1': ['1.35', '1.38'],
  'resource.k8s.io/v1beta2': ['1.36', '1.39'],
  'resource.k8s.io/v1beta2 DeviceTaintRule': ['1.39', '1.42'],
  'resource.k8s.io/v1alpha3 DeviceTaintRule': ['1.36', '1.39'],
  // Never deprecated by hand: the generator's three releases each.
  'resource.k8s.io/v1alpha3': ['1.34', '1.37'],
  'resource.k8s.io/v1alpha3 ResourcePoolStatusRequest': ['1.39', '1.42'],
  'coordination.k8s.io/v1beta1': ['1.36', '1.39'],
  'coordination.k8s.io/v1alpha2': ['1.35', '1.38'],
};

/** The text of the Warning header that requests to a pre-release version are answered with. */
export function deprecationWarning(group: string, version: string, kind: string): string | undefined {
  const groupVersion = `${group}/${version}`;
  const deprecation = DEPRECATIONS[`${groupVersion} ${kind}`] ?? DEPRECATIONS[groupVersion];
  if (deprecation === undefined) return undefined;
  return `${groupVersion} ${kind} is deprecated in v${deprecation[0]}+, unavailable in v${deprecation[1]}+`;
}

function availabilityOf(group: string, version: string, plural: string): Availability | undefined {
  const versions = AVAILABLE[`${plural}.${group}`];
  return versions === undefined && stageOf(version) === 'ga' ? STABLE : versions?.[version];
}

function stageOf(version: string): 'alpha' | 'beta' | 'ga' {
  if (version.includes('alpha')) return 'alpha';
  return version.includes('beta') ? 'beta' : 'ga';
}
