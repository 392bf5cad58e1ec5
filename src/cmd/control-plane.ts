/** Puts an API server together: store, certificates, HTTPS, kubeconfig. */
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type ApiServer, createApiServer } from '#apiserver';
import type { Metrics } from '#base';
import { checkSelector } from '#cel';
import { MemoryStore, type Store } from '#storage';
import {
  APISERVER_CLIENT_NAME,
  CertificateAuthority,
  createLogger,
  FileTokenKeys,
  listen,
  type Listener,
  nodeLogReader,
  SqliteStore,
  systemClock,
  systemRandom,
} from '#platform';
import { type ApiServerFlags, DEFAULT_SERVICE_ACCOUNT_ISSUER, emulatedVersionOf, gatesOf, logLevelOf, servedOf } from './flags.ts';
import { listenSomewhere } from './free-port.ts';
import { writeKubeconfig } from './kubeconfig-file.ts';

/** Upstream's default port. */
const DEFAULT_SECURE_PORT = 6443;
/** No store makes more for as long as it lives: so one that starts later starts beyond all revisions of those before it. */
const REVISIONS_PER_MS = 10;
/** Revisions count from here, so that they stay short. */
const FIRST_REVISION_MS = Date.UTC(2026, 0, 1);

/** A served API server. */
export interface ControlPlane {
  readonly apiServer: ApiServer;
  readonly authority: CertificateAuthority;
  readonly url: string;
  readonly kubeconfig: string;
  close(): Promise<void>;
}

/** How a control plane differs from what its flags say. */
export interface ControlPlaneOptions {
  /** Older DRA versions are served unasked. */
  readonly olderVersions: boolean;
  /** What its process measures. */
  readonly metrics: Metrics;
}

/** Opens the store below `dataDir`, serves it, and writes the administrator's kubeconfig once requests are answered. */
export async function startControlPlane(flags: ApiServerFlags, dataDir: string, options: ControlPlaneOptions): Promise<ControlPlane> {
  const { bindAddress } = flags;
  const authority = await CertificateAuthority.open(join(dataDir, 'pki'));
  const serving = await authority.issue('apiserver', { commonName: 'kube-apiserver', hosts: hostsOf(bindAddress) });
  const nodeClient = await authority.issue('apiserver-kubelet-client', { commonName: APISERVER_CLIENT_NAME, organizations: ['system:masters'] });
  const admin = await authority.issue('admin', { commonName: 'kubernetes-admin', organizations: ['system:masters'] });
  const store: Store =
    flags.store === 'memory'
      ? new MemoryStore(Math.max(1, systemClock.nowMs() - FIRST_REVISION_MS) * REVISIONS_PER_MS)
      : SqliteStore.open(join(dataDir, 'dray.db'));
  const apiServer = createApiServer({
    store,
    clock: systemClock,
    random: systemRandom,
    logger: createLogger('apiserver', logLevelOf(flags)),
    metrics: options.metrics,
    gates: gatesOf(flags),
    served: servedOf(flags, options.olderVersions),
    emulatedVersion: emulatedVersionOf(flags),
    authenticateToken: flags.tokenAuthFile,
    anonymousAuth: flags.anonymousAuth ?? false,
    authorizationModes: flags.authorizationMode,
    admission: { enabled: flags.enableAdmissionPlugins, disabled: flags.disableAdmissionPlugins },
    serviceAccounts: { issuer: flags.serviceAccountIssuer ?? DEFAULT_SERVICE_ACCOUNT_ISSUER, keys: new FileTokenKeys(join(dataDir, 'pki')) },
    celCheck: checkSelector,
    podLogs: nodeLogReader({ ...nodeClient, caPem: authority.caPem }),
  });
  let listener: Listener | undefined;
  const close = async (): Promise<void> => {
    apiServer.close();
    await listener?.close();
    await store.close();
  };
  try {
    const tls = { ...serving, clientCaPem: authority.caPem };
    listener = await listenSomewhere(flags.securePort, DEFAULT_SECURE_PORT, (port) => listen({ apiServer, address: bindAddress, port, tls }));
    const url = `https://${hostInUrl(bindAddress)}:${String(listener.port)}`;
    const kubeconfig = flags.kubeconfig ?? join(dataDir, 'kubeconfig');
    await writeKubeconfig(kubeconfig, { server: url, caPem: authority.caPem, user: 'kubernetes-admin', credentials: admin });
    return { apiServer, authority, url, kubeconfig, close };
  } catch (error) {
    await close();
    throw error;
  }
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

function hostInUrl(bindAddress: string): string {
  if (WILDCARDS.has(bindAddress)) return LOOPBACK;
  return isIPv6(bindAddress) ? `[${bindAddress}]` : bindAddress;
}
