/** What the scheduler measures, under upstream's names (pkg/scheduler/metrics, dynamic-resource-allocation/metrics). */
import { exponentialBuckets, type Metrics } from '#base';
import type { ResourceClaim } from '#api';

/** How waiting for devices ended. */
export type BindingConditionsStatus = 'success' | 'timeout' | 'failed' | 'error';

/** How an attempt to schedule a pod ended. */
export type AttemptResult = 'scheduled' | 'unschedulable' | 'error';

/** The parts of the queue. */
export type QueueName = 'active' | 'backoff' | 'unschedulable' | 'gated';

/** The scheduler's metrics in the registry of its process. */
export interface SchedulerMetrics {
  /** One attempt, up to the decision or, if it was to place the pod, to the end of binding. */
  attempt(result: AttemptResult, seconds: number): void;
  /** The decision alone. */
  algorithm(seconds: number): void;
  /** A placed pod: from its first attempt, and how many attempts it took. */
  bound(attempts: number): void;
  /** A wait for binding conditions has ended. */
  deviceBinding(claims: readonly ResourceClaim[], status: BindingConditionsStatus, seconds: number): void;
  /** A claim for extended resources was to be created. */
  claimCreated(status: 'success' | 'failure'): void;
  /** Pods were removed for a more important one. */
  preempted(victims: number): void;
}

/** Declares the metrics of the scheduler with this name; `pending` counts the pods that wait. */
export function schedulerMetrics(metrics: Metrics, profile: string, pending: () => Readonly<Record<QueueName, number>>): SchedulerMetrics {
  const help = 'Number of attempts to schedule pods, by the result.';
  const attempts = metrics.counter({ name: 'scheduler_schedule_attempts_total', help, labels: ['result', 'profile'] });
  const attemptSeconds = metrics.histogram(
    {
      name: 'scheduler_scheduling_attempt_duration_seconds',
      help: 'Scheduling attempt latency in seconds (algorithm and binding).',
      labels: ['result', 'profile'],
    },
    exponentialBuckets(0.001, 2, 15),
  );
  const algorithmSeconds = metrics.histogram(
    { name: 'scheduler_scheduling_algorithm_duration_seconds', help: 'Scheduling algorithm latency in seconds.' },
    exponentialBuckets(0.001, 2, 15),
  );
  const podAttempts = metrics.histogram(
    { name: 'scheduler_pod_scheduling_attempts', help: 'Number of attempts to successfully schedule a pod.' },
    exponentialBuckets(1, 2, 5),
  );
  const preemptions = metrics.counter({ name: 'scheduler_preemption_attempts_total', help: 'Total preemption attempts in the cluster till now.' });
  const victimCounts = metrics.histogram({ name: 'scheduler_preemption_victims', help: 'Number of selected preemption victims.' }, exponentialBuckets(1, 2, 7));
  metrics.gaugeFrom({ name: 'scheduler_pending_pods', help: 'Number of pending pods, by the queue type.', labels: ['queue'] }, () =>
    Object.entries(pending()).map(([queue, value]) => ({ labels: { queue }, value })),
  );
  return {
    attempt: (result, seconds) => {
      attempts.inc({ result, profile });
      attemptSeconds.observe({ result, profile }, seconds);
    },
    algorithm: (seconds) => algorithmSeconds.observe({}, seconds),
    bound: (count) => podAttempts.observe({}, count),
    preempted: (victims) => {
      preemptions.inc({});
      victimCounts.observe({}, victims);
    },
    ...draMetrics(metrics, profile),
  };
}

function draMetrics(metrics: Metrics, profile: string): Pick<SchedulerMetrics, 'deviceBinding' | 'claimCreated'> {
  const labels = ['profile', 'driver', 'status'] as const;
  const allocations = metrics.counter({
    name: 'scheduler_dra_bindingconditions_allocations_total',
    help: 'Number of device allocations with binding conditions, by the result of waiting for them.',
    labels,
  });
  const seconds = metrics.histogram(
    { name: 'scheduler_dra_bindingconditions_prebind_duration_seconds', help: 'Time spent waiting for binding conditions in PreBind.', labels },
    exponentialBuckets(0.1, 2, 14),
  );
  const creates = metrics.counter({
    name: 'dynamic_resource_allocation_resourceclaim_creates_total',
    help: 'Number of ResourceClaims creation requests, categorized by creation status and admin access.',
    labels: ['status', 'admin_access'],
  });
  return {
    deviceBinding: (claims, status, duration) => {
      for (const driver of driversOf(claims)) {
        allocations.inc({ profile, driver, status });
        seconds.observe({ profile, driver, status }, duration);
      }
    },
    claimCreated: (status) => creates.inc({ status, admin_access: 'false' }),
  };
}

/** Drivers of devices with binding conditions. */
function driversOf(claims: readonly ResourceClaim[]): ReadonlySet<string> {
  const results = claims.flatMap((claim) => claim.status?.allocation?.devices?.results ?? []);
  return new Set(results.filter((result) => (result.bindingConditions ?? []).length > 0).map((result) => result.driver));
}
