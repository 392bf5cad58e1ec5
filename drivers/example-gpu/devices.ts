/** The devices that the example driver publishes: a preset, or pools from a file. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type DesiredPool, type Device, splitDevices } from '#kit';

const GPUS_PER_NODE = 8;

/** Eight GPUs named and described as those of the well-known example driver; UUIDs follow from the node's name. */
export function gpuPreset(nodeName: string, count = GPUS_PER_NODE): ReadonlyMap<string, DesiredPool> {
  const devices = Array.from({ length: count }, (_, index): Device => ({
    name: `gpu-${index}`,
    attributes: {
      index: { int: index },
      uuid: { string: `gpu-${uuidFrom(`${nodeName}/${index}`)}` },
      model: { string: 'LATEST-GPU-MODEL' },
      driverVersion: { version: '1.0.0' },
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
const SLICE_FIELDS: ReadonlySet<string> = new Set(['devices', 'sharedCounters', 'perDeviceNodeSelection']);

/** Pools of a JSON file `{"pools": {NAME: {generation?, nodeSelector?, allNodes?, slices: […]}}}`; throws for unknown fields. */
export function poolsFromFile(path: string): ReadonlyMap<string, DesiredPool> {
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (typeof value !== 'object' || value === null || !('pools' in value)) throw new Error(`${path}: no "pools"`);
  const pools = members(value.pools, `${path}: pools`);
  return new Map(pools.map(([name, pool]) => [name, checkedPool(pool, `${path}: pools.${name}`)]));
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
