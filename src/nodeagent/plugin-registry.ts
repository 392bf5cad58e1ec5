/** Finds DRA drivers by their registration sockets and keeps connections to them. */
import { driverNameProblems } from '#api';
import { asError, type Clock, type Logger, sleep } from '#base';
import type { Grpc, GrpcClient, HostFiles } from '#ports';
import { callUnary, registrationV1 } from '#wire';
import type { DraService } from './driver-calls.ts';
import { type DriverInstance, type DriverInstances, HEALTH_SERVICES } from './driver-instances.ts';
import { driverText } from './driver-text.ts';

/** What the registry needs; `directory` is the kubelet's plugins_registry. */
export interface PluginRegistryOptions {
  readonly directory: string;
  readonly files: HostFiles;
  readonly grpc: Grpc;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What is found is kept here. */
  readonly instances: DriverInstances;
}

interface Known {
  readonly identity: string;
  instance: DriverInstance | undefined;
  /** Monotonic. */
  retryAtMs: number;
  retryMs: number;
}

/** Kubelet plugin manager: loop period, deadlines and backoff. */
const RESCAN_MS = 1_000;
const GET_INFO_DEADLINE_MS = 1_000;
const NOTIFY_DEADLINE_MS = 5_000;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 122_000;
const SUPPORTED: readonly DraService[] = ['v1.DRAPlugin', 'v1beta1.DRAPlugin'];

/** Registers what appears in the directory, forgets what disappears. */
export class PluginRegistry {
  readonly #options: PluginRegistryOptions;
  readonly #sockets = new Map<string, Known>();

  constructor(options: PluginRegistryOptions) {
    this.#options = options;
  }

  /** Follows the directory until `signal` aborts, then closes all connections. */
  async run(signal: AbortSignal): Promise<void> {
    const { files, directory, clock, logger } = this.#options;
    await files.makeDirectory(directory);
    let wake = (): void => undefined;
    const stopWatching = files.watch(directory, () => wake());
    while (!signal.aborted) {
      await this.#scan().catch((error: unknown) => logger.warn('Scanning for drivers failed', { error: asError(error).message }));
      const pause = new AbortController();
      wake = () => pause.abort();
      await sleep(clock, RESCAN_MS, AbortSignal.any([signal, pause.signal])).catch(() => undefined);
    }
    stopWatching();
    for (const socket of this.#sockets.keys()) this.#unregister(socket);
  }

  async #scan(): Promise<void> {
    const found = await this.#findSockets(this.#options.directory);
    for (const [socket, known] of this.#sockets) if (found.get(socket) !== known.identity) this.#unregister(socket);
    for (const [socket, identity] of found) {
      const known: Known = this.#sockets.get(socket) ?? { identity, instance: undefined, retryAtMs: Number.NEGATIVE_INFINITY, retryMs: RETRY_MIN_MS };
      this.#sockets.set(socket, known);
      if (known.instance !== undefined || this.#options.clock.monotonicMs() < known.retryAtMs) continue;
      await this.#register(socket, known);
    }
  }

  /** Registration sockets with what tells a re-created one from the old; subdirectories too, names with a dot not. */
  async #findSockets(directory: string): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (const entry of await this.#options.files.list(directory)) {
      const path = `${directory}/${entry.name}`;
      if (entry.name.startsWith('.')) continue;
      if (entry.kind === 'directory') for (const [socket, identity] of await this.#findSockets(path)) found.set(socket, identity);
      if (entry.kind !== 'socket') continue;
      const stat = await this.#options.files.stat(path);
      if (stat !== undefined) found.set(path, stat.identity);
    }
    return found;
  }

  async #register(socket: string, known: Known): Promise<void> {
    const { grpc, logger, clock } = this.#options;
    const client = grpc.connect(socket);
    try {
      await this.#introduce(socket, known, client);
      known.retryMs = RETRY_MIN_MS;
    } catch (error) {
      logger.warn('Registering a driver failed', { socket, error: driverText(asError(error).message), retryInMs: known.retryMs });
      this.#drop(known);
      known.retryAtMs = clock.monotonicMs() + known.retryMs;
      known.retryMs = Math.min(RETRY_MAX_MS, known.retryMs * 2);
    } finally {
      client.close();
    }
  }

  async #introduce(socket: string, known: Known, client: GrpcClient): Promise<void> {
    const { getInfo, notifyRegistrationStatus } = registrationV1.Registration.method;
    const info = await callUnary(client, getInfo, {}, { deadlineMs: GET_INFO_DEADLINE_MS });
    const notify = (pluginRegistered: boolean, error: string): Promise<unknown> =>
      callUnary(client, notifyRegistrationStatus, { pluginRegistered, error }, { deadlineMs: NOTIFY_DEADLINE_MS });
    const endpoint = info.endpoint === '' ? socket : info.endpoint;
    const chosen = this.#validate(info, endpoint);
    if ('refusal' in chosen) {
      await notify(false, driverText(chosen.refusal)).catch(() => undefined);
      throw new Error(chosen.refusal);
    }
    const health = HEALTH_SERVICES.find((service) => info.supportedVersions.includes(service));
    known.instance = { driver: info.name, endpoint, service: chosen.service, health, client: this.#options.grpc.connect(endpoint) };
    this.#options.instances.add(known.instance);
    await notify(true, '');
    this.#options.logger.info('Registered a driver', { driver: info.name, service: chosen.service, endpoint });
  }

  #validate(info: registrationV1.PluginInfo, endpoint: string): { service: DraService } | { refusal: string } {
    if (info.type !== 'DRAPlugin') return { refusal: `no handler registered for plugin type: ${info.type} at socket ${endpoint}` };
    if (info.name === '') return { refusal: 'plugin name is empty' };
    const [problem] = driverNameProblems(info.name);
    if (problem !== undefined) return { refusal: `no name of a driver (${problem}): ${info.name}` };
    if (info.supportedVersions.length === 0) return { refusal: 'empty list for supported gRPC services (aka supported versions)' };
    const service = info.supportedVersions.flatMap((version) => SUPPORTED.filter((other) => other === version))[0];
    if (service === undefined) {
      return {
        refusal: `none of the supported gRPC services of the driver (${info.supportedVersions.join(', ')}) is supported by the kubelet (${SUPPORTED.join(', ')})`,
      };
    }
    const twice = this.#options.instances.of(info.name).some((other) => other.endpoint === endpoint);
    return twice ? { refusal: `endpoint ${endpoint} already registered for DRA driver plugin ${info.name}` } : { service };
  }

  #unregister(socket: string): void {
    const known = this.#sockets.get(socket);
    this.#sockets.delete(socket);
    if (known?.instance === undefined) return;
    this.#options.logger.info('Unregistered a driver', { driver: known.instance.driver, endpoint: known.instance.endpoint });
    this.#drop(known);
  }

  #drop(known: Known): void {
    const { instance } = known;
    known.instance = undefined;
    if (instance !== undefined) this.#options.instances.remove(instance);
  }
}
