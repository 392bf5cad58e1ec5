/** /healthz, /livez, /readyz, /version and /metrics. */
import { type Counter, Metrics, type Reading } from '#base';
import { methodNotAllowed } from '#machinery';
import { checkAnswerable } from './http/accept.ts';
import { bareText, type ServerRequest, type ServerResponse, jsonResponse, textResponse } from './http/message.ts';
import type { Core } from './options.ts';

/** Names of the checks behind each endpoint, as upstream's; those of etcd ask the store. */
export const CHECKS: ReadonlyMap<string, readonly string[]> = new Map([
  ['healthz', ['ping', 'log', 'etcd']],
  ['livez', ['ping', 'log', 'etcd']],
  ['readyz', ['ping', 'log', 'etcd', 'etcd-readiness', 'informer-sync', 'shutdown']],
]);

/** Serves a health endpoint, undefined for other paths. `?verbose` lists the checks, `?exclude=NAME` leaves one out, `/NAME` runs one. */
export async function health(core: Core, path: string, query: URLSearchParams): Promise<ServerResponse | undefined> {
  const [, endpoint = '', name, ...rest] = path.split('/');
  const checks = CHECKS.get(endpoint);
  if (checks === undefined || rest.length > 0 || (name !== undefined && !checks.includes(name))) return undefined;
  const failure = await storeProblem(core);
  const isBad = (check: string): boolean => failure !== undefined && check.startsWith('etcd');
  if (name !== undefined) return isBad(name) ? textResponse(500, `internal server error: ${failure ?? ''}\n`) : bareText(200, 'ok');
  const excluded = new Set(query.getAll('exclude'));
  const lines = checks.map((check) => {
    if (excluded.has(check)) return `[+]${check} excluded: ok\n`;
    return isBad(check) ? `[-]${check} failed: reason withheld\n` : `[+]${check} ok\n`;
  });
  const strange = [...excluded].filter((check) => !checks.includes(check)).sort();
  if (strange.length > 0)
    lines.push(`warn: some health checks cannot be excluded: no matches for ${strange.map((check) => JSON.stringify(check)).join(', ')}\n`);
  if (checks.some((check) => !excluded.has(check) && isBad(check))) return textResponse(500, `${lines.join('')}${endpoint} check failed\n`);
  return textResponse(200, query.has('verbose') ? `${lines.join('')}${endpoint} check passed\n` : 'ok');
}

async function storeProblem(core: Core): Promise<string | undefined> {
  try {
    await core.objects.store.get('/registry/health');
    return undefined;
  } catch (thrown) {
    return String(thrown);
  }
}

/** The answer of /version. */
export function version(core: Core, { method, headers }: ServerRequest): ServerResponse {
  if (method !== 'GET') throw methodNotAllowed();
  checkAnswerable(headers['accept'], ['application/json']);
  const [major = '1', minor = '0'] = core.options.emulatedVersion.split('.');
  return jsonResponse(200, {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: `v${major}.${minor}.0+dray`,
    gitCommit: 'unknown',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: 'none',
    compiler: 'none',
    platform: 'javascript',
  });
}

/** Requests served, by verb, resource and status. */
export class RequestMetrics {
  readonly #metrics: Metrics;
  readonly #requests: Counter<'code' | 'resource' | 'verb'>;

  constructor(core: Core) {
    this.#metrics = core.options.metrics ?? new Metrics();
    const help = 'Counter of apiserver requests broken out for each verb, resource and code.';
    this.#requests = this.#metrics.counter({ name: 'apiserver_request_total', help, labels: ['code', 'resource', 'verb'] });
    const revision = (): readonly Reading<never>[] => [{ labels: {}, value: core.objects.store.revision() }];
    this.#metrics.gaugeFrom({ name: 'dray_store_revision', help: 'The revision of the last commit.' }, revision);
  }

  /** Counts one answered request. */
  count(verb: string, resource: string, code: number): void {
    this.#requests.inc({ code: String(code), resource, verb: verb.toUpperCase() });
  }

  /** The answer of /metrics: everything that the process measures. */
  response(): ServerResponse {
    return textResponse(200, this.#metrics.exposition());
  }
}
