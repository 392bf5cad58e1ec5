/** The opaque configuration that claims and classes may carry for this driver. */
import type { Json } from '#kit';

/** gpu.resource.example.com/v1alpha1 GpuConfig: how a GPU is shared. */
export interface GpuConfig {
  readonly sharing: Sharing;
}

/** One of two ways to share, with its settings. */
export type Sharing =
  | { readonly strategy: 'TimeSlicing'; readonly interval: (typeof INTERVALS)[number] }
  | { readonly strategy: 'SpacePartitioning'; readonly partitionCount: number };

const API_VERSION = 'gpu.resource.example.com/v1alpha1';
const INTERVALS = ['Default', 'Short', 'Medium', 'Long'] as const;

/** What applies without a configuration. */
export const DEFAULT_GPU_CONFIG: GpuConfig = { sharing: { strategy: 'TimeSlicing', interval: 'Default' } };

/** Decodes strictly; throws an Error that says what is wrong with which field. */
export function parseGpuConfig(parameters: Json): GpuConfig {
  const config = objectAt(parameters, 'parameters', ['apiVersion', 'kind', 'sharing']);
  if (config['apiVersion'] !== API_VERSION || config['kind'] !== 'GpuConfig') {
    throw new Error(`parameters: apiVersion ${API_VERSION} and kind GpuConfig expected, got ${String(config['apiVersion'])} and ${String(config['kind'])}`);
  }
  if (config['sharing'] === undefined) return DEFAULT_GPU_CONFIG;
  const sharing = objectAt(config['sharing'], 'sharing', ['strategy', 'timeSlicingConfig', 'spacePartitioningConfig']);
  if (sharing['strategy'] === 'TimeSlicing') return { sharing: timeSlicing(sharing['timeSlicingConfig']) };
  if (sharing['strategy'] === 'SpacePartitioning') return { sharing: spacePartitioning(sharing['spacePartitioningConfig']) };
  throw new Error(`sharing.strategy: unknown GPU sharing strategy: ${String(sharing['strategy'])}`);
}

function timeSlicing(value: unknown): Sharing {
  const settings = objectAt(value ?? {}, 'sharing.timeSlicingConfig', ['interval']);
  const interval = INTERVALS.find((known) => known === (settings['interval'] ?? 'Default'));
  if (interval === undefined) throw new Error(`sharing.timeSlicingConfig.interval: unknown time-slice interval: ${String(settings['interval'])}`);
  return { strategy: 'TimeSlicing', interval };
}

function spacePartitioning(value: unknown): Sharing {
  const settings = objectAt(value ?? {}, 'sharing.spacePartitioningConfig', ['partitionCount']);
  const partitionCount = settings['partitionCount'] ?? 1;
  if (typeof partitionCount !== 'number' || !Number.isInteger(partitionCount) || partitionCount < 1) {
    throw new Error('sharing.spacePartitioningConfig.partitionCount: must be a positive whole number');
  }
  return { strategy: 'SpacePartitioning', partitionCount };
}

function objectAt(value: unknown, at: string, fields: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${at}: must be an object`);
  const unknown = Object.keys(value).find((name) => !fields.includes(name));
  if (unknown !== undefined) throw new Error(`${at}: unknown field "${unknown}"`);
  return Object.fromEntries(Object.entries(value));
}
