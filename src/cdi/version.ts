/** CDI versions: which exist and which one the fields in use need. */
import { splitKind } from './name.ts';
import type { CdiSpec, ContainerEdits } from './spec.ts';

/** Released versions in order. */
const VERSIONS: readonly string[] = ['0.1.0', '0.2.0', '0.3.0', '0.4.0', '0.5.0', '0.6.0', '0.7.0', '0.8.0', '1.0.0', '1.1.0'];

/** The oldest version that still loads. */
const OLDEST_LOADED = '0.3.0';

/** Whether a version was ever released; a leading "v" is tolerated. */
export function isKnownVersion(version: string): boolean {
  return VERSIONS.includes(plain(version));
}

/** Whether `version` is at least `minimum`; both are known. */
export function isAtLeast(version: string, minimum: string): boolean {
  return VERSIONS.indexOf(plain(version)) >= VERSIONS.indexOf(minimum);
}

function plain(version: string): string {
  return version.startsWith('v') ? version.slice(1) : version;
}

/** The oldest version whose loaders understand every field that the spec uses; writers declare it. */
export function minimumVersion(spec: Pick<CdiSpec, 'kind' | 'annotations' | 'devices' | 'containerEdits'>): string {
  const edits = [spec.containerEdits ?? {}, ...spec.devices.map((device) => device.containerEdits)];
  const needs = (version: string): boolean => NEEDED[version]?.(spec, edits) ?? false;
  return ['1.1.0', '0.7.0', '0.6.0', '0.5.0', '0.4.0'].find(needs) ?? OLDEST_LOADED;
}

type Need = (spec: Pick<CdiSpec, 'kind' | 'annotations' | 'devices'>, edits: readonly ContainerEdits[]) => boolean;

const NEEDED: Readonly<Record<string, Need>> = {
  '1.1.0': (_spec, edits) =>
    edits.some((e) => (e.netDevices ?? []).length > 0 || (e.intelRdt?.schemata ?? []).length > 0 || e.intelRdt?.enableMonitoring === true),
  '0.7.0': (_spec, edits) => edits.some((e) => e.intelRdt !== undefined || (e.additionalGids ?? []).length > 0),
  '0.6.0': (spec) =>
    hasEntries(spec.annotations) ||
    spec.devices.some((device) => hasEntries(device.annotations)) ||
    (spec.kind.includes('/') && splitKind(spec.kind).class.includes('.')),
  '0.5.0': (spec, edits) =>
    spec.devices.some((device) => /^[0-9]/.test(device.name)) || edits.some((e) => (e.deviceNodes ?? []).some((node) => (node.hostPath ?? '') !== '')),
  '0.4.0': (_spec, edits) => edits.some((e) => (e.mounts ?? []).some((mount) => (mount.type ?? '') !== '')),
};

function hasEntries(record: Readonly<Record<string, string>> | undefined): boolean {
  return record !== undefined && Object.keys(record).length > 0;
}
