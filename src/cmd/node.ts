/** Puts a node together: agent, runtimes, the endpoint for its logs, and what it says of itself. */
import { mkdir } from 'node:fs/promises';
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
import type { Metrics } from '#base';
import { APISERVER_CLIENT_NAME, nodeCertificate } from './certificates.ts';
import { VERSION } from './version.ts';

/** A node to run; `rootDir` is absolute. */
export interface NodeSpec {
  readonly nodeName: string;
  readonly rootDir: string;
  readonly client: RestClient;
  readonly gates: ReadonlyMap<string, boolean>;
  readonly logLevel: LogLevel;
  /** Signs the endpoint's certificate; without it (foreign API server) logs are not served. */
  readonly authority?: CertificateAuthority | undefined;
  /** Where CDI files are looked for, of rising priority; default `<rootDir>/cdi`. */
  readonly cdiSpecDirs?: readonly string[] | undefined;
  /** Where the agent declares its metrics; a registry serves one agent. */
  readonly metrics?: Metrics | undefined;
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
    version: VERSION,
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
    metrics: spec.metrics,
    cdiDirectories: spec.cdiSpecDirs,
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
  const pair = await authority.issue(...nodeCertificate(nodeName));
  return serveNodeEndpoint({
    address: '127.0.0.1',
    tls: { ...pair, caPem: authority.caPem },
    clientName: APISERVER_CLIENT_NAME,
    logs: (request) => agent()?.logs(request) ?? Promise.reject(new Error('the node agent is starting')),
  });
}
