/** The node agent's metrics, named and shaped as the kubelet's (pkg/kubelet/metrics, podresources). */
import { type Counter, type Histogram, type Metrics } from '#base';
import { GrpcCode } from '#ports';
import type { CallObserver } from './driver-calls.ts';
import type { PodResourcesCall } from './pod-resources.ts';

/** The two operations whose time is measured. */
export type DraOperation = 'PrepareResources' | 'UnprepareResources';

/** How many prepared claims have a driver's devices. */
export interface ClaimsInUse {
  readonly driver: string;
  readonly claims: number;
}

/** Kubelet: DRADurationBuckets, 15 bounds from 0.1 s to 40 s, each the same factor above the last. */
const DURATION_BUCKETS: readonly number[] = bucketsBetween(0.1, 40, 15);
/** The driver_name under which all claims are counted. */
const ANY_DRIVER = '<any>';
/** The pod resources service has one version here. */
const SERVER_API_VERSION = 'v1';

/** Counts and times what the node agent does. */
export class NodeMetrics {
  readonly #operations: Histogram<'is_error' | 'operation_name'>;
  readonly #calls: Histogram<'driver_name' | 'grpc_status_code' | 'method_name'>;
  readonly #requests: Counter<'server_api_version'>;
  readonly #requestsOf: Readonly<Record<PodResourcesCall, Counter<'server_api_version'>>>;
  readonly #errorsOf: Readonly<Record<PodResourcesCall, Counter<'server_api_version'>>>;

  /** `claimsInUse` is asked when somebody reads the metrics; the total has no driver. */
  constructor(metrics: Metrics, claimsInUse: () => { readonly total: number; readonly drivers: readonly ClaimsInUse[] }) {
    this.#operations = metrics.histogram(
      {
        name: 'dra_operations_duration_seconds',
        help: 'Latency histogram in seconds for the duration of handling all ResourceClaims referenced by a pod when the pod starts or stops.',
        labels: ['is_error', 'operation_name'],
      },
      DURATION_BUCKETS,
    );
    this.#calls = metrics.histogram(
      {
        name: 'dra_grpc_operations_duration_seconds',
        help: 'Duration in seconds of the DRA gRPC operations.',
        labels: ['driver_name', 'grpc_status_code', 'method_name'],
      },
      DURATION_BUCKETS,
    );
    metrics.gaugeFrom(
      { name: 'dra_resource_claims_in_use', help: 'The number of ResourceClaims that are currently in use on the node.', labels: ['driver_name'] },
      () => {
        const { total, drivers } = claimsInUse();
        return [
          { labels: { driver_name: ANY_DRIVER }, value: total },
          ...drivers.map(({ driver, claims }) => ({ labels: { driver_name: driver }, value: claims })),
        ];
      },
    );
    const requests = (suffix: string, help: string): Counter<'server_api_version'> =>
      metrics.counter({ name: `kubelet_pod_resources_endpoint_${suffix}`, help, labels: ['server_api_version'] });
    this.#requests = requests('requests_total', 'Cumulative number of requests to the PodResource endpoint.');
    this.#requestsOf = byCall((call) => requests(`requests_${call}`, `Number of requests to the PodResource ${call} endpoint.`));
    this.#errorsOf = byCall((call) => requests(`errors_${call}`, `Number of requests to the PodResource ${call} endpoint that failed.`));
  }

  /** Takes the time of one gRPC call. */
  readonly observeCall: CallObserver = ({ driver, method, code, seconds }) => {
    this.#calls.observe({ driver_name: driver, grpc_status_code: statusName(code), method_name: method }, seconds);
  };

  /** Takes the time of preparing or unpreparing all claims of a pod. */
  observeOperation(operation: DraOperation, failed: boolean, seconds: number): void {
    this.#operations.observe({ is_error: String(failed), operation_name: operation }, seconds);
  }

  /** Counts one call of the pod resources service. */
  readonly observePodResources = (call: PodResourcesCall, failed: boolean): void => {
    const labels = { server_api_version: SERVER_API_VERSION };
    this.#requests.inc(labels);
    this.#requestsOf[call].inc(labels);
    if (failed) this.#errorsOf[call].inc(labels);
  };
}

function byCall<T>(make: (call: PodResourcesCall) => T): Readonly<Record<PodResourcesCall, T>> {
  return { list: make('list'), get: make('get'), get_allocatable: make('get_allocatable') };
}

/** Go's name of a status code: OK, DeadlineExceeded, … */
function statusName(code: number): string {
  if (code === GrpcCode.ok) return 'OK';
  const name = Object.entries(GrpcCode).find(([, known]) => known === code)?.[0];
  return name === undefined ? `Code(${String(code)})` : name.charAt(0).toUpperCase() + name.slice(1);
}

/** Prometheus client: ExponentialBucketsRange. */
function bucketsBetween(first: number, last: number, count: number): readonly number[] {
  const factor = (last / first) ** (1 / (count - 1));
  return Array.from({ length: count }, (_, i) => first * factor ** i);
}
