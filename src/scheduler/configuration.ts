/** Upstream's KubeSchedulerConfiguration: the parts of it that dray's scheduler has, read strictly. */
import { isJsonObject, type Json, parseDuration } from '#machinery';
import { DEFAULT_BINDING_TIMEOUT_MS } from './binding-conditions.ts';
import { DEFAULT_SCHEDULER_NAME } from './cluster-view.ts';
import { type Backoff, DEFAULT_BACKOFF } from './scheduling-queue.ts';

/** What a configuration file can set. */
export interface SchedulerConfiguration {
  readonly schedulerName: string;
  readonly bindingTimeoutMs: number;
  /** Whether the plugin DynamicResources is enabled or disabled; undefined leaves it to the feature gate. */
  readonly dynamicResources: boolean | undefined;
  readonly backoff: Backoff;
  /** leaderElection as it stands in the file; flags fill in what it leaves out. */
  readonly leaderElection: {
    readonly leaderElect?: boolean | undefined;
    readonly leaseDurationMs?: number | undefined;
    readonly renewDeadlineMs?: number | undefined;
    readonly retryPeriodMs?: number | undefined;
    readonly resourceName?: string | undefined;
    readonly resourceNamespace?: string | undefined;
  };
  /** clientConnection.kubeconfig. */
  readonly kubeconfig?: string | undefined;
}

/** A configuration cannot be used; the message names the field. */
export class SchedulerConfigurationError extends Error {
  override readonly name = 'SchedulerConfigurationError';
}

const API_VERSION = 'kubescheduler.config.k8s.io/v1';
/** Fields that upstream has and that change nothing here: parallelism and sampling are of no use in one thread, the endpoints are flags. */
const IGNORED = new Set([
  'parallelism',
  'percentageOfNodesToScore',
  'enableProfiling',
  'enableContentionProfiling',
  'healthzBindAddress',
  'metricsBindAddress',
]);

/** Reads a parsed file. Throws SchedulerConfigurationError on what is wrong and on what dray does not have. */
export function parseSchedulerConfiguration(value: Json): SchedulerConfiguration {
  const file = new Fields(value, '');
  if (file.text('apiVersion') !== API_VERSION || file.text('kind') !== 'KubeSchedulerConfiguration') {
    throw new SchedulerConfigurationError(`the scheduler's configuration is no KubeSchedulerConfiguration of ${API_VERSION}`);
  }
  for (const name of IGNORED) file.skip(name);
  const profiles = file.list('profiles');
  if (profiles.length > 1) throw new SchedulerConfigurationError('profiles: dray has one; run a scheduler for each');
  const connection = file.object('clientConnection');
  const kubeconfig = connection?.text('kubeconfig');
  for (const name of ['acceptContentTypes', 'contentType', 'qps', 'burst']) connection?.skip(name);
  connection?.end();
  const profile = profiles[0];
  const schedulerName = profile?.text('schedulerName') ?? DEFAULT_SCHEDULER_NAME;
  const bindingTimeoutMs = profile === undefined ? undefined : pluginConfig(profile);
  const dynamicResources = profile === undefined ? undefined : enabledPlugin(profile);
  profile?.skip('percentageOfNodesToScore');
  profile?.end();
  const backoff = {
    firstMs: file.seconds('podInitialBackoffSeconds') ?? DEFAULT_BACKOFF.firstMs,
    maxMs: file.seconds('podMaxBackoffSeconds') ?? DEFAULT_BACKOFF.maxMs,
  };
  if (backoff.maxMs < backoff.firstMs) throw new SchedulerConfigurationError('podMaxBackoffSeconds: must be greater than or equal to podInitialBackoffSeconds');
  const leaderElection = leaderElectionOf(file.object('leaderElection'));
  file.end();
  return { schedulerName, bindingTimeoutMs: bindingTimeoutMs ?? DEFAULT_BINDING_TIMEOUT_MS, dynamicResources, backoff, leaderElection, kubeconfig };
}

/** The binding timeout, if DynamicResources is configured. */
function pluginConfig(profile: Fields): number | undefined {
  let bindingTimeoutMs: number | undefined;
  for (const entry of profile.list('pluginConfig')) {
    const name = entry.text('name');
    if (name !== 'DynamicResources')
      throw new SchedulerConfigurationError(`${entry.path}.name: dray can configure DynamicResources alone, not ${String(name)}`);
    const args = entry.object('args');
    args?.skip('apiVersion');
    args?.skip('kind');
    // Allocation is bounded in steps, which do not depend on the machine; the time limit has nothing to do.
    const filterTimeoutMs = args?.duration('filterTimeout');
    if ((filterTimeoutMs ?? 0) < 0) throw new SchedulerConfigurationError(`${entry.path}.args.filterTimeout: must not be negative`);
    bindingTimeoutMs = args?.duration('bindingTimeout');
    if (bindingTimeoutMs !== undefined && bindingTimeoutMs < 1000) {
      throw new SchedulerConfigurationError(`${entry.path}.args.bindingTimeout: must be at least 1 second`);
    }
    args?.end();
    entry.end();
  }
  return bindingTimeoutMs;
}

/** Whether plugins.multiPoint enables or disables DynamicResources, the one plugin that dray's scheduler can leave out. */
function enabledPlugin(profile: Fields): boolean | undefined {
  const plugins = profile.object('plugins');
  const multiPoint = plugins?.object('multiPoint');
  const named = (list: string): boolean => {
    const entries = multiPoint?.list(list) ?? [];
    for (const entry of entries) {
      const name = entry.text('name');
      if (name !== 'DynamicResources')
        throw new SchedulerConfigurationError(`${entry.path}.name: dray can leave out DynamicResources alone, not ${String(name)}`);
      entry.skip('weight');
      entry.end();
    }
    return entries.length > 0;
  };
  const [enabled, disabled] = [named('enabled'), named('disabled')];
  multiPoint?.end();
  plugins?.end();
  return enabled ? true : disabled ? false : undefined;
}

function leaderElectionOf(fields: Fields | undefined): SchedulerConfiguration['leaderElection'] {
  if (fields === undefined) return {};
  fields.skip('resourceLock');
  const found = {
    leaderElect: fields.boolean('leaderElect'),
    leaseDurationMs: fields.duration('leaseDuration'),
    renewDeadlineMs: fields.duration('renewDeadline'),
    retryPeriodMs: fields.duration('retryPeriod'),
    resourceName: fields.text('resourceName'),
    resourceNamespace: fields.text('resourceNamespace'),
  };
  fields.end();
  return found;
}

/** The members of one object; each is taken once, and what is left in the end is unknown. */
class Fields {
  readonly path: string;
  readonly #left: Map<string, Json | undefined>;

  constructor(value: Json, path: string) {
    if (!isJsonObject(value)) throw new SchedulerConfigurationError(`${path === '' ? "the scheduler's configuration" : path} is no object`);
    this.path = path;
    this.#left = new Map(Object.entries(value));
  }

  skip(name: string): void {
    this.#left.delete(name);
  }

  text(name: string): string | undefined {
    return this.#take(name, 'a text', (value) => (typeof value === 'string' ? value : undefined));
  }

  boolean(name: string): boolean | undefined {
    return this.#take(name, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined));
  }

  /** Whole seconds, in milliseconds. */
  seconds(name: string): number | undefined {
    return this.#take(name, 'a number of seconds above 0', (value) => (typeof value === 'number' && value > 0 ? value * 1000 : undefined));
  }

  duration(name: string): number | undefined {
    return this.#take(name, 'a duration such as 10s', (value) => (typeof value === 'string' ? parseDuration(value) : undefined));
  }

  object(name: string): Fields | undefined {
    return this.#take(name, 'an object', (value) => (isJsonObject(value) ? new Fields(value, this.#pathOf(name)) : undefined));
  }

  list(name: string): readonly Fields[] {
    const items = this.#take(name, 'a list', (value) => (Array.isArray(value) ? value : undefined)) ?? [];
    return items.map((item, index) => new Fields(item, `${this.#pathOf(name)}[${String(index)}]`));
  }

  /** Refuses what nobody has asked for. */
  end(): void {
    for (const name of this.#left.keys()) throw new SchedulerConfigurationError(`${this.#pathOf(name)}: dray's scheduler has no such setting`);
  }

  #take<T>(name: string, what: string, read: (value: Json) => T | undefined): T | undefined {
    const value = this.#left.get(name);
    this.#left.delete(name);
    if (value === undefined || value === null) return undefined;
    const found = read(value);
    if (found === undefined) throw new SchedulerConfigurationError(`${this.#pathOf(name)}: not ${what}`);
    return found;
  }

  #pathOf(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }
}
