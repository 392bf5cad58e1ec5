/** What a component that runs alone answers over HTTPS: health to everybody, metrics to those whom the API server lets read them. */
import type { ServerRequest, ServerResponse } from '#apiserver';
import type { Metrics } from '#base';
import { readText, type RestClient } from '#client';
import { parseJson, stringifyJson } from '#machinery';
import { CertificateAuthority, listen, type Listener } from '#platform';
import { listenSomewhere } from './free-port.ts';

/** What to serve and where; port 0 serves nothing, as upstream. */
export interface ComponentEndpointOptions {
  readonly component: string;
  /** Where the certificate is kept. */
  readonly certDir: string;
  readonly address: string;
  readonly port: number | undefined;
  readonly usualPort: number;
  readonly client: RestClient;
  readonly metrics: Metrics;
}

const HEALTH_PATHS: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz']);

/** Listens with a certificate of its own; undefined when the port is 0. */
export async function serveComponent(options: ComponentEndpointOptions): Promise<Listener | undefined> {
  const { component, certDir, address, client, metrics } = options;
  if (options.port === 0) return undefined;
  const authority = await CertificateAuthority.open(certDir);
  const serving = await authority.issue(component, { commonName: component, hosts: ['127.0.0.1', 'localhost', address] });
  const handler = { handle: (request: ServerRequest) => answer(request, client, metrics), close: () => undefined };
  const tls = { ...serving, clientCaPem: authority.caPem };
  return listenSomewhere(options.port, options.usualPort, (port) => listen({ apiServer: handler, address, port, tls }));
}

async function answer(request: ServerRequest, client: RestClient, metrics: Metrics): Promise<ServerResponse> {
  const { pathname } = new URL(request.path, 'https://component');
  if (request.method !== 'GET') return text(405, 'Method Not Allowed\n');
  if (HEALTH_PATHS.has(pathname)) return text(200, 'ok');
  if (pathname !== '/metrics') return text(404, '404 page not found\n');
  try {
    const status = await mayRead(request, client);
    return status === 200 ? text(200, metrics.exposition()) : text(status, status === 401 ? 'Unauthorized\n' : 'Forbidden\n');
  } catch {
    return text(503, 'the API server cannot be asked who you are\n');
  }
}

interface Review {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly allowed?: boolean;
    readonly user?: { readonly username?: string; readonly uid?: string; readonly groups?: readonly string[] };
  };
}

interface Asker {
  readonly client: RestClient;
  readonly signal: AbortSignal;
}

/** Delegated to the API server, as upstream: whose token it is, and whether they may get /metrics. */
async function mayRead(request: ServerRequest, client: RestClient): Promise<200 | 401 | 403> {
  const token = /^Bearer (.+)$/i.exec(request.headers['authorization'] ?? '')?.[1];
  if (token === undefined) return 401;
  const who = await review({ client, signal: request.signal }, 'authentication.k8s.io', 'TokenReview', { token });
  const user = who.status?.user;
  if (who.status?.authenticated !== true || user === undefined) return 401;
  const spec = { user: user.username, uid: user.uid, groups: user.groups, nonResourceAttributes: { path: '/metrics', verb: 'get' } };
  const access = await review({ client, signal: request.signal }, 'authorization.k8s.io', 'SubjectAccessReview', spec);
  return access.status?.allowed === true ? 200 : 403;
}

async function review({ client, signal }: Asker, group: string, kind: string, spec: object): Promise<Review> {
  const body = stringifyJson({ apiVersion: `${group}/v1`, kind, spec });
  const path = `/apis/${group}/v1/${kind.toLowerCase()}s`;
  const response = await client.raw({ method: 'POST', path, headers: { 'content-type': 'application/json' }, body }, signal);
  const answered = await readText(response.body);
  if (response.status < 200 || response.status > 299) throw new Error(`${path} answered ${String(response.status)}`);
  // The answer to a review has a fixed shape.
  return parseJson(answered) as Review;
}

function text(status: number, body: string): ServerResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: new TextEncoder().encode(body) };
}
