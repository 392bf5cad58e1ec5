/** Files in which containers read what their devices are (KEP-5304), and the CDI specs that mount them. */
import type { DeviceAttribute, NetworkDeviceData, ResourceClaim } from '#api';
import { qualifiedName, writeSpec } from '#cdi';
import type { HostFiles } from '#ports';

/** What a container may know of one device. */
export interface DeviceMetadata {
  readonly attributes?: Readonly<Record<string, DeviceAttribute>> | undefined;
  readonly networkData?: NetworkDeviceData | undefined;
}

/** A device and the request it was allocated for, with `/subrequest` where there is one. */
export interface DescribedDevice {
  readonly request: string;
  readonly pool: string;
  readonly device: string;
  readonly metadata?: DeviceMetadata | undefined;
}

/** Where the files go. Directories are absolute. */
export interface MetadataFilesOptions {
  readonly driver: string;
  readonly dataDirectory: string;
  readonly cdiDirectory: string;
  readonly files: HostFiles;
}

/** Newest first: a reader takes the first version it knows. */
const VERSIONS: readonly string[] = ['metadata.resource.k8s.io/v1beta1', 'metadata.resource.k8s.io/v1alpha1'];
/** Where containers look (k8s.io/dynamic-resource-allocation/devicemetadata). */
const CONTAINER_DIRECTORY = '/var/run/kubernetes.io/dra-device-attributes';
/** Set by the claim controller on claims that it makes from a template. */
const POD_CLAIM_NAME = 'resource.kubernetes.io/pod-claim-name';
const CDI_CLASS = 'metadata';

/** Writes and removes the files of claims. */
export class MetadataFiles {
  readonly #options: MetadataFilesOptions;
  readonly #vendor: string;

  constructor(options: MetadataFilesOptions) {
    this.#options = options;
    // A driver name may begin with a digit, a CDI vendor may not.
    this.#vendor = /^[0-9]/.test(options.driver) ? `k8s.${options.driver}` : options.driver;
  }

  /** Writes a file per request that has devices; the CDI names to add to the first device of each request, by main request. */
  async write(claim: ResourceClaim, devices: readonly DescribedDevice[]): Promise<ReadonlyMap<string, string>> {
    const { uid = '' } = claim.metadata;
    const names = new Map<string, string>();
    for (const [request, described] of Map.groupBy(devices, (device) => mainRequest(device.request))) {
      await this.#writeRequest(claim, request, described);
      names.set(request, qualifiedName(this.#vendor, CDI_CLASS, cdiDevice(uid, request)));
    }
    return names;
  }

  /** Removes everything of a claim; nothing there is fine. */
  async remove({ namespace, name, uid }: { readonly namespace: string; readonly name: string; readonly uid: string }): Promise<void> {
    const { files, cdiDirectory } = this.#options;
    await files.remove(this.#directory(namespace, name));
    const prefix = this.#specFile(uid, '');
    for (const entry of await files.list(cdiDirectory)) if (entry.name.startsWith(prefix)) await files.remove(`${cdiDirectory}/${entry.name}`);
  }

  async #writeRequest(claim: ResourceClaim, request: string, devices: readonly DescribedDevice[]): Promise<void> {
    const { files, cdiDirectory, driver } = this.#options;
    const { name = '', namespace = '', uid = '', annotations } = claim.metadata;
    const podClaimName = annotations?.[POD_CLAIM_NAME];
    const directory = `${this.#directory(namespace, name)}/${request}`;
    await files.makeDirectory(directory);
    await files.writeAtomic(`${directory}/metadata.json`, this.#content(claim, podClaimName, devices), 0o644);
    const place = podClaimName === undefined ? `resourceclaims/${name}` : `resourceclaimtemplates/${podClaimName}`;
    const mount = {
      hostPath: `${directory}/metadata.json`,
      containerPath: `${CONTAINER_DIRECTORY}/${place}/${request}/${driver}-metadata.json`,
      options: ['ro', 'bind'],
    };
    const device = { name: cdiDevice(uid, request), containerEdits: { mounts: [mount] } };
    await writeSpec(files, cdiDirectory, this.#specFile(uid, request), { kind: `${this.#vendor}/${CDI_CLASS}`, devices: [device] });
  }

  /** The same object once per version, one after another. */
  #content(claim: ResourceClaim, podClaimName: string | undefined, devices: readonly DescribedDevice[]): string {
    const { driver } = this.#options;
    const { name, namespace, uid } = claim.metadata;
    const requests = [...Map.groupBy(devices, (device) => device.request)].map(([request, ofRequest]) => ({
      name: request,
      devices: ofRequest.map(({ pool, device, metadata }) => ({ driver, pool, name: device, ...metadata })),
    }));
    const named = podClaimName === undefined ? {} : { podClaimName };
    const objects = VERSIONS.map((apiVersion) => ({
      kind: 'DeviceMetadata',
      apiVersion,
      metadata: { name, namespace, uid, generation: 1 },
      ...named,
      requests,
    }));
    return objects.map((object) => `${JSON.stringify(object, undefined, 2)}\n`).join('');
  }

  #directory(namespace: string, name: string): string {
    return `${this.#options.dataDirectory}/dra-device-metadata/${namespace}_${name}`;
  }

  #specFile(uid: string, request: string): string {
    return `${this.#options.driver}_${CDI_CLASS}_${uid}_${request}`;
  }
}

function cdiDevice(uid: string, request: string): string {
  return `${uid}_${request}`;
}

function mainRequest(request: string): string {
  return request.split('/')[0] ?? request;
}
