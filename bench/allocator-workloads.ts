/** The workloads of bench/allocator.ts as cases of the allocator oracle's protocol: the same text on every machine. */
import type {
  Device,
  DeviceAttribute,
  DeviceCapacity,
  DeviceClass,
  DeviceConstraint,
  DeviceRequest,
  DeviceSubRequest,
  ExactDeviceRequest,
  ResourceSlice,
} from '#api';
import type { OracleCase } from '../test/conformance/allocator-oracle.ts';

const GPU = 'gpu.example.com';
const FEATURES = ['AdminAccess', 'PrioritizedList', 'PartitionableDevices', 'DeviceTaints', 'DeviceBindingAndStatus', 'ConsumableCapacity'];
const EIGHT = 8;
/** The node that most workloads allocate on, in the middle of 500. */
const MIDDLE = 250;
const SLICE_SIZE = 128;

const count = <T>(length: number, make: (index: number) => T): T[] => Array.from({ length }, (_, index) => make(index));
const padded = (index: number): string => String(index).padStart(4, '0');
const nodeName = (index: number): string => `node-${padded(index)}`;
const deviceId = (device: string, pool: string): string => `${GPU}/${pool}/${device}`;
const classOf = (name: string): DeviceClass => ({
  metadata: { name },
  spec: { selectors: [{ cel: { expression: `device.driver == "${name}.example.com"` } }] },
});

/** What distinguishes a workload from the usual. */
interface Parts {
  readonly slices: readonly ResourceSlice[];
  readonly requests: readonly DeviceRequest[];
  readonly constraints?: readonly DeviceConstraint[];
  readonly nodes?: readonly string[];
  readonly allocated?: OracleCase['allocated'];
}

function workload({ slices, requests, constraints, nodes = [nodeName(MIDDLE)], allocated = {} }: Parts): Omit<OracleCase, 'id'> {
  return {
    features: Object.fromEntries(FEATURES.map((name) => [name, true])),
    classes: [classOf('gpu'), classOf('nic')],
    nodes: nodes.map((name) => ({ metadata: { name, labels: {} } })),
    slices,
    claims: [{ metadata: { name: 'claim-0', namespace: 'default' }, spec: { devices: { requests, ...(constraints && { constraints }) } } }],
    allocated,
  };
}

function sliceOf(name: string, pool: string, more: Partial<ResourceSlice['spec']>): ResourceSlice {
  return { metadata: { name }, spec: { driver: GPU, pool: { name: pool, generation: 1, resourceSliceCount: 1 }, ...more } };
}

function demand(more: Omit<Partial<ExactDeviceRequest>, 'selectors'> & { readonly select?: string } = {}): ExactDeviceRequest {
  const { select, ...rest } = more;
  const counted = more.allocationMode === 'All' ? {} : { count: 1 };
  return {
    deviceClassName: 'gpu',
    allocationMode: 'ExactCount',
    ...counted,
    ...(select !== undefined && { selectors: [{ cel: { expression: select } }] }),
    ...rest,
  };
}

const request = (name: string, more: Parameters<typeof demand>[0] = {}): DeviceRequest => ({ name, exactly: demand(more) });
const alternative = (index: number, more: Parameters<typeof demand>[0]): DeviceSubRequest => ({ name: `sub-${index}`, ...demand(more) });

function gpu(index: number, root = `pci0000:${index >> 2}0`): Device {
  const attributes: Record<string, DeviceAttribute> = {
    type: { string: 'gpu' },
    productName: { string: 'NVIDIA A100-SXM4-40GB' },
    architecture: { string: 'Ampere' },
    driverVersion: { version: '580.126.20' },
    cudaComputeCapability: { version: '8.0.0' },
    uuid: { string: `GPU-${padded(index)}` },
    'resource.kubernetes.io/pcieRoot': { string: root },
  };
  return { name: `gpu-${index}`, attributes, capacity: { memory: { value: '40Gi' } } };
}

/** One local slice with eight GPUs per node. */
const cluster = (nodes: number, root?: (index: number) => string): ResourceSlice[] =>
  count(nodes, (number) =>
    sliceOf(`slice-${padded(number)}`, nodeName(number), { nodeName: nodeName(number), devices: count(EIGHT, (index) => gpu(index, root?.(index))) }),
  );

const everyDevice = (nodes: number): string[] => count(nodes, (number) => count(EIGHT, (index) => deviceId(`gpu-${index}`, nodeName(number)))).flat();

/** Partitions of a card: slices of memory, multiprocessors, first slices, and variants of each. */
interface Profile {
  readonly name: string;
  readonly width: number;
  readonly multiprocessors: number;
  readonly starts: readonly number[];
  readonly variants: number;
}

const PROFILES: readonly Profile[] = [
  { name: '1g', width: 1, multiprocessors: 14, starts: [0, 1, 2, 3, 4, 5, 6], variants: 5 },
  { name: '2g', width: 2, multiprocessors: 28, starts: [0, 2, 4], variants: 4 },
  { name: '3g', width: 4, multiprocessors: 42, starts: [0, 4], variants: 4 },
  { name: '4g', width: 4, multiprocessors: 56, starts: [0], variants: 3 },
  { name: '7g', width: 8, multiprocessors: 98, starts: [0], variants: 2 },
];
const MEMORY_SLICES = 8;

function amounts<T extends string | number>(values: Readonly<Record<string, T>>): Record<string, DeviceCapacity> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value: String(value) }]));
}

const memorySlices = (start: number, width: number): Record<string, number> => Object.fromEntries(count(width, (at) => [`memory-slice-${start + at}`, 1]));

function partition(card: number, { name, width, multiprocessors }: Profile, start: number, variant: number): Device {
  const memory = `${width * 4864}Mi`;
  const counters = amounts<string | number>({ multiprocessors, memory, 'copy-engines': Math.max(1, width >> 1), ...memorySlices(start, width) });
  return {
    name: `gpu-${card}-mig-${name}-${start}-${variant}`,
    attributes: {
      type: { string: 'mig' },
      profile: { string: name },
      variant: { int: variant },
      parentUUID: { string: `GPU-${padded(card)}` },
      driverVersion: { version: '580.126.20' },
    },
    capacity: amounts<string | number>({ memory, multiprocessors }),
    consumesCounters: [{ counterSet: `gpu-${card}`, counters }],
  };
}

/** A node with cards that can be partitioned; `variants` bounds how many of each partition are published. */
function migNode(name: string, cards: number, variants: number): ResourceSlice[] {
  const pool = { name, generation: 1, resourceSliceCount: cards + 1 };
  const counters = amounts<string | number>({ multiprocessors: 98, memory: '40Gi', 'copy-engines': 7, ...memorySlices(0, MEMORY_SLICES) });
  const sharedCounters = count(cards, (card) => ({ name: `gpu-${card}`, counters }));
  const partitions = (card: number): Device[] =>
    PROFILES.flatMap((profile) =>
      profile.starts.flatMap((start) => count(Math.min(profile.variants, variants), (variant) => partition(card, profile, start, variant))),
    );
  return [
    sliceOf(`${name}-counters`, name, { pool, nodeName: name, sharedCounters }),
    ...count(cards, (card) => sliceOf(`${name}-gpu-${card}`, name, { pool, nodeName: name, devices: partitions(card) })),
  ];
}

const profileIs = (profile: string): string => `device.attributes["${GPU}"].type == "mig" && device.attributes["${GPU}"].profile == "${profile}"`;
const local = (devices: readonly Device[]): ResourceSlice[] => [sliceOf('slice-0', 'node-a', { nodeName: 'node-a', devices })];
const NODE_A = ['node-a'];

/** Each workload by name; made when it is asked for. */
export const WORKLOADS: ReadonlyMap<string, () => Omit<OracleCase, 'id'>> = new Map([
  ['one-of-8-empty', () => workload({ slices: cluster(500), requests: [request('req-0')] })],
  [
    'one-of-8-full',
    () => {
      const free = deviceId('gpu-7', nodeName(MIDDLE));
      const devices = everyDevice(500).filter((name, index) => index % 100 !== 7 && name !== free);
      return workload({ slices: cluster(500), requests: [request('req-0')], allocated: { devices } });
    },
  ],
  [
    'selector',
    () => {
      const own = `device.attributes["${GPU}"]`;
      const select = `${own}.driverVersion.isGreaterThan(semver("570.0.0")) && ${own}.cudaComputeCapability.major() >= 8 && device.capacity["${GPU}"].memory.compareTo(quantity("32Gi")) >= 0`;
      return workload({ slices: cluster(500), requests: [request('req-0', { select })] });
    },
  ],
  [
    'match-attribute-5',
    () =>
      workload({
        slices: cluster(500, (index) => ([0, 3, 6].includes(index) ? 'pci0000:00' : 'pci0000:40')),
        requests: count(5, (index) => request(`req-${index}`)),
        constraints: [{ matchAttribute: 'resource.kubernetes.io/pcieRoot' }],
      }),
  ],
  [
    'first-available-3',
    () => {
      const firstAvailable = [
        alternative(0, { select: `device.attributes["${GPU}"].productName == "NVIDIA H200"` }),
        alternative(1, { count: 16 }),
        alternative(2, { count: 1 }),
      ];
      return workload({ slices: cluster(500), requests: [{ name: 'req-0', firstAvailable }] });
    },
  ],
  [
    'mig-half-used',
    () =>
      workload({
        slices: migNode('node-a', 8, Infinity),
        nodes: NODE_A,
        requests: [request('two', { select: profileIs('2g') }), request('one', { select: profileIs('1g') })],
        constraints: [{ matchAttribute: `${GPU}/parentUUID` }],
        allocated: { devices: count(8, (card) => deviceId(`gpu-${card}-mig-3g-0-0`, 'node-a')) },
      }),
  ],
  [
    'shared-100',
    () => {
      const nic: Device = {
        name: 'nic-0',
        capacity: { bandwidth: { value: '200', requestPolicy: { default: '1', validRange: { min: '1', step: '1' } } } },
        allowMultipleAllocations: true,
      };
      const id = deviceId('nic-0', 'node-a');
      return workload({
        slices: local([nic]),
        nodes: NODE_A,
        requests: [request('req-0', { capacity: { requests: { bandwidth: '1' } } })],
        allocated: { shared: count(100, (index) => `${id}/share-${index}`), capacity: { [id]: { bandwidth: '100' } } },
      });
    },
  ],
  [
    'fragmentation',
    () =>
      workload({
        slices: migNode('node-a', 4, 1),
        nodes: NODE_A,
        requests: [request('small', { count: 3, select: profileIs('1g') }), request('whole', { select: profileIs('7g') })],
        allocated: { devices: [1, 2, 3].map((card) => deviceId(`gpu-${card}-mig-3g-0-0`, 'node-a')) },
      }),
  ],
  [
    'all-of-128',
    () =>
      workload({
        slices: local(count(SLICE_SIZE, (index) => ({ name: `device-${index}`, attributes: { group: { int: index % 4 } } }))),
        nodes: NODE_A,
        requests: [request('req-0', { allocationMode: 'All', select: `device.attributes["${GPU}"].group == 0` })],
      }),
  ],
  ...[8, 12, 16, 18, 20].map(
    (wanted) =>
      [
        `max-1-of-${wanted}`,
        () =>
          workload({
            slices: local(count(wanted - 1, (index) => ({ name: `device-${index}` }))),
            nodes: NODE_A,
            requests: [request('req-0', { count: wanted })],
          }),
      ] as const,
  ),
  ...[500, 5000].map(
    (nodes) =>
      [
        `scan-${nodes}`,
        () =>
          workload({
            slices: cluster(nodes),
            nodes: count(nodes, nodeName),
            requests: [request('req-0')],
            allocated: { devices: everyDevice(nodes).slice(0, -1) },
          }),
      ] as const,
  ),
  ...[SLICE_SIZE, 1024, 8192].map((devices) => [`visible-${devices}`, () => visible(devices)] as const),
  ['construct-5000', () => workload({ slices: cluster(5000), requests: [request('req-0')], allocated: { devices: everyDevice(5000) } })],
]);

/** Devices that every node can use, all but the last one held. */
export function visible(devices: number): Omit<OracleCase, 'id'> {
  const slices = count(Math.ceil(devices / SLICE_SIZE), (number) =>
    sliceOf(`slice-${padded(number)}`, `pool-${padded(number)}`, {
      allNodes: true,
      devices: count(Math.min(SLICE_SIZE, devices - number * SLICE_SIZE), (index) => gpu(index)),
    }),
  );
  const held = count(devices - 1, (index) => deviceId(`gpu-${index % SLICE_SIZE}`, `pool-${padded(Math.floor(index / SLICE_SIZE))}`));
  return workload({ slices, requests: [request('req-0')], allocated: { devices: held } });
}
