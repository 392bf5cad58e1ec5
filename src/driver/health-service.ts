/** Reports the health of a driver's devices to whoever watches, in both versions of the service. */
import { type Clock, sleep } from '#base';
import type { GrpcMethod } from '#ports';
import { draHealthV1, draHealthV1alpha1, serverStream } from '#wire';

/** The health of one device. */
export interface DeviceHealthReport {
  readonly pool: string;
  readonly device: string;
  readonly health: 'Healthy' | 'Unhealthy' | 'Unknown';
  /** Shown in pod status; at most 1024 bytes. */
  readonly message?: string | undefined;
  /** After which the node agent takes the device's health for unknown unless it is reported again. Default 30. */
  readonly timeoutSeconds?: number | undefined;
}

/** Kubelet: DefaultHealthTimeout. */
const DEFAULT_TIMEOUT_SECONDS = 30;
/** Reports are sent again this many times within their timeout, so that one late message does no harm. */
const BEATS_PER_TIMEOUT = 3;
/** Numbers on the wire. */
const NUMBERS = { Unknown: 0, Healthy: 1, Unhealthy: 2 } as const;

interface WireReport {
  readonly device: { readonly poolName: string; readonly deviceName: string };
  readonly health: 0 | 1 | 2;
  readonly message: string;
  readonly lastUpdatedTime: bigint;
  readonly healthCheckTimeoutSeconds: bigint;
}

interface Known {
  readonly report: DeviceHealthReport;
  readonly reportedMs: number;
}

/** Keeps the last report of each device; every watcher gets all of them, then changes, and all again before they grow stale. */
export class HealthService {
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();
  readonly #watchers = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Reports some devices or all; the others stay as they were. */
  report(reports: readonly DeviceHealthReport[]): void {
    const reportedMs = this.#clock.nowMs();
    for (const report of reports) this.#known.set(`${report.pool}/${report.device}`, { report, reportedMs });
    for (const wake of this.#watchers) wake();
  }

  /** The methods to serve on the driver's socket. */
  methods(): readonly GrpcMethod[] {
    const v1 = draHealthV1.DRAResourceHealth.method.nodeWatchResources;
    const v1alpha1 = draHealthV1alpha1.DRAResourceHealth.method.nodeWatchResources;
    return [serverStream(v1, (_request, signal) => this.#watch(signal)), serverStream(v1alpha1, (_request, signal) => this.#watch(signal))];
  }

  async *#watch(signal: AbortSignal): AsyncGenerator<{ devices: WireReport[] }> {
    while (!signal.aborted) {
      const changed = new AbortController();
      const wake = (): void => changed.abort();
      this.#watchers.add(wake);
      try {
        if (this.#known.size > 0) yield { devices: [...this.#known.values()].map(wireReport) };
        await sleep(this.#clock, this.#beatMs(), AbortSignal.any([signal, changed.signal])).catch(() => undefined);
      } finally {
        this.#watchers.delete(wake);
      }
    }
  }

  #beatMs(): number {
    const timeouts = [...this.#known.values()].map(({ report }) => report.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS);
    return (Math.min(DEFAULT_TIMEOUT_SECONDS, ...timeouts) * 1000) / BEATS_PER_TIMEOUT;
  }
}

function wireReport({ report, reportedMs }: Known): WireReport {
  const { pool, device, health, message = '', timeoutSeconds = 0 } = report;
  return {
    device: { poolName: pool, deviceName: device },
    health: NUMBERS[health],
    message,
    lastUpdatedTime: BigInt(Math.floor(reportedMs / 1000)),
    healthCheckTimeoutSeconds: BigInt(timeoutSeconds),
  };
}
