/** Validation of a pod's volumes, as far as their kinds are used without a cloud, and of where containers mount them (core/validation ValidateVolumes). */
import { parseQuantity } from '#machinery';
import type { Container, DownwardAPIVolumeFile, HostPathVolumeSource, KeyToPath, ProjectedVolumeSource, Volume, VolumeMount } from '../types/core-v1.ts';
import { dnsLabelProblems, dnsSubdomainProblems } from './names.ts';
import { checkObjectField, checkResourceField, VOLUME_FIELDS } from './pod-env.ts';
import { checkEphemeral } from './pod-volume-claim.ts';
import { checkDescendingPath, checkLocalPath, checkNoBacksteps } from './pod-names.ts';
import { caselessSubdomainProblems } from './names.ts';
import { byteLength, type FieldErrors } from './report.ts';

const FILE_MODE_MAX = 0o777;
const FILE_MODE_TEXT = 'must be a number between 0 and 0777 (octal), both inclusive';
const HOST_PATH_TYPES = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket'];
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const CSI_DRIVER_MAX_LENGTH = 63;
const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;

type Source = Exclude<keyof Volume, 'name'>;

/** In the order in which upstream looks at them: the first counts, the others are too many. */
const SOURCES: readonly Source[] = [
  ...(['emptyDir', 'hostPath', 'gitRepo', 'gcePersistentDisk', 'awsElasticBlockStore', 'secret', 'nfs', 'iscsi', 'glusterfs', 'flocker'] as const),
  ...(['persistentVolumeClaim', 'rbd', 'cinder', 'cephfs', 'quobyte', 'downwardAPI', 'fc', 'flexVolume', 'configMap', 'azureFile'] as const),
  ...(['vsphereVolume', 'photonPersistentDisk', 'portworxVolume', 'azureDisk', 'storageos', 'projected', 'scaleIO', 'csi', 'ephemeral', 'image'] as const),
];
/** Where upstream's path differs from the member's name. */
const SPELLED: Readonly<Record<string, string>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' };

/** The rules of the kinds that have some here; every error is reported below the kind's own path. */
const RULES: { readonly [S in Source]?: (errors: FieldErrors, path: string, source: NonNullable<Volume[S]>) => void } = {
  emptyDir: (errors, path, { sizeLimit }) => {
    if (sizeLimit !== undefined && (parseQuantity(sizeLimit)?.sign() ?? 0) < 0)
      errors.forbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity');
  },
  hostPath: checkHostPath,
  secret: (errors, path, source) => {
    checkRequired(errors, `${path}.secretName`, source.secretName);
    checkFiles(errors, path, source);
  },
  configMap: (errors, path, source) => {
    checkRequired(errors, `${path}.name`, source.name);
    checkFiles(errors, path, source);
  },
  nfs: (errors, path, { server, path: target }) => {
    checkRequired(errors, `${path}.server`, server);
    checkRequired(errors, `${path}.path`, target);
    if (!target.startsWith('/')) errors.invalid(`${path}.path`, target, 'must be an absolute path');
  },
  persistentVolumeClaim: (errors, path, { claimName }) => checkRequired(errors, `${path}.claimName`, claimName),
  downwardAPI: (errors, path, { defaultMode, items = [] }) => {
    checkMode(errors, `${path}.defaultMode`, defaultMode);
    for (const file of items) checkDownwardFile(errors, path, file);
  },
  projected: checkProjected,
  csi: (errors, path, { driver, nodePublishSecretRef: secret }) => {
    checkCsiDriver(errors, `${path}.driver`, driver);
    if (secret === undefined) return;
    if ((secret.name ?? '') === '') errors.required(`${path}.nodePublishSecretRef.name`);
    else errors.invalidAll(`${path}.name`, secret.name, dnsSubdomainProblems(secret.name ?? ''));
  },
  ephemeral: checkEphemeral,
  image: (errors, path, { reference = '', pullPolicy = '' }) => {
    checkRequired(errors, `${path}.reference`, reference);
    checkPullPolicy(errors, `${path}.pullPolicy`, pullPolicy);
  },
};

/** The volumes of a pod named `podName`; returns those that containers may mount. */
export function checkVolumes(errors: FieldErrors, path: string, volumes: readonly Volume[], podName: string): ReadonlyMap<string, Volume> {
  const valid = new Map<string, Volume>();
  const made = new Set(volumes.filter(({ ephemeral }) => ephemeral !== undefined && podName !== '').map(({ name }) => `${podName}-${name}`));
  volumes.forEach((volume, index) => {
    const at = `${path}[${index}]`;
    const before = errors.list.length;
    checkSource(errors, at, volume);
    if (volume.ephemeral !== undefined) checkClaimName(errors, `${at}.name`, podName, volume.name);
    if (volume.name === '') errors.required(`${at}.name`);
    else errors.invalidAll(`${at}.name`, volume.name, dnsLabelProblems(volume.name));
    if (valid.has(volume.name)) errors.duplicate(`${at}.name`, volume.name);
    if (errors.list.length === before) valid.set(volume.name, volume);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && made.has(claim))
      errors.invalid(`${at}.persistentVolumeClaim.claimName`, claim, 'must not reference a PVC that gets created for an ephemeral volume');
  });
  return valid;
}

/** The claim of an ephemeral volume is called after its pod and itself. */
function checkClaimName(errors: FieldErrors, path: string, podName: string, volumeName: string): void {
  const claim = `${podName}-${volumeName}`;
  if (podName === '' || volumeName === '') return;
  for (const problem of dnsSubdomainProblems(claim)) errors.invalid(path, volumeName, `PVC name ${JSON.stringify(claim)}: ${problem}`);
}

function checkSource(errors: FieldErrors, path: string, volume: Volume): void {
  const [first, ...others] = SOURCES.filter((source) => volume[source] !== undefined);
  if (first === undefined) return errors.required(path, 'must specify a volume type');
  applyRule(errors, path, volume, first);
  for (const other of others) errors.forbidden(`${path}.${SPELLED[other] ?? other}`, 'may not specify more than 1 volume type');
}

function applyRule<S extends Source>(errors: FieldErrors, path: string, volume: Volume, source: S): void {
  const value = volume[source];
  if (value !== undefined) RULES[source]?.(errors, `${path}.${source}`, value);
}

function checkRequired(errors: FieldErrors, path: string, text: string | undefined): void {
  if ((text ?? '') === '') errors.required(path);
}

function checkMode(errors: FieldErrors, path: string, mode: number | undefined): void {
  if (mode !== undefined && (mode < 0 || mode > FILE_MODE_MAX)) errors.invalid(path, mode, FILE_MODE_TEXT);
}

function checkHostPath(errors: FieldErrors, path: string, { path: target, type = '' }: HostPathVolumeSource): void {
  if (target === '') return errors.required(`${path}.path`);
  checkNoBacksteps(errors, `${path}.path`, target);
  if (!HOST_PATH_TYPES.includes(type)) errors.notSupported(`${path}.type`, type, HOST_PATH_TYPES);
}

function checkFiles(
  errors: FieldErrors,
  path: string,
  { defaultMode, items = [] }: { readonly defaultMode?: number | undefined; readonly items?: readonly KeyToPath[] | undefined },
): void {
  checkMode(errors, `${path}.defaultMode`, defaultMode);
  checkItems(errors, path, items);
}

function checkItems(errors: FieldErrors, path: string, items: readonly KeyToPath[]): void {
  items.forEach(({ key, path: target, mode }, index) => {
    const at = `${path}.items[${index}]`;
    checkRequired(errors, `${at}.key`, key);
    checkRequired(errors, `${at}.path`, target);
    checkLocalPath(errors, `${at}.path`, target);
    checkMode(errors, `${at}.mode`, mode);
  });
}

function checkDownwardFile(errors: FieldErrors, path: string, { path: target, fieldRef, resourceFieldRef, mode }: DownwardAPIVolumeFile): void {
  checkRequired(errors, `${path}.path`, target);
  checkLocalPath(errors, `${path}.path`, target);
  if (fieldRef !== undefined) {
    checkObjectField(errors, `${path}.fieldRef`, fieldRef, VOLUME_FIELDS);
    if (resourceFieldRef !== undefined) errors.invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously');
  } else if (resourceFieldRef !== undefined) checkResourceField(errors, `${path}.resourceFieldRef`, resourceFieldRef, true);
  else errors.required(path, 'one of fieldRef and resourceFieldRef is required');
  checkMode(errors, `${path}.mode`, mode);
}

/** Several sources in one directory, whose paths must not meet. */
function checkProjected(errors: FieldErrors, path: string, { defaultMode, sources = [] }: ProjectedVolumeSource): void {
  checkMode(errors, `${path}.defaultMode`, defaultMode);
  const paths = new Set<string>();
  const claim = (target: string, owner: string): void => {
    if (target === '') return;
    if (paths.has(target)) errors.invalid(path, owner, 'conflicting duplicate paths');
    paths.add(target);
  };
  (sources ?? []).forEach((source, index) => {
    const at = `${path}.sources[${index}]`;
    for (const member of ['secret', 'configMap'] as const) {
      const projection = source[member];
      if (projection === undefined) continue;
      checkRequired(errors, `${at}.${member}.name`, projection.name);
      checkItems(errors, `${at}.${member}`, projection.items ?? []);
      for (const item of projection.items ?? []) claim(item.path, projection.name ?? '');
    }
    for (const file of source.downwardAPI?.items ?? []) {
      checkDownwardFile(errors, `${at}.downwardAPI`, file);
      claim(file.path, file.path);
    }
    if (source.serviceAccountToken !== undefined) checkToken(errors, { volume: path, source: at }, source.serviceAccountToken);
    if (Object.values(source).filter((member) => member !== undefined).length > 1) errors.forbidden(at, 'may not specify more than 1 volume type per source');
  });
}

function checkToken(
  errors: FieldErrors,
  at: { readonly volume: string; readonly source: string },
  { path: target, expirationSeconds = 0 }: { readonly path: string; readonly expirationSeconds?: number | undefined },
): void {
  const path = `${at.source}.serviceAccountToken.expirationSeconds`;
  if (expirationSeconds < TOKEN_SECONDS_MIN) errors.invalid(path, expirationSeconds, 'may not specify a duration less than 10 minutes');
  if (expirationSeconds > TOKEN_SECONDS_MAX) errors.invalid(path, expirationSeconds, 'may not specify a duration larger than 2^32 seconds');
  // Upstream names the volume, not the source.
  if (target === '') errors.required(`${at.volume}.path`);
  else checkLocalPath(errors, `${at.volume}.path`, target);
}

function checkCsiDriver(errors: FieldErrors, path: string, driver: string): void {
  if (driver === '') errors.required(path);
  if (byteLength(driver) > CSI_DRIVER_MAX_LENGTH) errors.tooLong(path, CSI_DRIVER_MAX_LENGTH);
  errors.invalidAll(path, driver, caselessSubdomainProblems(driver.toLowerCase()));
}

/** When an image is fetched. */
export function checkPullPolicy(errors: FieldErrors, path: string, policy: string): void {
  if (policy === '') errors.required(path);
  else if (!PULL_POLICIES.includes(policy)) errors.notSupported(path, policy, PULL_POLICIES);
}

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None'];

/** Where a container sees which volumes, as directories and as block devices. */
export function checkMounts(errors: FieldErrors, path: string, container: Container, volumes: ReadonlyMap<string, Volume>): void {
  const { volumeMounts = [], volumeDevices = [] } = container;
  const paths = new Set<string>();
  const deviceNames = new Set(volumeDevices.map(({ name }) => name));
  const devicePaths = new Set(volumeDevices.map(({ devicePath }) => devicePath));
  volumeMounts.forEach((mount, index) => {
    const at = `${path}.volumeMounts[${index}]`;
    const { name, mountPath } = mount;
    if (name === '') errors.required(`${at}.name`);
    if (!volumes.has(name)) errors.notFound(`${at}.name`, name);
    if (mountPath === '') errors.required(`${at}.mountPath`);
    if (paths.has(mountPath)) errors.invalid(`${at}.mountPath`, mountPath, 'must be unique');
    paths.add(mountPath);
    if (deviceNames.has(name)) errors.invalid(`${at}.name`, name, 'must not already exist in volumeDevices');
    if (devicePaths.has(mountPath)) errors.invalid(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices');
    checkSubPaths(errors, { list: `${path}.volumeMounts`, item: at }, mount);
    checkPropagation(errors, `${path}.volumeMounts.mountPropagation`, mount.mountPropagation, container);
  });
  checkDevices(errors, `${path}.volumeDevices`, container, volumes);
}

/** Upstream reports some of these at the list. */
function checkSubPaths(errors: FieldErrors, at: { readonly list: string; readonly item: string }, { subPath = '', subPathExpr = '' }: VolumeMount): void {
  if (subPath !== '') checkDescendingPath(errors, `${at.list}.subPath`, subPath);
  if (subPathExpr === '') return;
  if (subPath !== '') errors.invalid(`${at.item}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive');
  checkDescendingPath(errors, `${at.list}.subPathExpr`, subPathExpr);
}

function checkPropagation(errors: FieldErrors, path: string, propagation: string | undefined, { securityContext }: Container): void {
  if (propagation === undefined) return;
  if (!PROPAGATIONS.includes(propagation)) errors.notSupported(path, propagation, PROPAGATIONS);
  if (propagation === 'Bidirectional' && securityContext?.privileged !== true)
    errors.forbidden(path, 'Bidirectional mount propagation is available only to privileged containers');
}

function checkDevices(errors: FieldErrors, path: string, { volumeMounts = [], volumeDevices = [] }: Container, volumes: ReadonlyMap<string, Volume>): void {
  const [names, paths] = [new Set<string>(), new Set<string>()];
  const mountNames = new Set(volumeMounts.map(({ name }) => name));
  const mountPaths = new Set(volumeMounts.map(({ mountPath }) => mountPath));
  volumeDevices.forEach(({ name, devicePath }, index) => {
    const at = `${path}[${index}]`;
    const volume = volumes.get(name);
    if (name === '') errors.required(`${at}.name`);
    if (names.has(name)) errors.invalid(`${at}.name`, name, 'must be unique');
    if (volume === undefined) errors.notFound(`${at}.name`, name);
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined)
      errors.invalid(`${at}.name`, name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode');
    if (devicePath === '') errors.required(`${at}.devicePath`);
    if (paths.has(devicePath)) errors.invalid(`${at}.devicePath`, devicePath, 'must be unique');
    if (devicePath.split('/').includes('..')) errors.invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')");
    else paths.add(devicePath);
    if (mountNames.has(name)) errors.invalid(`${at}.name`, name, 'must not already exist in volumeMounts');
    if (mountPaths.has(devicePath)) errors.invalid(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts');
    if (name !== '') names.add(name);
  });
}
