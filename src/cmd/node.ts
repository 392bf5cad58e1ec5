/** Puts a node together: agent, runtimes, the endpoint for its logs, and the example driver as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import type { RestClient } from '#client';
import { NodeAgent, processRuntime, simulatedRuntime } from '#nodeagent';
import {
  type CertificateAuthority,
  ChildProcesses,
  createLogger,
  type LogLevel,
  machineFacts,
  type NodeEndpoint,
  NodeHostFiles,
  serveNodeEndpoint,
  systemClock,
  systemRandom,
  unixGrpc,
} from '#platform';
import { sleep } from '#base';

/** A node to run; `rootDir` is absolute. */
export interface NodeSpec {
  readonly nodeName: string;
  readonly rootDir: string;
  readonly client: RestClient;
  readonly gates: ReadonlyMap<string, boolean>;
  readonly logLevel: LogLevel;
  /** Signs the endpoint's certificate; without it (foreign API server) logs are not served. */
  readonly authority?: CertificateAuthority | undefined;
}

/** A running node agent; `ended` settles when it has stopped or could not start. */
export interface RunningNode {
  readonly agent: NodeAgent;
  readonly ended: Promise<void>;
}

/** Starts a node agent that runs until `signal` aborts. */
export async function startNode(spec: NodeSpec, signal: AbortSignal): Promise<RunningNode> {
  const { nodeName, rootDir, client, gates, authority } = spec;
  await mkdir(rootDir, { recursive: true });
  const logger = createLogger(`nodeagent/${nodeName}`, spec.logLevel);
  const files = new NodeHostFiles(logger);
  const host = { files, clock: systemClock, processes: new ChildProcesses() };
  const created: { agent?: NodeAgent } = {};
  const endpoint = authority === undefined ? undefined : await logEndpoint(nodeName, authority, () => created.agent);
  const agent = new NodeAgent({
    nodeName,
    client,
    files,
    grpc: await unixGrpc(),
    runtimes: [processRuntime(host), simulatedRuntime(host)],
    clock: systemClock,
    random: systemRandom,
    logger,
    rootDir,
    machine: await machineFacts(rootDir),
    gates,
    kubeletPort: endpoint?.port,
  });
  created.agent = agent;
  return { agent, ended: runThenClose(agent, endpoint, signal) };
}

async function runThenClose(agent: NodeAgent, endpoint: NodeEndpoint | undefined, signal: AbortSignal): Promise<void> {
  try {
    await agent.run(signal);
  } finally {
    await endpoint?.close();
  }
}

async function logEndpoint(nodeName: string, authority: CertificateAuthority, agent: () => NodeAgent | undefined): Promise<NodeEndpoint> {
  const pair = await authority.issue(`node-${nodeName}`, {
    commonName: `system:node:${nodeName}`,
    organizations: ['system:nodes'],
    hosts: ['127.0.0.1', nodeName],
  });
  return serveNodeEndpoint({
    address: '127.0.0.1',
    tls: { ...pair, caPem: authority.caPem },
    logs: (request) => agent()?.logs(request) ?? Promise.reject(new Error('the node agent is starting')),
  });
}

/** Pause before a driver that ended by itself is started again. */
const DRIVER_RESTART_MS = 1_000;
const DRIVER_PROGRAM = fileURLToPath(new URL('../../drivers/example-gpu/main.ts', import.meta.url));
const END_WITH_PARENT = new URL('../platform/end-with-parent.ts', import.meta.url).href;

/** A driver process to keep running. */
export interface DriverSpec {
  readonly nodeName: string;
  readonly rootDir: string;
  readonly kubeconfig: string;
  /** A device file, or the name of a preset. */
  readonly devices: string;
}

/** Runs the example driver, again whenever it ends by itself, until `signal` aborts. Its output goes to `<rootDir>/driver.log`. */
export async function keepDriverRunning(spec: DriverSpec, signal: AbortSignal): Promise<void> {
  await mkdir(spec.rootDir, { recursive: true });
  while (!signal.aborted) {
    const child = startDriver(spec);
    const stop = (): void => void child.kill('SIGTERM');
    signal.addEventListener('abort', stop, { once: true });
    await once(child, 'exit');
    signal.removeEventListener('abort', stop);
    await sleep(systemClock, DRIVER_RESTART_MS, signal).catch(() => undefined);
  }
}

function startDriver({ nodeName, rootDir, kubeconfig, devices }: DriverSpec): ChildProcess {
  const log = openSync(join(rootDir, 'driver.log'), 'a', 0o640);
  try {
    const flags = ['--kubeconfig', kubeconfig, '--node-name', nodeName, '--root-dir', rootDir, '--devices', devices];
    return spawn(process.execPath, ['--import', END_WITH_PARENT, DRIVER_PROGRAM, ...flags], { stdio: ['ignore', log, log, 'ipc'] });
  } finally {
    closeSync(log);
  }
}
