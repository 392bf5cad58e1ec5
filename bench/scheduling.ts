/** npm run bench:scheduling: pods with a claim each, from creation to binding, on a real server process; beside upstream's recorded figures. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Node, Pod, ResourceSlice } from '#api';
import { DEVICE_CLASSES, NODES, PODS, RESOURCE_CLAIM_TEMPLATES, RESOURCE_SLICES, RestClient } from '#client';
import { transportFromKubeconfig } from '#platform';

/** A cluster and how many pods it gets; upstream's figures are medians of etcd, kube-apiserver, kube-scheduler and kube-controller-manager 1.36.3 on two cores. */
interface Workload {
  readonly name: string;
  readonly nodes: number;
  /** The first half is there before the measured half is created. */
  readonly pods: number;
  readonly upstream: { readonly podsPerSecond: number; readonly cpuMsPerPod: number };
}

const WORKLOADS: readonly Workload[] = [
  { name: '500 pods, 100 nodes', nodes: 100, pods: 500, upstream: { podsPerSecond: 41.2, cpuMsPerPod: 46 } },
  { name: '1000 pods, 500 nodes', nodes: 500, pods: 1000, upstream: { podsPerSecond: 38.3, cpuMsPerPod: 51 } },
];
const DEVICES_PER_NODE = 10;
const CLIENTS = 16;
const NAMESPACE = 'default';
const DRIVER = 'bench.example.com';
const CLOCK_TICKS_PER_SECOND = 100;

const rows: string[] = [];
for (const workload of WORKLOADS) rows.push(await measure(workload));
console.log(
  `\n${'workload'.padEnd(24)}${'pods/s'.padStart(10)}${'upstream'.padStart(10)}${'ratio'.padStart(8)}${'cpu ms/pod'.padStart(12)}${'upstream'.padStart(10)}${'ratio'.padStart(8)}`,
);
for (const row of rows) console.log(row);

async function measure(workload: Workload): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'dray-bench-'));
  const components = 'apiserver,scheduler,controller-manager';
  const withoutAccounts = ['--disable-admission-plugins', 'ServiceAccount'];
  const args = ['up', '--data-dir', folder, '--secure-port', '0', '--no-examples', '--components', components, ...withoutAccounts];
  const server = spawn(process.execPath, [join(import.meta.dirname, '../src/cmd/main.ts'), ...args], { stdio: 'ignore' });
  try {
    const client = await connect(join(folder, 'kubeconfig'));
    await publish(client, workload);
    await schedule(client, workload, 'warm');
    const cpuBefore = cpuMs(server.pid);
    const seconds = await schedule(client, workload, 'measured');
    const measured = workload.pods / 2;
    return rowOf(workload, measured / seconds, (cpuMs(server.pid) - cpuBefore) / measured);
  } finally {
    server.kill('SIGTERM');
    await once(server, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function connect(kubeconfig: string): Promise<RestClient> {
  for (;;) {
    if (existsSync(kubeconfig)) return new RestClient(await transportFromKubeconfig(kubeconfig), { userAgent: 'bench' });
    await delay(20);
  }
}

async function publish(client: RestClient, { nodes }: Workload): Promise<void> {
  await client.create(DEVICE_CLASSES, { metadata: { name: 'bench' }, spec: { selectors: [{ cel: { expression: `device.driver == "${DRIVER}"` } }] } });
  const claim = { devices: { requests: [{ name: 'device', exactly: { deviceClassName: 'bench' } }] } };
  await client.create(RESOURCE_CLAIM_TEMPLATES, { metadata: { name: 'bench', namespace: NAMESPACE }, spec: { spec: claim } });
  const names = Array.from({ length: nodes }, (_, i) => `node-${String(i)}`);
  await inParallel(names, (name) => client.create(NODES, node(name)));
  await inParallel(names, (name) => client.create(RESOURCE_SLICES, slice(name)));
}

function node(name: string): Node {
  const amounts = { cpu: '32', memory: '128Gi', pods: '110' };
  return { metadata: { name, labels: { 'kubernetes.io/hostname': name } }, status: { capacity: amounts, allocatable: amounts } };
}

function slice(nodeName: string): ResourceSlice {
  const devices = Array.from({ length: DEVICES_PER_NODE }, (_, i) => ({ name: `device-${String(i)}`, attributes: { index: { int: i } } }));
  return { metadata: { name: nodeName }, spec: { driver: DRIVER, nodeName, pool: { name: nodeName, generation: 1, resourceSliceCount: 1 }, devices } };
}

/** Creates half of the workload's pods; the seconds from the first creation until the last is bound. */
async function schedule(client: RestClient, { pods }: Workload, prefix: string): Promise<number> {
  const names = Array.from({ length: pods / 2 }, (_, i) => `${prefix}-${String(i)}`);
  const stop = new AbortController();
  const from = (await client.list(PODS, { namespace: NAMESPACE })).metadata.resourceVersion ?? '';
  const bound = allBound(client, new Set(names), from, stop.signal);
  const startMs = performance.now();
  await inParallel(names, (name) => client.create(PODS, pod(name)));
  await bound;
  stop.abort();
  return (performance.now() - startMs) / 1000;
}

function pod(name: string): Pod {
  const resourceClaims = [{ name: 'device', resourceClaimTemplateName: 'bench' }];
  const containers = [{ name: 'main', image: 'none', resources: { claims: [{ name: 'device' }], requests: { cpu: '100m', memory: '64Mi' } } }];
  return { metadata: { name, namespace: NAMESPACE }, spec: { resourceClaims, containers } };
}

async function allBound(client: RestClient, waiting: Set<string>, resourceVersion: string, signal: AbortSignal): Promise<void> {
  for await (const { object } of client.watch(PODS, { namespace: NAMESPACE, resourceVersion }, signal)) {
    if ((object.spec?.nodeName ?? '') !== '') waiting.delete(object.metadata.name ?? '');
    if (waiting.size === 0) return;
  }
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = [...items];
  const client = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

/** Processor time of a process so far, from /proc (Linux). */
function cpuMs(pid: number | undefined): number {
  const fields =
    readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
      .split(') ')[1]
      ?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / CLOCK_TICKS_PER_SECOND;
}

function rowOf({ name, upstream }: Workload, podsPerSecond: number, cpuMsPerPod: number): string {
  const number = (value: number, width: number): string => value.toFixed(1).padStart(width);
  const ratio = (value: number): string => `${value.toFixed(1)}x`.padStart(8);
  const throughput = `${number(podsPerSecond, 10)}${number(upstream.podsPerSecond, 10)}${ratio(podsPerSecond / upstream.podsPerSecond)}`;
  return `${name.padEnd(24)}${throughput}${number(cpuMsPerPod, 12)}${number(upstream.cpuMsPerPod, 10)}${ratio(upstream.cpuMsPerPod / cpuMsPerPod)}`;
}
