/** The certificates of a cluster. */
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { CertificateRequest } from '#platform';

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
