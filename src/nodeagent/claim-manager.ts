/** Prepares and unprepares the claims of pods, counting who uses what. */
import { asError, type Clock } from '#base';
import { type Pod, podGroupNameOf, type ResourceClaim } from '#api';
import { RESOURCE_CLAIMS, type RestClient } from '#client';
import { type HostFiles, isFileMissing } from '#ports';
import type { draV1 } from '#wire';
import { type CheckpointClaim, type CheckpointDevice, CheckpointError, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
import { claimsOfPod, type PodClaim } from './pod-claims.ts';
import type { RegisteredDriver, WireClaim } from './driver-calls.ts';
import { driverText } from './driver-text.ts';
import type { ClaimsInUse, DraOperation } from './node-metrics.ts';

/** What the manager needs. `driver` finds a registered driver. */
export interface ClaimManagerOptions {
  readonly client: RestClient;
  readonly files: HostFiles;
  readonly checkpointFile: string;
  readonly driver: (name: string) => RegisteredDriver | undefined;
  /** Whether a pod may use what is its group's (gate DRAWorkloadResourceClaims). */
  readonly groupClaims?: boolean | undefined;
  readonly clock: Clock;
  /** Told how long preparing or unpreparing all claims of a pod took. */
  readonly observe: (operation: DraOperation, failed: boolean, seconds: number) => void;
}

interface ClaimInfo {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly podUids: Set<string>;
  /** Devices by driver; a driver is there from the first attempt on, so that a failed prepare is unprepared, too. */
  readonly drivers: Map<string, readonly CheckpointDevice[] | null>;
  /** Not in the file on purpose: after a restart the first new pod prepares again, which repairs what a reboot lost. */
  prepared: boolean;
  /** What it was prepared for, as long as it is. */
  preparedFor: string;
}

/** One claim is worked on by one pod at a time; different claims run side by side. */
export class ClaimManager {
  readonly #options: ClaimManagerOptions;
  /** By namespace/name. */
  readonly #claims = new Map<string, ClaimInfo>();
  readonly #locks = new Map<string, Promise<unknown>>();
  #saving: Promise<unknown> = Promise.resolve();

  constructor(options: ClaimManagerOptions) {
    this.#options = options;
  }

  /** Reads the checkpoint; none is a fresh start. Rejects with CheckpointError when it is damaged. */
  async load(): Promise<void> {
    const text = await this.#options.files.readText(this.#options.checkpointFile).catch((error: unknown) => {
      if (isFileMissing(error)) return undefined;
      throw error;
    });
    // A directory that cannot be written is found out now, not when a pod waits.
    if (text === undefined) await this.#save();
    for (const claim of text === undefined ? [] : this.#decode(text)) this.#claims.set(`${claim.Namespace}/${claim.ClaimName}`, fromCheckpoint(claim));
  }

  #decode(text: string): readonly CheckpointClaim[] {
    try {
      return decodeCheckpoint(text);
    } catch (error) {
      const { checkpointFile } = this.#options;
      throw new CheckpointError(`${checkpointFile}: ${asError(error).message}; drain the node, remove the file and start again`);
    }
  }

  /** A claim as prepared, for a container's CDI devices. */
  prepared(namespace: string, claimName: string): CheckpointClaim | undefined {
    const info = this.#claims.get(`${namespace}/${claimName}`);
    return info === undefined ? undefined : toCheckpoint(info);
  }

  /** UIDs of all pods that hold a claim. */
  podUids(): ReadonlySet<string> {
    return new Set([...this.#claims.values()].flatMap((info) => [...info.podUids]));
  }

  /** UIDs of the pods that hold a claim with devices of the driver. */
  podsWith(driver: string): ReadonlySet<string> {
    return new Set([...this.#claims.values()].flatMap((info) => (info.drivers.has(driver) ? [...info.podUids] : [])));
  }

  /** How many claims are in use, in all and by driver. */
  inUse(): { readonly total: number; readonly drivers: readonly ClaimsInUse[] } {
    const infos = [...this.#claims.values()];
    const names = new Set(infos.flatMap((info) => [...info.drivers.keys()]));
    return { total: infos.length, drivers: [...names].map((driver) => ({ driver, claims: infos.filter((info) => info.drivers.has(driver)).length })) };
  }

  /** Makes all claims of the pod ready. May be repeated; an error leaves what was recorded for unprepare. */
  async prepare(pod: Pod): Promise<void> {
    const { namespace = '' } = pod.metadata;
    const claims = claimsOfPod(pod);
    if (claims.length === 0) return;
    const keys = claims.map((claim) => `${namespace}/${claim.claimName}`);
    await this.#operation('PrepareResources', keys, async () => {
      const valid: ResourceClaim[] = [];
      for (const claim of claims) valid.push(await this.#validate(pod, claim));
      const podUid = pod.metadata.uid ?? '';
      const batches = this.#note(valid, podUid);
      // Before any call: a crash in between must still lead to unprepare.
      await this.#save();
      for (const [driver, batch] of batches) await this.#prepareOn(driver, batch);
      for (const claim of valid) Object.assign(this.#infoOf(claim), { prepared: true, preparedFor: devicesOf(claim) });
      await this.#save();
    });
  }

  async #validate(pod: Pod, { claimName, generated }: PodClaim): Promise<ResourceClaim> {
    const { name: podName = '', namespace = '', uid: podUid = '' } = pod.metadata;
    const claim = await this.#options.client.get(RESOURCE_CLAIMS, claimName, namespace).catch((error: unknown) => {
      throw new Error(`fetch ResourceClaim ${claimName}: ${error instanceof Error ? error.message : String(error)}`);
    });
    const { uid = '' } = claim.metadata;
    const group = this.#options.groupClaims === true && podGroupNameOf(pod) !== '' ? podGroupNameOf(pod) : undefined;
    if (generated && !isOwnedBy(claim, podUid, group)) {
      throw new Error(`ResourceClaim ${namespace}/${claimName} was not created for Pod ${namespace}/${podName} (Pod is not owner)`);
    }
    if (!isReservedFor(claim, podUid, group)) {
      throw new Error(`pod ${podName} (${podUid}) is not allowed to use ResourceClaim ${claimName} (${uid})`);
    }
    if (claim.status?.allocation === undefined) throw new Error(`ResourceClaim ${claimName}: not allocated`);
    for (const driver of driversOf(claim)) this.#registered(driver);
    const known = this.#claims.get(`${namespace}/${claimName}`);
    if (known !== undefined && known.uid !== uid) {
      throw new Error(`old ResourceClaim with same name ${claimName} and different UID ${known.uid} still exists (previous pod force-deleted?!)`);
    }
    if (known?.prepared === true && known.preparedFor !== devicesOf(claim)) {
      throw new Error(`ResourceClaim ${claimName} is still prepared with the devices of an earlier allocation (previous pod force-deleted?!)`);
    }
    return claim;
  }

  #registered(name: string): RegisteredDriver {
    const driver = this.#options.driver(name);
    if (driver === undefined) throw new Error(`DRA driver ${name} is not registered`);
    return driver;
  }

  /** Adds the pod's references; returns the claims that still need a call, by driver. */
  #note(claims: readonly ResourceClaim[], podUid: string): ReadonlyMap<string, readonly ClaimInfo[]> {
    const batches = new Map<string, ClaimInfo[]>();
    for (const claim of claims) {
      const info = this.#infoOf(claim);
      info.podUids.add(podUid);
      for (const driver of driversOf(claim)) {
        if (!info.drivers.has(driver)) info.drivers.set(driver, null);
        if (!info.prepared) batches.set(driver, [...(batches.get(driver) ?? []), info]);
      }
    }
    return batches;
  }

  #infoOf(claim: ResourceClaim): ClaimInfo {
    const { namespace = '', name = '', uid = '' } = claim.metadata;
    const key = `${namespace}/${name}`;
    const known = this.#claims.get(key);
    if (known !== undefined) return known;
    const info: ClaimInfo = { uid, name, namespace, podUids: new Set(), drivers: new Map(), prepared: false, preparedFor: '' };
    this.#claims.set(key, info);
    return info;
  }

  async #prepareOn(driver: string, batch: readonly ClaimInfo[]): Promise<void> {
    const answers = await this.#registered(driver).prepare(batch.map(wireClaim));
    for (const [uid, answer] of Object.entries(answers)) {
      const info = batch.find((other) => other.uid === uid);
      if (info === undefined) throw new Error(`NodePrepareResources returned claim ${driverText(uid)} that was not asked for`);
      if (answer.error !== '') throw new Error(`NodePrepareResources failed for ResourceClaim ${info.name}: ${driverText(answer.error)}`);
      // The answer replaces what was known: a repeated prepare must not add the same devices again.
      info.drivers.set(driver, answer.devices.map(checkpointDevice));
    }
    const skipped = batch.filter((info) => !(info.uid in answers)).length;
    if (skipped > 0) throw new Error(`NodePrepareResources skipped ${skipped} ResourceClaims`);
  }

  /** Drops the pod's references; the last user of a claim unprepares it. May be repeated. */
  async unprepare(podUid: string): Promise<void> {
    const keys = [...this.#claims].filter(([, info]) => info.podUids.has(podUid)).map(([key]) => key);
    if (keys.length === 0) return;
    await this.#operation('UnprepareResources', keys, async () => {
      const batches = new Map<string, ClaimInfo[]>();
      const last: string[] = [];
      for (const key of keys) {
        const info = this.#claims.get(key);
        if (info === undefined || !info.podUids.has(podUid)) continue;
        if (info.podUids.size > 1) {
          info.podUids.delete(podUid);
          continue;
        }
        last.push(key);
        for (const driver of info.drivers.keys()) batches.set(driver, [...(batches.get(driver) ?? []), info]);
      }
      for (const [driver, batch] of batches) await this.#unprepareOn(driver, batch);
      for (const key of last) this.#claims.delete(key);
      await this.#save();
    });
  }

  async #unprepareOn(driver: string, batch: readonly ClaimInfo[]): Promise<void> {
    const target = this.#registered(driver);
    // From here on the devices may be gone, whatever the driver answers: the next pod prepares them again.
    for (const info of batch) info.prepared = false;
    const answers = await target.unprepare(batch.map(wireClaim));
    for (const info of batch) {
      const error = answers[info.uid]?.error ?? '';
      if (error !== '') throw new Error(`NodeUnprepareResources failed for ResourceClaim ${info.name}: ${driverText(error)}`);
    }
    const skipped = batch.filter((info) => !(info.uid in answers)).length;
    if (skipped > 0) throw new Error(`NodeUnprepareResources skipped ${skipped} ResourceClaims`);
  }

  /** Writes the checkpoint; writes follow one another in order. */
  #save(): Promise<void> {
    const write = (): Promise<void> =>
      this.#options.files.writeAtomic(this.#options.checkpointFile, encodeCheckpoint([...this.#claims.values()].map(toCheckpoint)), 0o600);
    const result = this.#saving.then(write);
    this.#saving = result.catch(() => undefined);
    return result;
  }

  async #operation(operation: DraOperation, keys: readonly string[], action: () => Promise<void>): Promise<void> {
    const { clock, observe } = this.#options;
    const startMs = clock.monotonicMs();
    let failed = true;
    try {
      await this.#exclusive(keys, action);
      failed = false;
    } finally {
      observe(operation, failed, (clock.monotonicMs() - startMs) / 1000);
    }
  }

  /** Runs `action` when nobody else works on any of these claims. */
  #exclusive(keys: readonly string[], action: () => Promise<void>): Promise<void> {
    const before = keys.map(async (key) => this.#locks.get(key));
    const result = Promise.allSettled(before).then(action);
    const settled = result.catch(() => undefined);
    for (const key of keys) this.#locks.set(key, settled);
    void settled.then(() => {
      for (const key of keys) if (this.#locks.get(key) === settled) this.#locks.delete(key);
    });
    return result;
  }
}

/** Made for the pod or, where `group` names it, for the pod's group. */
function isOwnedBy(claim: ResourceClaim, podUid: string, group: string | undefined): boolean {
  const controllers = (claim.metadata.ownerReferences ?? []).filter((owner) => owner.controller === true);
  return controllers.some((owner) => owner.uid === podUid || (group !== undefined && owner.kind === 'PodGroup' && owner.name === group));
}

function isReservedFor(claim: ResourceClaim, podUid: string, group: string | undefined): boolean {
  return (claim.status?.reservedFor ?? []).some(
    ({ apiGroup, resource, name, uid }) =>
      uid === podUid || (group !== undefined && apiGroup === 'scheduling.k8s.io' && resource === 'podgroups' && name === group),
  );
}

function driversOf(claim: ResourceClaim): ReadonlySet<string> {
  return new Set((claim.status?.allocation?.devices?.results ?? []).map((result) => result.driver));
}

function devicesOf(claim: ResourceClaim): string {
  const results = claim.status?.allocation?.devices?.results ?? [];
  return results.map(({ request, driver, pool, device, shareID = '' }) => [request, driver, pool, device, shareID].join(' ')).join('\n');
}

function wireClaim({ namespace, uid, name }: ClaimInfo): WireClaim {
  return { namespace, uid, name };
}

function checkpointDevice(device: draV1.Device): CheckpointDevice {
  return {
    PoolName: device.poolName,
    DeviceName: device.deviceName,
    ShareID: device.shareId ?? null,
    RequestNames: device.requestNames.length > 0 ? device.requestNames : null,
    CDIDeviceIDs: device.cdiDeviceIds.length > 0 ? device.cdiDeviceIds : null,
  };
}

function toCheckpoint(info: ClaimInfo): CheckpointClaim {
  return {
    ClaimUID: info.uid,
    ClaimName: info.name,
    Namespace: info.namespace,
    PodUIDs: Object.fromEntries([...info.podUids].map((uid) => [uid, {}])),
    DriverState: Object.fromEntries([...info.drivers].map(([driver, Devices]) => [driver, { Devices }])),
  };
}

function fromCheckpoint(claim: CheckpointClaim): ClaimInfo {
  return {
    uid: claim.ClaimUID,
    name: claim.ClaimName,
    namespace: claim.Namespace,
    podUids: new Set(Object.keys(claim.PodUIDs)),
    drivers: new Map(Object.entries(claim.DriverState).map(([driver, { Devices }]) => [driver, Devices])),
    prepared: false,
    preparedFor: '',
  };
}
