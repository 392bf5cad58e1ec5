/** What a work queue measures about itself, under upstream's names (component-base workqueue metrics). */
import { type Counter, exponentialBuckets, type Gauge, type Histogram, type Metrics } from '#base';

/** Seconds from 10 ns on, as upstream. */
const BUCKETS = exponentialBuckets(1e-8, 10, 10);

/** The metrics of all work queues of a process; each queue has a name. */
export interface WorkQueueMetrics {
  readonly name: string;
  readonly depth: Gauge<'name'>;
  readonly adds: Counter<'name'>;
  readonly retries: Counter<'name'>;
  readonly waited: Histogram<'name'>;
  readonly worked: Histogram<'name'>;
}

/** Declares the metrics for the queue of this name. */
export function workQueueMetrics(metrics: Metrics, name: string): WorkQueueMetrics {
  const labels = ['name'] as const;
  const of = (suffix: string, help: string): { name: string; help: string; labels: readonly ['name'] } => ({ name: `workqueue_${suffix}`, help, labels });
  return {
    name,
    depth: metrics.gauge(of('depth', 'Current depth of workqueue')),
    adds: metrics.counter(of('adds_total', 'Total number of adds handled by workqueue')),
    retries: metrics.counter(of('retries_total', 'Total number of retries handled by workqueue')),
    waited: metrics.histogram(of('queue_duration_seconds', 'How long in seconds an item stays in workqueue before being requested.'), BUCKETS),
    worked: metrics.histogram(of('work_duration_seconds', 'How long in seconds processing an item from workqueue takes.'), BUCKETS),
  };
}
