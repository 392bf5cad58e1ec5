/** The devices that the example driver publishes: presets, or pools from a file. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DesiredPool, type Device, splitDevices } from '#kit';

const GPUS_PER_NODE = 8;
const GPUS_PER_PCIE_ROOT = 4;

/** Whose devices are asked for: the node, and all nodes whose drivers share the file (none: this one alone). */
export interface Placement {
  readonly nodeName: string;
  readonly nodes: readonly string[];
}

/** The pools that `--devices` asks for: a preset by its name, or a file. */
export function devicesOf(devices: string, { nodeName, nodes }: Placement): ReadonlyMap<string, DesiredPool> {
  if (devices === 'gpu') return gpuPreset(nodeName);
  if (devices === 'showcase') return showcasePreset(nodeName);
  const pools = poolsFromFile(devices);
  return nodes.length === 0 ? pools : new Map([...pools].filter(([pool]) => (ownerOf(pool, nodes) ?? nodes[0]) === nodeName));
}

/** A pool called NODE or NODE-… is that node's. */
function ownerOf(pool: string, nodes: readonly string[]): string | undefined {
  return nodes.find((node) => pool === node || pool.startsWith(`${node}-`));
}

/** The eight GPUs, and what showcase.json has for this node: GPUs to share by amounts of memory, a card that can be partitioned. */
function showcasePreset(nodeName: string): ReadonlyMap<string, DesiredPool> {
  const further = poolsFromFile(join(import.meta.dirname, 'showcase.json'));
  return new Map([...gpuPreset(nodeName), ...[...further].filter(([pool]) => ownerOf(pool, [nodeName]) !== undefined)]);
}

/** Eight GPUs named and described as those of the well-known example driver; UUIDs follow from the node's name. */
function gpuPreset(nodeName: string): ReadonlyMap<string, DesiredPool> {
  const devices = Array.from({ length: GPUS_PER_NODE }, (_, index): Device => ({
    name: `gpu-${index}`,
    attributes: {
      type: { string: 'gpu' },
      index: { int: index },
      uuid: { string: `gpu-${uuidFrom(`${nodeName}/${index}`)}` },
      model: { string: 'LATEST-GPU-MODEL' },
      driverVersion: { version: '1.0.0' },
      'resource.kubernetes.io/pcieRoot': { string: `pci0000:${index < GPUS_PER_PCIE_ROOT ? '00' : '80'}` },
    },
    capacity: { memory: { value: '80Gi' } },
  }));
  return new Map([[nodeName, { slices: splitDevices(devices) }]]);
}

function uuidFrom(seed: string): string {
  const hex = createHash('sha256').update(seed).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

const POOL_FIELDS: ReadonlySet<string> = new Set(['generation', 'nodeSelector', 'allNodes', 'slices']);
const SLICE_FIELDS: ReadonlySet<string> = new Set(['devices', 'sharedCounters', 'perDeviceNodeSelection', 'partitionTypeAttribute', 'skipNodeOperations']);

/** Pools of a JSON file `{"pools": {NAME: {generation?, nodeSelector?, allNodes?, slices: […]}}}`; throws for unknown fields. */
function poolsFromFile(path: string): ReadonlyMap<string, DesiredPool> {
  const value = parsed(readFileSync(path, 'utf8'), path);
  if (typeof value !== 'object' || value === null || !('pools' in value)) throw new Error(`${path}: no "pools"`);
  const pools = members(value.pools, `${path}: pools`);
  return new Map(pools.map(([name, pool]) => [name, checkedPool(pool, `${path}: pools.${name}`)]));
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : 'no JSON'}`, { cause: error });
  }
}

function checkedPool(value: unknown, at: string): DesiredPool {
  refuseUnknown(value, POOL_FIELDS, at);
  const slices = Object.fromEntries(members(value, at))['slices'];
  if (!Array.isArray(slices)) throw new Error(`${at}.slices is no list`);
  for (const [i, slice] of slices.entries()) refuseUnknown(slice, SLICE_FIELDS, `${at}.slices[${i}]`);
  // Field names are checked here; the values are the API server's to validate.
  return value as DesiredPool;
}

function refuseUnknown(value: unknown, known: ReadonlySet<string>, at: string): void {
  const unknown = members(value, at).find(([name]) => !known.has(name));
  if (unknown !== undefined) throw new Error(`${at}: unknown field "${unknown[0]}"`);
}

function members(value: unknown, at: string): readonly [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${at} is no object`);
  return Object.entries(value);
}
