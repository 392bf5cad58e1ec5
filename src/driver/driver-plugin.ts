/** A DRA driver's node part: sockets, services and slices around an author's code. */
import { asError, type Clock, type Logger, type Random } from '#base';
import { RESOURCE_CLAIMS, type RestClient } from '#client';
import type { Grpc, GrpcMethod, GrpcServer, HostFiles } from '#ports';
import { GrpcCode, GrpcError } from '#ports';
import { draV1, draV1beta1, registrationV1, unary } from '#wire';
import type { ResourceClaim } from '#api';
import { MetadataFiles } from './device-metadata.ts';
import { applyDeviceStatus, type DeviceStatus } from './device-status.ts';
import { type DeviceHealthReport, HealthService } from './health-service.ts';
import type { DesiredPool } from './pool-plan.ts';
import { type Author, type ClaimReference, PreparedClaims, type ReportedDevice } from './prepared-claims.ts';
import { SlicePublisher } from './slice-publisher.ts';
import { socketPaths } from './socket-names.ts';

/** What a driver needs. `rootDir` is the kubelet's root directory. */
export interface DriverPluginOptions {
  readonly driver: string;
  readonly nodeName: string;
  readonly rootDir: string;
  /** Default `<rootDir>/cdi`; the runtime must look there. */
  readonly cdiDirectory?: string | undefined;
  /** Where the node agent looks for registration sockets; default `<rootDir>/plugins_registry`. */
  readonly registryDirectory?: string | undefined;
  /** Where the driver keeps its socket and its record; default `<rootDir>/plugins/<driver>`. */
  readonly dataDirectory?: string | undefined;
  /**
   * For a rolling update, in which two instances of the driver serve one node for a while: what tells them apart, the UID of
   * the pod each runs in. Calls of both are then serialized through a lock file in the data directory, and each reads what the
   * other recorded.
   */
  readonly instance?: string | undefined;
  readonly client: RestClient;
  readonly files: HostFiles;
  readonly grpc: Grpc;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly author: Author;
  /** Told of problems in the background, such as a pool that cannot be published; the driver goes on. They are logged as well. */
  readonly handleError?: ((error: Error) => void) | undefined;
  /** Offers the device health service, fed by `reportHealth`. */
  readonly reportsHealth?: boolean | undefined;
  /** Writes device metadata files for containers (KEP-5304). */
  readonly writesMetadata?: boolean | undefined;
}

/** Upstream's name; upstream's own lock is of another kind, so an instance of each must not run at once. */
const LOCK_FILE = 'serialize.lock';
/** What is advertised; node agents take the first that they know. */
const DRA_SERVICES: readonly string[] = ['v1.DRAPlugin', 'v1beta1.DRAPlugin'];
const HEALTH_SERVICES: readonly string[] = ['v1.DRAResourceHealth', 'v1alpha1.DRAResourceHealth'];

/** What the node agent last said about the registration; undefined before it said anything. */
export interface RegistrationState {
  readonly registered: boolean;
  readonly error: string;
}

/** Serves until its signal aborts; sockets are removed then, slices and prepared claims stay for the next start. */
export class DriverPlugin {
  readonly #options: DriverPluginOptions;
  readonly #claims: PreparedClaims;
  readonly #publisher: SlicePublisher;
  readonly #health: HealthService;
  #registration: RegistrationState | undefined;

  constructor(options: DriverPluginOptions) {
    this.#options = options;
    const { driver, files, rootDir } = options;
    const cdiDirectory = options.cdiDirectory ?? `${rootDir}/cdi`;
    const dataDirectory = this.#dataDir();
    const metadata = options.writesMetadata === true ? new MetadataFiles({ driver, files, cdiDirectory, dataDirectory }) : undefined;
    const lockFile = options.instance === undefined ? undefined : `${dataDirectory}/${LOCK_FILE}`;
    this.#claims = new PreparedClaims({ ...options, cdiDirectory, checkpointFile: `${dataDirectory}/checkpoint.json`, metadata, lockFile });
    this.#health = new HealthService(options.clock);
    this.#publisher = new SlicePublisher(options);
  }

  #dataDir(): string {
    const { dataDirectory, rootDir, driver } = this.#options;
    return dataDirectory ?? `${rootDir}/plugins/${driver}`;
  }

  /** Wants exactly these pools published from now on; returns at once. */
  publish(pools: ReadonlyMap<string, DesiredPool>): void {
    this.#publisher.publish(pools);
  }

  /** Reports the health of some devices or all; it is repeated before it grows stale. Needs `reportsHealth`. */
  reportHealth(reports: readonly DeviceHealthReport[]): void {
    this.#health.report(reports);
  }

  /** Makes `devices` this driver's part of a claim's status.devices; rejects with the server's ApiError. */
  writeDeviceStatus(claim: ClaimReference, devices: readonly DeviceStatus[]): Promise<void> {
    return applyDeviceStatus(this.#options.client, this.#options.driver, claim, devices);
  }

  /** What the node agent last said about the registration. */
  registrationState(): RegistrationState | undefined {
    return this.#registration;
  }

  /** UIDs of claims that are prepared. */
  preparedClaims(): readonly string[] {
    return this.#claims.uids();
  }

  /** Serves and publishes until `signal` aborts. Rejects when it cannot start. */
  async run(signal: AbortSignal): Promise<void> {
    const { files, logger, driver } = this.#options;
    const { registration, service } = this.#sockets();
    await this.#claims.load();
    await files.makeDirectory(this.#dataDir(), 0o750);
    await files.makeDirectory(this.#registryDir());
    const servers: GrpcServer[] = [];
    try {
      // The service first: whoever finds the registration socket calls it at once.
      servers.push(await this.#options.grpc.serve(service, this.#services()));
      servers.push(await this.#options.grpc.serve(registration, this.#registrationService(service)));
      logger.info('Driver is up', { driver, socket: service });
      await this.#publisher.run(signal);
    } finally {
      for (const server of servers.reverse()) await server.close();
    }
  }

  #registryDir(): string {
    const { registryDirectory, rootDir } = this.#options;
    return registryDirectory ?? `${rootDir}/plugins_registry`;
  }

  #sockets(): ReturnType<typeof socketPaths> {
    const { driver, instance } = this.#options;
    return socketPaths({ driver, instance, registryDirectory: this.#registryDir(), dataDirectory: this.#dataDir() });
  }

  #registrationService(endpoint: string): readonly GrpcMethod[] {
    const { driver, reportsHealth } = this.#options;
    const supportedVersions = [...DRA_SERVICES, ...(reportsHealth === true ? HEALTH_SERVICES : [])];
    const info = { type: 'DRAPlugin', name: driver, endpoint, supportedVersions };
    const { getInfo, notifyRegistrationStatus } = registrationV1.Registration.method;
    return [
      unary(getInfo, async () => info),
      unary(notifyRegistrationStatus, async (status) => {
        this.#registration = { registered: status.pluginRegistered, error: status.error };
        if (!status.pluginRegistered) {
          this.#options.logger.error('The node agent refused the registration', { error: status.error });
          throw new GrpcError(GrpcCode.unknown, `failed registration process: ${status.error}`);
        }
        return {};
      }),
    ];
  }

  #services(): readonly GrpcMethod[] {
    const v1 = draV1.DRAPlugin.method;
    const v1beta1 = draV1beta1.DRAPlugin.method;
    return [
      unary(v1.nodePrepareResources, async (request) => ({ claims: await this.#prepareAll(request.claims) })),
      unary(v1.nodeUnprepareResources, async (request) => ({ claims: await this.#unprepareAll(request.claims) })),
      unary(v1beta1.nodePrepareResources, async (request) => ({ claims: await this.#prepareAll(request.claims) })),
      unary(v1beta1.nodeUnprepareResources, async (request) => ({ claims: await this.#unprepareAll(request.claims) })),
      ...(this.#options.reportsHealth === true ? this.#health.methods() : []),
    ];
  }

  /** Any claim that cannot be read fails the whole call, as the upstream helper does; the author's errors fail their claim. */
  async #prepareAll(references: readonly ClaimReference[]): Promise<Record<string, { devices: ReportedDevice[]; error: string }>> {
    const claims: ResourceClaim[] = [];
    for (const reference of references) claims.push(await this.#read(reference));
    const answers: Record<string, { devices: ReportedDevice[]; error: string }> = {};
    for (const claim of claims) {
      try {
        answers[claim.metadata.uid ?? ''] = { devices: await this.#claims.prepare(claim), error: '' };
      } catch (error) {
        this.#options.logger.warn('Preparing a claim failed', { claim: claim.metadata.name, error: asError(error).message });
        answers[claim.metadata.uid ?? ''] = { devices: [], error: asError(error).message };
      }
    }
    return answers;
  }

  async #read(reference: ClaimReference): Promise<ResourceClaim> {
    const { namespace, name, uid } = reference;
    const claim = await this.#options.client.get(RESOURCE_CLAIMS, name, namespace);
    if (claim.status?.allocation === undefined) throw new Error(`claim ${namespace}/${name} not allocated`);
    if (claim.metadata.uid !== uid) throw new Error(`claim ${namespace}/${name} got replaced`);
    return claim;
  }

  async #unprepareAll(references: readonly ClaimReference[]): Promise<Record<string, { error: string }>> {
    const answers: Record<string, { error: string }> = {};
    for (const { namespace, name, uid } of references) {
      const error = await this.#claims.unprepare({ namespace, name, uid }).then(
        () => '',
        (thrown: unknown) => asError(thrown).message,
      );
      answers[uid] = { error };
    }
    return answers;
  }
}
