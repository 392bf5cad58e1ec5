/** Starts upstream's etcd and kube-apiserver for a comparison in one run: executables `etcd` and `apiserver` in one folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transport } from '#client';
import { httpsTransport } from '#platform';

const TOKEN = 'bench-token';
const START_TIMEOUT_MS = 60_000;

/** Both processes, and how to reach the API server as a member of system:masters. */
export interface Upstream {
  readonly transport: Transport;
  readonly pids: readonly number[];
  readonly stop: () => Promise<void>;
}

/** One member of etcd with its default fsync; HTTPS, tokens from a file, Node and RBAC authorization, no audit log. */
export async function startUpstream(bin: string, folder: string): Promise<Upstream> {
  const [client = 0, peer = 0, secure = 0] = await freePorts(3);
  const [etcdUrl, peerUrl] = [`http://127.0.0.1:${String(client)}`, `http://127.0.0.1:${String(peer)}`];
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  mkdirSync(join(folder, 'certs'), { recursive: true });
  writeFileSync(join(folder, 'sa.key'), keys.privateKey.export({ type: 'pkcs1', format: 'pem' }));
  writeFileSync(join(folder, 'sa.pub'), keys.publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(join(folder, 'tokens.csv'), `${TOKEN},bench,bench,"system:masters"\n`);
  const children = [
    run(join(bin, 'etcd'), [
      `--data-dir=${folder}/etcd`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      '--quota-backend-bytes=8000000000',
      '--log-level=error',
    ]),
    run(join(bin, 'apiserver'), [
      `--etcd-servers=${etcdUrl}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${String(secure)}`,
      `--cert-dir=${folder}/certs`,
      `--token-auth-file=${folder}/tokens.csv`,
      '--authorization-mode=Node,RBAC',
      '--service-account-issuer=https://bench.example.com',
      `--service-account-signing-key-file=${folder}/sa.key`,
      `--service-account-key-file=${folder}/sa.pub`,
      '--service-cluster-ip-range=10.0.0.0/24',
      '--disable-admission-plugins=ServiceAccount,TaintNodesByCondition',
    ]),
  ];
  const transport = httpsTransport({ server: `https://127.0.0.1:${String(secure)}`, token: TOKEN, insecureSkipTlsVerify: true });
  const stop = async (): Promise<void> => {
    for (const child of children.toReversed()) await end(child);
  };
  try {
    await ready(transport);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return { transport, pids: children.map(({ pid }) => pid ?? 0), stop };
}

function run(program: string, args: readonly string[]): ChildProcess {
  return spawn(program, args, { stdio: 'ignore' });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports: number[] = [];
  for (const server of servers) {
    if (!server.listening) await once(server, 'listening');
    const address = server.address();
    if (typeof address === 'object' && address !== null) ports.push(address.port);
    server.close();
  }
  return ports;
}

async function ready(transport: Transport): Promise<void> {
  const until = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      const answer = await transport({ method: 'GET', path: '/readyz', headers: {} }, AbortSignal.timeout(START_TIMEOUT_MS));
      for await (const _ of answer.body); // to its end, so that the connection is free again
      if (answer.status === 200) return;
    } catch {
      // not listening yet
    }
    if (performance.now() > until) throw new Error('kube-apiserver did not become ready');
    await sleep(100);
  }
}
