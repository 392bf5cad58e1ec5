/** Puts an API server together: store, certificates, HTTPS, kubeconfig. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type ApiServer, type ApiServerOptions, createApiServer, JWKS_PATH } from '#apiserver';
import type { Metrics } from '#base';
import type * as Cel from '#cel';
import { MemoryStore, type Store } from '#storage';
import { CertificateAuthority, createLogger, FileTokenKeys, listen, type Listener, nodeLogReader, SqliteStore, systemClock, systemRandom } from '#platform';
import type { ApiSettings } from './api-flags.ts';
import { apiServerCertificates, hostInUrl, PKI } from './certificates.ts';
import { type ApiServerFlags, DEFAULT_SERVICE_ACCOUNT_ISSUER, logLevelOf } from './flags.ts';
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

/** What a control plane is given beside its flags. */
export interface ControlPlaneOptions {
  readonly settings: ApiSettings;
  /** What its process measures. */
  readonly metrics: Metrics;
}

/** Opens the store below `dataDir`, serves it, and writes the administrator's kubeconfig once requests are answered. */
export async function startControlPlane(flags: ApiServerFlags, dataDir: string, options: ControlPlaneOptions): Promise<ControlPlane> {
  const { bindAddress } = flags;
  const authority = await CertificateAuthority.open(join(dataDir, PKI));
  const wanted = apiServerCertificates(bindAddress);
  const [serving, nodeClient, admin] = await Promise.all([
    authority.issue('apiserver', wanted['apiserver']),
    authority.issue('apiserver-kubelet-client', wanted['apiserver-kubelet-client']),
    authority.issue('admin', wanted['admin']),
  ]);
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
    ...options.settings,
    authenticateToken: flags.tokenAuthFile,
    anonymousAuth: flags.anonymousAuth ?? false,
    serviceAccounts: {
      issuer: flags.serviceAccountIssuer ?? DEFAULT_SERVICE_ACCOUNT_ISSUER,
      keys: new FileTokenKeys(join(dataDir, PKI)),
      jwksUri: () => flags.serviceAccountJwksUri ?? `${serverUrl(bindAddress, listener?.port ?? DEFAULT_SECURE_PORT)}${JWKS_PATH}`,
    },
    celCheck,
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
    const url = serverUrl(bindAddress, listener.port);
    const kubeconfig = flags.kubeconfig ?? join(dataDir, 'kubeconfig');
    await writeKubeconfig(kubeconfig, { server: url, caPem: authority.caPem, user: 'kubernetes-admin', credentials: admin });
    return { apiServer, authority, url, kubeconfig, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const require = createRequire(import.meta.url);
let cel: typeof Cel | undefined;

/** Loads CEL with the first selector: before, nothing needs it, and to load it takes a tenth of the time until an API server is ready. */
const celCheck: ApiServerOptions['celCheck'] = (...selector) => {
  // What `require` returns are the exports of the module.
  cel ??= require('#cel') as typeof Cel;
  return cel.checkSelector(...selector);
};

function serverUrl(bindAddress: string, port: number): string {
  return `https://${hostInUrl(bindAddress)}:${String(port)}`;
}
