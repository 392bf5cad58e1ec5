/** The objects that bench/apiserver.ts writes: each follows from its number, so every run sends the same. */
import type { Pod, ResourceClaim, ResourceSlice } from '#api';

const DRIVER = 'bench.example.com';
const PAD = 6;

/** A name that sorts by its number. */
export function numbered(prefix: string, i: number): string {
  return `${prefix}-${String(i).padStart(PAD, '0')}`;
}

/** A claim of 2.4 KB on average: three requests, five CEL expressions, a constraint and a driver's parameters. */
export function bigClaim(i: number, name: string): ResourceClaim {
  const attribute = `device.attributes["${DRIVER}"]`;
  const select = (...expressions: string[]) => expressions.map((expression) => ({ cel: { expression } }));
  const model = `${attribute}.model == "model-${String(i % 3)}" && ${attribute}.driverVersion.compareTo(semver("1.${String(i % 5)}.0")) >= 0`;
  const memory = `device.capacity["${DRIVER}"].memory.compareTo(quantity("${String(8 << (i % 4))}Gi")) >= 0`;
  const speed = `${attribute}.speed >= ${String(100 << (i % 3))}`;
  return {
    metadata: {
      name,
      labels: { 'app.kubernetes.io/name': 'training', 'app.kubernetes.io/part-of': `job-${String(i % 97)}`, team: `team-${String(i % 7)}` },
      annotations: { 'bench.example.com/note': 'lorem ipsum '.repeat(12 + (i % 135)) },
    },
    spec: {
      devices: {
        requests: [
          { name: 'gpu', exactly: { deviceClassName: 'bench-gpu', count: 1 + (i % 4), selectors: select(model, memory) } },
          {
            name: 'link',
            firstAvailable: [
              { name: 'fast', deviceClassName: 'bench-nic', selectors: select(speed) },
              { name: 'slow', deviceClassName: 'bench-nic', selectors: select(`${attribute}.speed >= 10`) },
            ],
          },
          { name: 'scratch', exactly: { deviceClassName: 'bench-disk', selectors: select(`device.driver == "${DRIVER}"`) } },
        ],
        constraints: [{ requests: ['gpu', 'link'], matchAttribute: `${DRIVER}/root` }],
        config: [{ requests: ['gpu'], opaque: { driver: DRIVER, parameters: { apiVersion: 'bench.example.com/v1', kind: 'GpuConfig', replicas: i % 8 } } }],
      },
    },
  };
}

/** A claim of 0.3 KB without CEL. */
export function smallClaim(name: string): ResourceClaim {
  return { metadata: { name }, spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'bench-gpu' } }] } } };
}

/** What a scheduler and a driver write into a claim's status. */
export function claimStatus(i: number): NonNullable<ResourceClaim['status']> {
  const node = numbered('node', i);
  return {
    allocation: {
      devices: { results: [{ request: 'gpu', driver: DRIVER, pool: node, device: 'device-0' }] },
      nodeSelector: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }] },
    },
    devices: [{ driver: DRIVER, pool: node, device: 'device-0', data: { state: 'ready' } }],
  };
}

/** A pod that nobody schedules. */
export function pod(name: string): Pod {
  const containers = [{ name: 'main', image: 'pause', resources: { requests: { cpu: '10m', memory: '16Mi' } } }];
  return { metadata: { name }, spec: { schedulerName: 'none', terminationGracePeriodSeconds: 0, automountServiceAccountToken: false, containers } };
}

/** A slice of a node's devices with what a GPU driver publishes. */
export function slice(i: number, count = 8): ResourceSlice {
  const node = numbered('node', i);
  const devices = Array.from({ length: count }, (_, at) => ({
    name: `device-${String(at)}`,
    attributes: {
      model: { string: 'model-1' },
      uuid: { string: `GPU-${node}-${String(at)}` },
      index: { int: at },
      root: { string: `pci0000:0${String(Math.floor(at / 4))}` },
      driverVersion: { version: '1.4.0' },
      ecc: { bool: true },
    },
    capacity: { memory: { value: '80Gi' }, multiprocessors: { value: '132' } },
  }));
  return {
    metadata: { name: numbered('slice', i) },
    spec: { driver: DRIVER, nodeName: node, pool: { name: node, generation: 1, resourceSliceCount: 1 }, devices },
  };
}
