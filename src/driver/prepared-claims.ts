/** Prepares and unprepares claims: asks the author, writes CDI files, and remembers what is held. */
import { asError, type Logger } from '#base';
import type { DeviceRequestAllocationResult, ResourceClaim } from '#api';
import { type ContainerEdits, removeSpec, specFileName, writeSpec } from '#cdi';
import { type HostFiles, isFileMissing } from '#ports';
import type { DeviceMetadata, MetadataFiles } from './device-metadata.ts';

/** Names a claim that may be gone from the API server. */
export interface ClaimReference {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** An allocated device of this driver and what it means for containers that use it. */
export interface EditedDevice {
  readonly result: DeviceRequestAllocationResult;
  /** May be empty: the device is then prepared but brings nothing. */
  readonly edits: ContainerEdits;
  /** What the container may read of the device, where metadata files are written. */
  readonly metadata?: DeviceMetadata | undefined;
}

/** What the driver's author writes. Both calls may be repeated and must then do no harm. */
export interface Author {
  /** Makes `results`, the devices allocated to `claim` from this driver, ready. A rejection fails this claim alone. */
  prepare(claim: ResourceClaim, results: readonly DeviceRequestAllocationResult[]): Promise<readonly EditedDevice[]>;
  /** Undoes prepare for a claim that was prepared with these devices; the claim itself may be gone from the API server. */
  unprepare(claim: ClaimReference, devices: readonly PreparedDevice[]): Promise<void>;
}

/** A device that is prepared for a claim. */
export interface PreparedDevice {
  /** With `/subrequest` where there is one. */
  readonly request: string;
  readonly pool: string;
  readonly device: string;
  readonly shareID?: string | undefined;
}

/** A device as NodePrepareResources reports it. */
export interface ReportedDevice {
  readonly requestNames: string[];
  readonly poolName: string;
  readonly deviceName: string;
  readonly cdiDeviceIds: string[];
  readonly shareId?: string;
}

interface HeldDevice extends PreparedDevice {
  readonly adminAccess?: boolean | undefined;
  readonly edits: ContainerEdits;
  readonly metadata?: DeviceMetadata | undefined;
}

interface HeldClaim extends ClaimReference {
  readonly devices: readonly HeldDevice[];
}

/** What PreparedClaims needs: CDI directory and checkpoint file are absolute paths. */
export interface PreparedClaimsOptions {
  readonly driver: string;
  readonly nodeName: string;
  readonly files: HostFiles;
  readonly cdiDirectory: string;
  readonly checkpointFile: string;
  readonly author: Author;
  readonly logger: Logger;
  /** Held during each call, where another instance of the driver shares the checkpoint file; absent: nobody does. */
  readonly lockFile?: string | undefined;
  /** Absent: containers get no metadata files. */
  readonly metadata?: MetadataFiles | undefined;
}

const CDI_CLASS = 'claim';

/** The record of prepared claims; one call runs at a time. */
export class PreparedClaims {
  readonly #options: PreparedClaimsOptions;
  readonly #vendor: string;
  #held = new Map<string, HeldClaim>();
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: PreparedClaimsOptions) {
    this.#options = options;
    // A driver name may begin with a digit, a CDI vendor may not.
    this.#vendor = `k8s.${options.driver}`;
  }

  /** Reads the record of an earlier run; rejects when it is there and cannot be read. */
  async load(): Promise<void> {
    const { files, checkpointFile } = this.#options;
    try {
      this.#held = new Map(readCheckpoint(await files.readText(checkpointFile)).map((claim) => [claim.uid, claim]));
    } catch (error) {
      if (!isFileMissing(error)) throw new Error(`cannot read ${checkpointFile}: ${asError(error).message}`);
    }
  }

  /** Prepares an allocated claim; what an earlier prepare recorded is kept and its CDI file written again. */
  prepare(claim: ResourceClaim): Promise<ReportedDevice[]> {
    return this.#exclusive(async () => {
      const { uid = '', name = '', namespace = '' } = claim.metadata;
      const known = this.#held.get(uid);
      const held = known ?? { uid, name, namespace, devices: await this.#askAuthor(claim) };
      await this.#writeCdi(held);
      const metadata = new Map(await this.#options.metadata?.write(claim, held.devices));
      if (known === undefined) {
        this.#held.set(uid, held);
        await this.#save();
      }
      return held.devices.map((device) => {
        const request = mainRequest(device);
        const described = metadata.get(request);
        // Once per request is enough: on its first device.
        metadata.delete(request);
        return this.#report(uid, device, described);
      });
    });
  }

  /** Undoes prepare; an unknown claim is fine. */
  unprepare(claim: ClaimReference): Promise<void> {
    return this.#exclusive(async () => {
      const known = this.#held.get(claim.uid);
      if (known !== undefined) await this.#options.author.unprepare(claim, known.devices);
      await removeSpec(this.#options.files, this.#options.cdiDirectory, this.#fileName(claim.uid));
      await this.#options.metadata?.remove(claim);
      if (this.#held.delete(claim.uid)) await this.#save();
    });
  }

  /** UIDs of the claims held. */
  uids(): readonly string[] {
    return [...this.#held.keys()];
  }

  async #askAuthor(claim: ResourceClaim): Promise<readonly HeldDevice[]> {
    const results = (claim.status?.allocation?.devices?.results ?? []).filter((result) => result.driver === this.#options.driver);
    for (const result of results) this.#refuseIfHeld(result);
    const edited = await this.#options.author.prepare(claim, results);
    return edited.map(({ result, edits, metadata }) => {
      const { request, pool, device, shareID, adminAccess } = result;
      return { request, pool, device, shareID, adminAccess, edits, metadata };
    });
  }

  /**
   * The last line of defence: after a forced deletion the control plane may give a device away while its old container still
   * runs here. The kubelet tries again later.
   */
  #refuseIfHeld(result: DeviceRequestAllocationResult): void {
    if (result.shareID !== undefined || result.adminAccess === true) return;
    for (const other of this.#held.values()) {
      const same = other.devices.find((device) => device.pool === result.pool && device.device === result.device);
      if (same !== undefined && same.shareID === undefined && same.adminAccess !== true) {
        throw new Error(`device ${result.pool}/${result.device} is still prepared for claim ${other.namespace}/${other.name} (${other.uid})`);
      }
    }
  }

  #fileName(uid: string): string {
    return specFileName(this.#vendor, CDI_CLASS, uid);
  }

  async #writeCdi(claim: HeldClaim): Promise<void> {
    const { files, cdiDirectory, driver, nodeName } = this.#options;
    if (claim.devices.length === 0) return;
    // Also devices without edits of their own need a device in the file: CDI refuses empty edits.
    const common = { env: [`DRA_RESOURCE_DRIVER_NAME=${driver}`, `KUBERNETES_NODE_NAME=${nodeName}`] };
    const devices = claim.devices.map((device) => ({
      name: cdiDeviceName(claim.uid, device),
      containerEdits: { ...device.edits, env: [...(device.edits.env ?? []), ...common.env] },
    }));
    await writeSpec(files, cdiDirectory, this.#fileName(claim.uid), { kind: `${this.#vendor}/${CDI_CLASS}`, devices });
  }

  #report(uid: string, device: HeldDevice, metadata: string | undefined): ReportedDevice {
    return {
      // On the wire the kubelet knows main requests only.
      requestNames: [mainRequest(device)],
      poolName: device.pool,
      deviceName: device.device,
      cdiDeviceIds: [`${this.#vendor}/${CDI_CLASS}=${cdiDeviceName(uid, device)}`, ...(metadata === undefined ? [] : [metadata])],
      ...(device.shareID === undefined ? {} : { shareId: device.shareID }),
    };
  }

  async #save(): Promise<void> {
    const { files, checkpointFile } = this.#options;
    await files.writeAtomic(checkpointFile, `${JSON.stringify({ version: CHECKPOINT_VERSION, claims: [...this.#held.values()] })}\n`, 0o600);
  }

  /** What another instance recorded meanwhile is read before, so that either may prepare and either may undo it. */
  async #locked<T>(action: () => Promise<T>): Promise<T> {
    const { files, lockFile } = this.#options;
    if (lockFile === undefined) return action();
    const release = await files.lock(lockFile);
    try {
      this.#held.clear();
      await this.load();
      return await action();
    } finally {
      await release();
    }
  }

  #exclusive<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(() => this.#locked(action));
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

const CHECKPOINT_VERSION = 1;

function mainRequest({ request }: HeldDevice): string {
  return request.split('/')[0] ?? request;
}

function cdiDeviceName(uid: string, device: HeldDevice): string {
  return device.shareID === undefined ? `${uid}-${device.device}` : `${uid}-${device.device}-${device.shareID}`;
}

function readCheckpoint(text: string): readonly HeldClaim[] {
  const value: unknown = JSON.parse(text);
  const valid =
    typeof value === 'object' &&
    value !== null &&
    'version' in value &&
    value.version === CHECKPOINT_VERSION &&
    'claims' in value &&
    Array.isArray(value.claims);
  if (!valid) throw new Error('not a checkpoint of this version');
  // This kit alone writes the file, in one step; the version above says which shape.
  return value.claims as readonly HeldClaim[];
}
