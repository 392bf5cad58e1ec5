/** Runs the command `dray` as users do: as a process, with a data directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { RestClient } from '#client';
import { transportFromKubeconfig } from '#platform';

const MAIN = fileURLToPath(new URL('../../src/cmd/main.ts', import.meta.url));
const COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/node', import.meta.url));
const RESOLVE = new URL('../../bin/resolve.js', import.meta.url).href;
const POLL_MS = 10;
/** Machines may be busy with other things: these are for what hangs. */
const READY_MS_MAX = 120_000;
const EVENTUALLY_MS_MAX = 60_000;

/** The ports given to tests end below 32768, where Linux begins with the ports of outgoing connections. */
const FIRST_PORT = 12_000;
const PORTS = 20_000;
const PORTS_PER_PROCESS = 50;

/** A started `dray`. */
export interface Dray {
  readonly child: ChildProcess;
  /** Resolves when it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

/** Where `dray` is started, and what its environment says beyond the test's own. */
export interface DrayOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `dray` with arguments. */
export function dray(...args: readonly string[]): Dray;
export function dray(options: DrayOptions, ...args: readonly string[]): Dray;
export function dray(first: DrayOptions | string, ...rest: readonly string[]): Dray {
  const [options, args] = typeof first === 'string' ? [{}, [first, ...rest]] : [first, rest];
  // As the launcher does: modules are not searched for, and kept compiled from one start to the next.
  const env = { NODE_COMPILE_CACHE: COMPILE_CACHE, ...process.env, ...options.env };
  const child = spawn(process.execPath, [`--import=${RESOLVE}`, MAIN, ...args], { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]).then(([, stdout, stderr]) => ({
    code: child.exitCode,
    stdout,
    stderr,
  }));
  return { child, ended };
}

/** A temporary folder that goes away after `run`. */
export async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'dray-'));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A free port that no other test is given: below the range from which systems take the ports of outgoing connections, which other tests open
 * all the time, and in a stretch of its own for each test process.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + (((process.pid * PORTS_PER_PROCESS) % PORTS) + (portsGiven++ % PORTS_PER_PROCESS));
    if (await isFree(port)) return port;
  }
}

let portsGiven = 0;

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  const answer = await free;
  await new Promise((resolve) => server.close(resolve));
  return answer;
}

/** The administrator's client once the API server answers; rejects when `dray` ended or `deadlineMs` passed. */
export async function readyClient({ child, ended }: Dray, folder: string, deadlineMs = READY_MS_MAX): Promise<RestClient> {
  return eventually(async () => {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Ended(`dray ended with ${String(child.exitCode ?? child.signalCode)}: ${(await ended).stderr}`);
    const transport = await transportFromKubeconfig(join(folder, 'kubeconfig'));
    const response = await transport({ method: 'GET', path: '/readyz', headers: {} }, AbortSignal.timeout(5000));
    for await (const piece of response.body) void piece;
    return response.status === 200 ? new RestClient(transport, { userAgent: 'dray-e2e' }) : undefined;
  }, deadlineMs);
}

class Ended extends Error {}

/** Repeats `attempt` until it gives a value; rejects with its last error after `deadlineMs`. */
export async function eventually<T>(attempt: () => Promise<T | undefined>, deadlineMs = EVENTUALLY_MS_MAX): Promise<T> {
  const untilMs = performance.now() + deadlineMs;
  let last: unknown = new Error('it never came true');
  while (performance.now() < untilMs) {
    try {
      const value = await attempt();
      if (value !== undefined) return value;
    } catch (error) {
      if (error instanceof Ended) throw error;
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw last;
}

/** Processes that have a file below the folder open: drivers and containers that outlived their cluster. Linux only. */
export function processesIn(folder: string): readonly string[] {
  if (!existsSync('/proc/self/fd')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => filesOf(pid).some((file) => file.startsWith(folder)));
}

function filesOf(pid: string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    return []; // It ended meanwhile, or belongs to somebody else.
  }
}
