/**
 * base: what every layer may lean on and that knows neither I/O nor Kubernetes.
 *
 * Time, randomness and logging are interfaces here because nothing below `platform` may reach for the real ones:
 * a decision that depends on them takes them as a parameter.
 */
export { assert, AssertionError, unreachable } from './assert.ts';
export { asError, type Clock, sleep } from './clock.ts';
export { type LogFields, type Logger, silentLogger } from './logger.ts';
export { oncePer } from './once-per.ts';
export { nameSuffix, type Random } from './random.ts';
export {
  type Counter,
  DEFAULT_BUCKETS,
  exponentialBuckets,
  type Gauge,
  type Histogram,
  type LabelValues,
  Metrics,
  type MetricSpec,
  type Reading,
} from './metrics.ts';
