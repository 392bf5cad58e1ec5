/** The certificates of a cluster, and how those of a new one are made beside its start. */
import { existsSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CertificateRequest, KeyPair, NewCertificates } from '#platform';
import type { ApiServerFlags } from './flags.ts';

/** Where below the data directory certificates and keys are kept. */
export const PKI = 'pki';

const ADMINISTRATORS = 'system:masters';
/** The name in the API server's client certificate (kubeadm: certlist.go); nobody else may read logs from a node directly. */
export const APISERVER_CLIENT_NAME = 'kube-apiserver-kubelet-client';

/** What an API server needs, by the names under which it is kept. */
export function apiServerCertificates(bindAddress: string): Readonly<Record<'apiserver' | 'apiserver-kubelet-client' | 'admin', CertificateRequest>> {
  return {
    apiserver: { commonName: 'kube-apiserver', hosts: hostsOf(bindAddress) },
    'apiserver-kubelet-client': { commonName: APISERVER_CLIENT_NAME, organizations: [ADMINISTRATORS] },
    admin: { commonName: 'kubernetes-admin', organizations: [ADMINISTRATORS] },
  };
}

/** What the endpoint of a node needs, and the name under which it is kept. */
export function nodeCertificate(nodeName: string): readonly [name: string, request: CertificateRequest] {
  return [`node-${nodeName}`, { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'], hosts: [LOOPBACK, nodeName] }];
}

const LOOPBACK = '127.0.0.1';
/** Addresses that mean all of the machine's. */
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** What the server's certificate names: where it listens everywhere, every address that the machine has now. */
function hostsOf(bindAddress: string): readonly string[] {
  const addresses = WILDCARDS.has(bindAddress)
    ? Object.values(networkInterfaces()).flatMap((all) => (all ?? []).filter(({ scopeid }) => !scopeid).map(({ address }) => address))
    : [bindAddress];
  return [...new Set([LOOPBACK, 'localhost', ...addresses])];
}

/** The host under which clients on this machine reach a server that listens on `bindAddress`. */
export function hostInUrl(bindAddress: string): string {
  if (WILDCARDS.has(bindAddress)) return LOOPBACK;
  return isIPv6(bindAddress) ? `[${bindAddress}]` : bindAddress;
}

/** Started without the platform's door, which would load what the thread is to run beside. */
const THREAD = new URL('../platform/certificate-thread.ts', import.meta.url);

/**
 * Begins to make the certificates of a data directory that has none, in a thread and in memory: whoever holds the directory keeps
 * them there (`CertificateAuthority.open`). Undefined when there is an authority already.
 */
export function orderCertificates({ dataDir, bindAddress }: ApiServerFlags, nodeNames: readonly string[]): NewCertificates | undefined {
  if (existsSync(join(dataDir, PKI, 'ca.crt'))) return undefined;
  const requests = { ...apiServerCertificates(bindAddress), ...Object.fromEntries(nodeNames.map(nodeCertificate)) };
  const pairs = new Map(['ca', ...Object.keys(requests)].map((name) => [name, Promise.withResolvers<KeyPair>()]));
  const thread = new Worker(THREAD, { workerData: requests });
  // Only who waits for a certificate waits for the thread: a command that was refused ends at once.
  thread.unref();
  thread.on('message', ([name, pair]: [string, KeyPair]) => pairs.get(name)?.resolve(pair));
  thread.on('error', (error) => pairs.forEach(({ reject }) => reject(error)));
  for (const { promise } of pairs.values()) promise.catch(() => undefined);
  return (name) => {
    thread.ref();
    return pairs.get(name)?.promise;
  };
}
