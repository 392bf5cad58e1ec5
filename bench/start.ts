/** npm run bench:start: from nothing to a running cluster, several times: API ready, first pod running with a prepared device, memory; beside upstream's recorded figures. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PODS, RestClient } from '#client';
import { transportFromKubeconfig } from '#platform';

/** kube-apiserver, etcd, kube-scheduler and kube-controller-manager 1.36.3 on two cores, medians: ready, first pod bound (no kubelet), four processes together. */
const UPSTREAM = { readyMs: 4582, firstPodMs: 6631, memoryMb: 535 };
const RUNS = Number(process.env.DRAY_BENCH_RUNS ?? 10);
const DEADLINE_MS = 60_000;
const POLL_MS = 5;

interface Start {
  /** Of `dray apiserver` alone; the others are of `dray up`. Counted from the start of the process: the launcher and npm come before. */
  readonly apiServerMs: number;
  readonly readyMs: number;
  readonly firstPodMs: number;
  readonly memoryMb: number;
  readonly driversMb: number;
}

const starts: Start[] = [];
for (let run = 0; run < RUNS; run++) {
  const start = await measure();
  starts.push(start);
  console.log(
    `run ${run + 1}: API server alone ready ${start.apiServerMs} ms, ready ${start.readyMs} ms, first pod running ${start.firstPodMs} ms, dray ${start.memoryMb} MB, drivers ${start.driversMb} MB`,
  );
}
const row = (name: string, key: keyof Start, unit: string, upstream?: number): string => {
  const median = starts.map((start) => start[key]).sort((a, b) => a - b)[Math.floor(starts.length / 2)] ?? Number.NaN;
  return `${name.padEnd(34)}${`${median} ${unit}`.padStart(10)}${(upstream === undefined ? '' : `${upstream} ${unit}`).padStart(12)}${(upstream === undefined ? '' : `${(upstream / median).toFixed(1)}x`).padStart(8)}`;
};
console.log(`\n${`medians of ${RUNS}`.padEnd(34)}${'dray'.padStart(10)}${'upstream'.padStart(12)}${'ratio'.padStart(8)}`);
console.log(row('API server alone ready', 'apiServerMs', 'ms', UPSTREAM.readyMs));
console.log(row('API ready', 'readyMs', 'ms', UPSTREAM.readyMs));
console.log(row('first pod running (upstream: bound)', 'firstPodMs', 'ms', UPSTREAM.firstPodMs));
console.log(row('resident memory', 'memoryMb', 'MB', UPSTREAM.memoryMb));
console.log(row('resident memory of driver processes', 'driversMb', 'MB'));

async function measure(): Promise<Start> {
  const apiServerMs = await started('apiserver', async ({ ready, since }) => {
    await ready();
    return since();
  });
  return started('up', async ({ child, ready, since }) => {
    const client = await ready();
    const readyMs = since();
    await until(async () => {
      const pods = await client.list(PODS);
      return pods.items.some((pod) => pod.status?.phase === 'Running' && (pod.spec?.resourceClaims?.length ?? 0) > 0) ? true : undefined;
    }, child);
    const firstPodMs = since();
    await delay(2000); // as upstream's figure: memory two seconds later
    const driversMb = childrenOf(child.pid ?? 0).reduce((sum, pid) => sum + residentMb(pid), 0);
    return { apiServerMs, readyMs, firstPodMs, memoryMb: residentMb(child.pid ?? 0), driversMb };
  });
}

/** A command that is starting on an empty data directory. */
interface Starting {
  readonly child: ChildProcess;
  /** Milliseconds since the process was started. */
  readonly since: () => number;
  /** Resolves with a client when the API answers that it is ready. */
  readonly ready: () => Promise<RestClient>;
}

/** Starts a command on an empty data directory, and ends it after `look`. */
async function started<T>(command: 'up' | 'apiserver', look: (starting: Starting) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'dray-bench-'));
  const from = performance.now();
  const child = spawn(process.execPath, [...process.execArgv, join(import.meta.dirname, '../src/cmd/main.ts'), command, '--data-dir', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, '../node_modules/.cache/node'), ...process.env },
  });
  const kubeconfig = join(folder, 'kubeconfig');
  try {
    return await look({
      child,
      since: () => Math.round(performance.now() - from),
      ready: () => until(async () => (existsSync(kubeconfig) ? await connected(kubeconfig) : undefined), child),
    });
  } finally {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function connected(kubeconfig: string): Promise<RestClient | undefined> {
  const transport = await transportFromKubeconfig(kubeconfig);
  const { status } = await transport({ method: 'GET', path: '/readyz', headers: {} }, AbortSignal.timeout(DEADLINE_MS));
  return status === 200 ? new RestClient(transport, { userAgent: 'dray-bench' }) : undefined;
}

async function until<T>(attempt: () => Promise<T | undefined>, child: ChildProcess): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`dray up ended with ${child.exitCode}`);
    const result = await attempt().catch(() => undefined); // not listening yet
    if (result !== undefined) return result;
    await delay(POLL_MS);
  }
  throw new Error(`not there after ${DEADLINE_MS} ms`);
}

function residentMb(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return Math.round(Number(kilobytes) / 1024);
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => parentOf(each) === pid);
}

function parentOf(pid: number): number {
  try {
    return Number(/^\d+ \(.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0; // gone meanwhile
  }
}
