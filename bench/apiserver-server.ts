/** An API server process for the programs of this folder: started on a fresh folder, loaded, and weighed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Transport, TransportRequest } from '#client';
import { transportFromKubeconfig } from '#platform';
import { startUpstream } from './upstream.ts';

/** Linux counts processor time in hundredths of a second. */
const TICK_MS = 10;
const NEVER = new AbortController().signal;

/** Its processes and the way to it. */
export interface Server {
  readonly transport: Transport;
  readonly pids: readonly number[];
  readonly folder: string;
}

/** `clients` that each send their next request when the answer to the last has come. */
export async function closedLoop(clients: number, operations: number, operate: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < operations) await operate(next++);
  };
  await Promise.all(Array.from({ length: clients }, client));
}

type Method = TransportRequest['method'];

/** Sends one request and reads the answer; throws for 300 and more. */
export async function send(server: Server, method: Method, path: string, body?: object, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const request = { method, path, headers: { 'content-type': 'application/json', ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await server.transport(request, NEVER);
  const pieces: Uint8Array[] = [];
  for await (const piece of response.body) pieces.push(piece);
  const text = Buffer.concat(pieces).toString();
  if (response.status >= 300) throw new Error(`${method} ${path}: ${String(response.status)} ${text.slice(0, 300)}`);
  return text;
}

/** Upstream's figures were taken without it, too: nothing makes accounts. */
const AS_MEASURED = ['--disable-admission-plugins', 'ServiceAccount'];

/** Runs an API server on SQLite over HTTPS for as long as `run` takes. */
export function withServer(run: (server: Server) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const main = join(import.meta.dirname, '../src/cmd/main.ts');
    const child = spawn(process.execPath, [...process.execArgv, main, 'apiserver', '--data-dir', folder, '--secure-port', '0', ...AS_MEASURED], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await ready(child);
      await run({ transport: await transportFromKubeconfig(join(folder, 'kubeconfig')), pids: [child.pid ?? 0], folder });
    } finally {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    }
  });
}

/** Runs kube-apiserver and etcd out of the folder `bin` for as long as `run` takes. */
export function withUpstream(bin: string, run: (server: Server) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const { transport, pids, stop } = await startUpstream(bin, folder);
    try {
      await run({ transport, pids, folder });
    } finally {
      await stop();
    }
  });
}

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'dray-bench-'));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ready(child: ChildProcess): Promise<void> {
  if (child.stdout === null) throw new Error('the server has no output');
  for await (const line of createInterface({ input: child.stdout })) if (line.includes('ready')) return;
  throw new Error('the API server ended before it was ready');
}

/** What the processes have used so far. */
export function processorMs(pids: readonly number[]): number {
  const ticksOf = (pid: number): number => {
    const fields = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return Number(fields[11]) + Number(fields[12]);
  };
  return pids.reduce((sum, pid) => sum + ticksOf(pid), 0) * TICK_MS;
}

/** Resident memory. */
export function residentMb(pids: readonly number[]): number {
  const kilobytesOf = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? 0);
  return Math.round(pids.reduce((sum, pid) => sum + kilobytesOf(pid), 0) / 1000);
}

/** Size of all that the server keeps. */
export function diskBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
