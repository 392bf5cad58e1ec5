/** What flags mean to the layers below: gates, served versions, modes, plugins, durations. Each function throws one sentence that names the flag. */
import { featureGates, GateError, KINDS, servedVersions } from '#api';
import { ADMISSION_PLUGINS, type ApiServerOptions, AUTHORIZATION_MODES, type AuthorizationMode, DEFAULT_REQUEST_LIMITS } from '#apiserver';
import { asError } from '#base';
import { parseDuration } from '#machinery';
import { type ApiServerFlags, DEFAULT_EMULATED_VERSION, emulatedVersionOf, type LeaderElectionFlags, parseBooleans, type VersionFlags } from './flags.ts';
import { nearest } from './nearest.ts';

/** Keys of --runtime-config that mean many APIs (upstream: resourceconfig). */
const RUNTIME_CONFIG_GROUPS = ['api/all', 'api/ga', 'api/beta', 'api/alpha'];

/** Gates of --feature-gates in the emulated version; throws for a gate that is unknown or cannot be set so. */
export function gatesOf({ emulatedVersion = DEFAULT_EMULATED_VERSION, featureGates: asked = {} }: VersionFlags): ReadonlyMap<string, boolean> {
  const known = featureGates(emulatedVersion);
  const unknown = Object.keys(asked).find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new Error(`--feature-gates ${unknown}: Kubernetes ${emulatedVersion} has no such feature gate here${didYouMean(unknown, known.keys())}`);
  }
  try {
    return featureGates(emulatedVersion, asked);
  } catch (error) {
    throw error instanceof GateError ? new Error(`--feature-gates: ${error.message}`, { cause: error }) : error;
  }
}

/** What an API server does otherwise than by default. */
export type ApiSettings = Pick<
  ApiServerOptions,
  'gates' | 'served' | 'emulatedVersion' | 'authorizationModes' | 'admission' | 'requestLimits' | 'allowPrivileged'
>;

/**
 * The settings that the flags ask for. A cluster to work with (`forCluster`) is open where a server alone is as upstream's: it serves the
 * DRA versions that articles use, unless a flag speaks of versions, and takes privileged containers, which many drivers run in.
 */
export function apiSettingsOf(flags: ApiServerFlags, forCluster: boolean): ApiSettings {
  return {
    gates: gatesOf(flags),
    served: servedOf(flags, forCluster),
    emulatedVersion: emulatedVersionOf(flags),
    authorizationModes: authorizationModesOf(flags),
    allowPrivileged: flags.allowPrivileged ?? forCluster,
    requestLimits: {
      reading: flags.maxRequestsInflight ?? DEFAULT_REQUEST_LIMITS.reading,
      mutating: flags.maxMutatingRequestsInflight ?? DEFAULT_REQUEST_LIMITS.mutating,
    },
    admission: admissionOf(flags),
  };
}

function admissionOf(flags: ApiServerFlags): ApiSettings['admission'] {
  const enabled = named('--enable-admission-plugins', flags.enableAdmissionPlugins, (text) => pluginNames(text, ADMISSION_PLUGINS));
  // Also what is not there anyway.
  const known = [...ADMISSION_PLUGINS, ...ABSENT_PLUGINS];
  const disabled = named('--disable-admission-plugins', flags.disableAdmissionPlugins, (text) => pluginNames(text, known));
  const both = (enabled ?? []).filter((name) => disabled?.includes(name) === true);
  if (both.length > 0) throw new Error(`--enable-admission-plugins and --disable-admission-plugins both name ${both.join(', ')}`);
  return { enabled, disabled };
}

function servedOf(flags: ApiServerFlags, olderVersions: boolean): ApiSettings['served'] {
  const silent = flags.emulatedVersion === undefined && flags.runtimeConfig === undefined;
  const older = { 'resource.k8s.io/v1beta2': true, 'resource.k8s.io/v1beta1': true, 'resource.k8s.io/v1alpha3': true };
  const config = named('--runtime-config', flags.runtimeConfig, knownApis);
  return servedVersions(emulatedVersionOf(flags), olderVersions && silent ? older : config, { oldShapes: olderVersions });
}

function knownApis(text: string): Readonly<Record<string, boolean>> {
  const config = parseBooleans(text);
  const known = new Set([
    ...RUNTIME_CONFIG_GROUPS,
    ...KINDS.flatMap(({ group, versions, plural }) =>
      versions.map(({ version }) => (group === '' ? version : `${group}/${version}`)).flatMap((groupVersion) => [groupVersion, `${groupVersion}/${plural}`]),
    ),
  ]);
  for (const name of Object.keys(config)) if (!known.has(name)) throw new Error(`dray has no API "${name}"${didYouMean(name, known)}`);
  return config;
}

function authorizationModesOf(flags: ApiServerFlags): readonly AuthorizationMode[] | undefined {
  const known: ReadonlyMap<string, AuthorizationMode> = new Map(AUTHORIZATION_MODES.map((mode) => [mode, mode]));
  return named('--authorization-mode', flags.authorizationMode, (text) => {
    const names = namesOf(text);
    if (new Set(names).size < names.length) throw new Error('a mode is named more than once');
    return names.map((name) => {
      const mode = known.get(name);
      if (mode === undefined) throw new Error(`dray has no authorization mode "${name}"${didYouMean(name, known.keys())}`);
      return mode;
    });
  });
}

/** Plugins that upstream runs by default and dray does without: what they guard is not served here. */
const ABSENT_PLUGINS = [
  'CertificateApproval',
  'CertificateSigning',
  'CertificateSubjectRestriction',
  'ClusterTrustBundleAttest',
  'DefaultIngressClass',
  'DefaultStorageClass',
  'JobValidation',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionWebhook',
  'NodeDeclaredFeatureValidator',
  'PersistentVolumeClaimResize',
  'PodResizeValidator',
  'PodSecurity',
  'RuntimeClass',
  'StorageObjectInUseProtection',
  'TaintNodesByCondition',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionWebhook',
];

/** How a leader is to be elected; milliseconds. */
export interface ElectionChoice {
  readonly enabled: boolean;
  readonly leaseDurationMs?: number | undefined;
  readonly renewDeadlineMs?: number | undefined;
  readonly retryPeriodMs?: number | undefined;
  readonly resourceName?: string | undefined;
  readonly resourceNamespace?: string | undefined;
}

/** What the flags of the leader election say. */
export function electionOf(flags: LeaderElectionFlags): ElectionChoice {
  return {
    enabled: flags.leaderElect,
    leaseDurationMs: named('--leader-elect-lease-duration', flags.leaderElectLeaseDuration, milliseconds),
    renewDeadlineMs: named('--leader-elect-renew-deadline', flags.leaderElectRenewDeadline, milliseconds),
    retryPeriodMs: named('--leader-elect-retry-period', flags.leaderElectRetryPeriod, milliseconds),
    resourceName: flags.leaderElectResourceName,
    resourceNamespace: flags.leaderElectResourceNamespace,
  };
}

function milliseconds(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new Error('not a duration such as 15s');
  return ms;
}

function pluginNames(text: string, known: readonly string[]): readonly string[] {
  const names = namesOf(text);
  for (const name of names) if (!known.includes(name)) throw new Error(`dray has no admission plugin "${name}"${didYouMean(name, known)}`);
  return names;
}

function namesOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function didYouMean(name: string, known: Iterable<string>): string {
  const near = nearest(name, known);
  return near.length === 0 ? '' : `; did you mean ${near.join(', ')}?`;
}

/** What `read` makes of a flag's text; its error gets the flag in front, as those have that are read with the command line. */
function named<T>(flag: string, text: string | undefined, read: (text: string) => T): T | undefined {
  if (text === undefined) return undefined;
  try {
    return read(text);
  } catch (error) {
    throw new Error(`${flag} ${text}: ${asError(error).message}`, { cause: error });
  }
}
