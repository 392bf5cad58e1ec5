/** What pods refer to: what the agents of their nodes may read, and mirror pods may not have (upstream: pkg/api/pod and pkg/api/v1/pod). */
import type { Container, Pod, Volume } from '#api';

/** The secrets that a pod refers to. */
export function secretsOf(pod: Pod): readonly string[] {
  return named([
    ...(pod.spec?.imagePullSecrets ?? []).map(({ name }) => name),
    ...containersOf(pod).flatMap(({ env, envFrom }) => [
      ...(envFrom ?? []).map(({ secretRef }) => secretRef?.name),
      ...(env ?? []).map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
    ]),
    ...volumesOf(pod).flatMap(secretsOfVolume),
  ]);
}

function secretsOfVolume(volume: Volume): readonly (string | undefined)[] {
  const { azureFile, cephfs, cinder, flexVolume, projected, rbd, secret, scaleIO, iscsi, storageos, csi } = volume;
  const direct = [azureFile?.secretName, secret?.secretName, csi?.nodePublishSecretRef?.name];
  const referring = [cephfs, cinder, flexVolume, rbd, scaleIO, iscsi, storageos];
  return [...direct, ...referring.map((source) => source?.secretRef?.name), ...(projected?.sources ?? []).map((source) => source.secret?.name)];
}

/** The config maps that a pod refers to. */
export function configMapsOf(pod: Pod): readonly string[] {
  return named([
    ...containersOf(pod).flatMap(({ env, envFrom }) => [
      ...(envFrom ?? []).map(({ configMapRef }) => configMapRef?.name),
      ...(env ?? []).map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
    ]),
    ...volumesOf(pod).flatMap(({ configMap, projected }) => [configMap?.name, ...(projected?.sources ?? []).map((source) => source.configMap?.name)]),
  ]);
}

/** The claims to volumes that a pod uses, those that are made for it among them. */
export function volumeClaimsOf(pod: Pod): readonly string[] {
  return named(
    volumesOf(pod).map(({ name, persistentVolumeClaim, ephemeral }) =>
      ephemeral === undefined ? persistentVolumeClaim?.claimName : `${pod.metadata.name ?? ''}-${name}`,
    ),
  );
}

/** The claims of a pod: named by it, or made for it as its status tells (upstream: resourceclaim.Name). */
export function resourceClaimsOf({ spec, status }: Pod): readonly string[] {
  const made = new Map((status?.resourceClaimStatuses ?? []).map(({ name, resourceClaimName }) => [name, resourceClaimName]));
  return named((spec?.resourceClaims ?? []).map(({ name, resourceClaimName }) => resourceClaimName ?? made.get(name)));
}

/** Volumes that need nothing of the API. */
const SELF_CONTAINED: ReadonlySet<string> = new Set([
  'awsElasticBlockStore',
  'azureDisk',
  'cephfs',
  'cinder',
  'downwardAPI',
  'emptyDir',
  'fc',
  'flexVolume',
  'flocker',
  'gcePersistentDisk',
  'gitRepo',
  'hostPath',
  'image',
  'iscsi',
  'nfs',
  'photonPersistentDisk',
  'portworxVolume',
  'quobyte',
  'rbd',
  'scaleIO',
  'storageos',
  'vsphereVolume',
]);

/** What the other volumes refer to. */
const BY_VOLUME: Readonly<Record<string, string>> = {
  configMap: 'configmaps (via configmap volumes)',
  secret: 'secrets (via secret volumes)',
  csi: 'csidrivers (via CSI volumes)',
  glusterfs: 'endpoints (via glusterFS volumes)',
  persistentVolumeClaim: 'persistentvolumeclaims',
  ephemeral: 'persistentvolumeclaims (via ephemeral volumes)',
  azureFile: 'secrets (via azureFile volumes)',
};
const BY_PROJECTION: Readonly<Record<string, string>> = {
  configMap: 'configmaps (via projected volumes)',
  secret: 'secrets (via projected volumes)',
  serviceAccountToken: 'serviceaccounts (via projected volumes)',
  clusterTrustBundle: 'clustertrustbundles',
  podCertificate: 'podcertificates',
};

/** The first kind of objects that a pod refers to, as upstream's HasAPIObjectReference words it. */
export function firstReference(pod: Pod): string | undefined {
  if ((pod.spec?.serviceAccountName ?? '') !== '') return 'serviceaccounts';
  if (secretsOf(pod).length > 0) return 'secrets';
  if (configMapsOf(pod).length > 0) return 'configmaps';
  if ((pod.spec?.resourceClaims ?? []).length > 0) return 'resourceclaims';
  return volumesOf(pod)
    .map(volumeReference)
    .find((reference) => reference !== undefined);
}

function volumeReference(volume: Volume): string | undefined {
  const sources = membersOf(volume).filter((member) => member !== 'name');
  if (sources.some((source) => SELF_CONTAINED.has(source))) return undefined;
  if (volume.projected === undefined) return sources.map((source) => BY_VOLUME[source]).find((reference) => reference !== undefined);
  const projections = (volume.projected.sources ?? []).flatMap(membersOf);
  return projections.map((projection) => BY_PROJECTION[projection]).find((reference) => reference !== undefined);
}

function membersOf(source: object): readonly string[] {
  return Object.entries(source).flatMap(([name, value]) => (value === undefined || value === null ? [] : [name]));
}

function named(names: readonly (string | undefined)[]): readonly string[] {
  return names.filter((name): name is string => name !== undefined && name !== '');
}

function volumesOf({ spec }: Pod): readonly Volume[] {
  return spec?.volumes ?? [];
}

function containersOf({ spec }: Pod): readonly Pick<Container, 'env' | 'envFrom'>[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])];
}
