/** What drivers last reported about the health of their devices, kept in the kubelet's dra_health_state file. */
import { asError, type Clock, type Logger } from '#base';
import { type HostFiles, isFileMissing } from '#ports';

/** The words of pod status for a device's health. */
export type Health = 'Healthy' | 'Unhealthy' | 'Unknown';

/** One device of a report; `timeoutSeconds` of 0 stands for the default. */
export interface DeviceReport {
  readonly pool: string;
  readonly device: string;
  readonly health: Health;
  readonly message: string;
  readonly timeoutSeconds: number;
}

/** A device's health as it stands now. */
export interface DeviceHealth {
  readonly health: Health;
  readonly message: string;
}

/** What the cache needs. `changed` is called with the driver whose devices read differently from now on. */
export interface DeviceHealthCacheOptions {
  readonly files: HostFiles;
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly changed: (driver: string) => void;
}

/** A device in the file. Field names are the file's; the timeout is in nanoseconds. */
interface FileDevice {
  readonly PoolName: string;
  readonly DeviceName: string;
  readonly Health: Health;
  readonly LastUpdated: string;
  readonly HealthCheckTimeout: number;
  readonly Message: string;
}

/** Kubelet: DefaultHealthTimeout. */
const DEFAULT_TIMEOUT_SECONDS = 30;
/** Kubelet: maxHealthMessageLength, in bytes. */
const MESSAGE_BYTES_MAX = 1024;
const ELLIPSIS = '...';
const NANOSECONDS_PER_MS = 1e6;
const UNKNOWN: DeviceHealth = { health: 'Unknown', message: '' };

/** Reports count from when they arrive; one older than its timeout reads Unknown. */
export class DeviceHealthCache {
  readonly #options: DeviceHealthCacheOptions;
  #drivers = new Map<string, Map<string, FileDevice>>();
  readonly #stale = new Map<string, () => void>();
  #saving: Promise<unknown> = Promise.resolve();

  constructor(options: DeviceHealthCacheOptions) {
    this.#options = options;
  }

  /** Reads what an earlier run knew. A damaged file is as good as none: drivers report anew. */
  async load(): Promise<void> {
    const { files, file, logger } = this.#options;
    try {
      this.#drivers = readState(await files.readText(file));
    } catch (error) {
      if (!isFileMissing(error)) logger.warn('The file of device health is unusable and starts empty', { file, error: asError(error).message });
    }
    for (const driver of this.#drivers.keys()) this.#watchExpiry(driver);
  }

  /** The health of a device now. */
  of(driver: string, pool: string, device: string): DeviceHealth {
    const known = this.#drivers.get(driver)?.get(`${pool}/${device}`);
    if (known === undefined || expiryMs(known) <= this.#options.clock.nowMs()) return UNKNOWN;
    return { health: known.Health, message: known.Message };
  }

  /** Takes a report of all devices or some of them. */
  report(driver: string, reports: readonly DeviceReport[]): void {
    const devices = this.#drivers.get(driver) ?? new Map<string, FileDevice>();
    const now = this.#options.clock.nowMs();
    let changed = false;
    for (const report of reports) {
      const key = `${report.pool}/${report.device}`;
      const before = devices.get(key);
      const after = fileDevice(report, now);
      const alive = before !== undefined && expiryMs(before) > now;
      changed ||= !alive || before.Health !== after.Health || before.Message !== after.Message || before.HealthCheckTimeout !== after.HealthCheckTimeout;
      devices.set(key, after);
    }
    this.#drivers.set(driver, devices);
    this.#watchExpiry(driver);
    void this.#save();
    if (changed) this.#options.changed(driver);
  }

  /** Nothing is known of the driver's devices any more. */
  forget(driver: string): void {
    this.#stale.get(driver)?.();
    this.#stale.delete(driver);
    if (!this.#drivers.delete(driver)) return;
    void this.#save();
    this.#options.changed(driver);
  }

  /** Ends the timers and waits for the last write. */
  async close(): Promise<void> {
    for (const cancel of this.#stale.values()) cancel();
    this.#stale.clear();
    await this.#saving;
  }

  /** Tells of the next report that grows stale; upstream notices only when somebody asks. */
  #watchExpiry(driver: string): void {
    this.#stale.get(driver)?.();
    this.#stale.delete(driver);
    const { clock, changed } = this.#options;
    const now = clock.nowMs();
    const next = Math.min(...[...(this.#drivers.get(driver)?.values() ?? [])].map(expiryMs).filter((ms) => ms > now));
    if (next === Infinity) return;
    const cancel = clock.setTimer(next - now, () => {
      this.#watchExpiry(driver);
      changed(driver);
    });
    this.#stale.set(driver, cancel);
  }

  #save(): Promise<unknown> {
    const { files, file, logger } = this.#options;
    const text = writeState(this.#drivers);
    const write = (): Promise<void> =>
      files
        .writeAtomic(file, text, 0o600)
        .catch((error: unknown) => logger.warn('Writing the file of device health failed', { error: asError(error).message }));
    this.#saving = this.#saving.then(write);
    return this.#saving;
  }
}

function fileDevice({ pool, device, health, message, timeoutSeconds }: DeviceReport, nowMs: number): FileDevice {
  const seconds = timeoutSeconds > 0 ? timeoutSeconds : DEFAULT_TIMEOUT_SECONDS;
  return {
    PoolName: pool,
    DeviceName: device,
    Health: health,
    LastUpdated: new Date(nowMs).toISOString(),
    HealthCheckTimeout: seconds * 1000 * NANOSECONDS_PER_MS,
    Message: truncated(message),
  };
}

function expiryMs({ LastUpdated, HealthCheckTimeout }: FileDevice): number {
  return Date.parse(LastUpdated) + HealthCheckTimeout / NANOSECONDS_PER_MS;
}

/** Cut in bytes as the kubelet does; a character that the cut would split goes whole. */
function truncated(message: string): string {
  const bytes = new TextEncoder().encode(message);
  if (bytes.length <= MESSAGE_BYTES_MAX) return message;
  return `${new TextDecoder().decode(bytes.subarray(0, MESSAGE_BYTES_MAX - ELLIPSIS.length), { stream: true })}${ELLIPSIS}`;
}

function writeState(drivers: ReadonlyMap<string, ReadonlyMap<string, FileDevice>>): string {
  return JSON.stringify(Object.fromEntries([...drivers].map(([driver, devices]) => [driver, { Devices: Object.fromEntries(devices) }])));
}

function readState(text: string): Map<string, Map<string, FileDevice>> {
  const drivers = new Map<string, Map<string, FileDevice>>();
  for (const [driver, state] of members(JSON.parse(text))) {
    const devices = members(members(state).find(([name]) => name === 'Devices')?.[1]).flatMap(([key, device]): [string, FileDevice][] => {
      const known = readDevice(device);
      return known === undefined ? [] : [[key, known]];
    });
    drivers.set(driver, new Map(devices));
  }
  return drivers;
}

function readDevice(value: unknown): FileDevice | undefined {
  const { PoolName, DeviceName, Health: health, LastUpdated, HealthCheckTimeout, Message } = Object.fromEntries(members(value));
  const known = health === 'Healthy' || health === 'Unhealthy' || health === 'Unknown';
  if (typeof PoolName !== 'string' || typeof DeviceName !== 'string' || !known) return undefined;
  if (typeof LastUpdated !== 'string' || typeof HealthCheckTimeout !== 'number') return undefined;
  return { PoolName, DeviceName, Health: health, LastUpdated, HealthCheckTimeout, Message: typeof Message === 'string' ? Message : '' };
}

function members(value: unknown): readonly [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}
