/** /healthz, /livez, /readyz, /version and /metrics. */
import { type Counter, Metrics, type Reading } from '#base';
import { type ServerResponse, jsonResponse, textResponse } from './http/message.ts';
import type { Core } from './options.ts';

/** Names of the checks behind each endpoint; all of them ask the store. */
const CHECKS: ReadonlyMap<string, readonly string[]> = new Map([
  ['healthz', ['ping', 'etcd']],
  ['livez', ['ping', 'etcd']],
  ['readyz', ['ping', 'etcd', 'etcd-readiness', 'informer-sync']],
]);

/** Serves a health endpoint, undefined for other paths. `?verbose` lists the checks, `/NAME` runs one. */
export async function health(core: Core, path: string, query: URLSearchParams): Promise<ServerResponse | undefined> {
  const [, endpoint = '', name] = path.split('/');
  const checks = CHECKS.get(endpoint);
  if (checks === undefined) return undefined;
  if (name !== undefined && !checks.includes(name)) return textResponse(404, '404 page not found');
  const failed = await storeProblem(core);
  if (failed !== undefined) return textResponse(500, `[-]etcd failed: ${failed}\n${endpoint} check failed\n`);
  if (!query.has('verbose')) return textResponse(200, 'ok');
  const lines = (name === undefined ? checks : [name]).map((check) => `[+]${check} ok\n`);
  return textResponse(200, `${lines.join('')}${endpoint} check passed\n`);
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
export function version(core: Core): ServerResponse {
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
