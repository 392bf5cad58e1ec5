/** For whom a node agent may ask tokens: the audiences of its pod's volumes, and those that it is granted (upstream: NodeRestriction, gate ServiceAccountNodeAudienceRestriction). */
import type { Pod, TokenRequest, Volume } from '#api';
import { aggregateText, goQuote } from '#machinery';
import type { Core } from '../options.ts';
import type { AdmissionRequest } from './plugin.ts';

/** Volumes whose drivers in Kubernetes became drivers of their own. */
const MIGRATED: readonly (readonly [member: keyof Volume, driver: string])[] = [
  ['awsElasticBlockStore', 'ebs.csi.aws.com'],
  ['azureDisk', 'disk.csi.azure.com'],
  ['azureFile', 'file.csi.azure.com'],
  ['cinder', 'cinder.csi.openstack.org'],
  ['gcePersistentDisk', 'pd.csi.storage.gke.io'],
  ['portworxVolume', 'pxd.portworx.com'],
  ['vsphereVolume', 'csi.vsphere.vmware.com'],
];

/** Why the node may not have such a token for a pod on it, undefined if it may. */
export async function audienceProblem(core: Core, { user, namespace, name }: AdmissionRequest, pod: Pod, { spec }: TokenRequest): Promise<string | undefined> {
  const [audience = '', ...others] = spec?.audiences ?? [];
  if (others.length > 0) return 'node may only request 0 or 1 audiences';
  const volumes = pod.spec?.volumes ?? [];
  const projected = volumes.flatMap((volume) => volume.projected?.sources ?? []).flatMap(({ serviceAccountToken }) => serviceAccountToken ?? []);
  if (projected.some((token) => (token.audience ?? '') === audience)) return undefined;
  const lost = volumes.flatMap((volume) => lostDriver(pod, volume));
  if (lost.length > 0) return `error validating audience ${goQuote(audience)}: ${aggregateText(lost)}`;
  const verb = 'request-serviceaccounts-token-audience';
  const { allowed } = await core.authorizer.authorize({ user, verb, namespace, group: '', resource: audience, name });
  return allowed ? undefined : `audience ${goQuote(audience)} not found in pod spec volume, ${user.name} is not authorized to request tokens for this audience`;
}

/** What upstream misses where it asks the driver of a volume: there are neither drivers nor claims to volumes here. */
function lostDriver(pod: Pod, volume: Volume): readonly string[] {
  const { name, ephemeral, persistentVolumeClaim, csi } = volume;
  if (ephemeral?.volumeClaimTemplate !== undefined) return [`persistentvolumeclaim ${goQuote(`${pod.metadata.name ?? ''}-${name}`)} not found`];
  if (persistentVolumeClaim !== undefined) return [`persistentvolumeclaim ${goQuote(persistentVolumeClaim.claimName)} not found`];
  const driver = csi?.driver ?? MIGRATED.find(([member]) => volume[member] !== undefined)?.[1];
  return driver === undefined ? [] : [`csidriver.storage.k8s.io ${goQuote(driver)} not found`];
}
