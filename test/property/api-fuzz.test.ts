/** The API server under requests that nobody would send: recorded ones, mutated at random. It refuses, it never fails. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import { featureGates, servedVersions } from '#api';
import { type ApiServer, createApiServer, type ServerRequest } from '#apiserver';
import { silentLogger } from '#base';
import { checkSelector } from '#cel';
import { isJsonObject, type Json, parseJson } from '#machinery';
import { systemClock } from '#platform';
import { MemoryStore } from '#storage';
import { seededRandom, type SeededRandom } from './seeded-random.ts';

/** DRAY_FUZZ_REQUESTS=100000 is the long form. */
const REQUESTS = Number(process.env['DRAY_FUZZ_REQUESTS'] ?? 20_000);
const SEED = Number(process.env['DRAY_FUZZ_SEED'] ?? 1);
/** What the objects and the history that the requests leave behind may take. */
const GROWTH_BYTES_MAX = 256 * 1024 * 1024;
const VECTORS = join(import.meta.dirname, '../vectors/http');

interface Seed {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json | undefined;
}

test(`${String(REQUESTS)} mutated requests are answered, none with a server error`, async (t) => {
  const random = seededRandom(SEED);
  const corpus = recordedRequests();
  const server = newServer();
  t.after(() => server.close());
  const statuses = new Map<number, number>();
  const failures: string[] = [];
  for (const namespace of ['default', 'ns1'])
    await send(server, { method: 'POST', path: '/api/v1/namespaces', headers: {}, body: text(JSON.stringify({ metadata: { name: namespace } })) });
  const before = heapBytes();
  for (let i = 0; i < REQUESTS; i++) {
    const request = mutated(random.pick(corpus), corpus, random);
    const { status, message } = await send(server, request);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (status >= 500 && !UPSTREAM_TOO.some((known) => known.status === status && message.includes(known.message)))
      failures.push(`${String(status)} ${message}: ${request.method} ${request.path} ${new TextDecoder().decode(request.body).slice(0, 300)}`);
  }
  const growth = heapBytes() - before;
  t.diagnostic(
    `seed ${String(SEED)}: ${[...statuses]
      .sort(([a], [b]) => a - b)
      .map(([status, count]) => `${String(count)} x ${String(status)}`)
      .join(', ')}; heap grew by ${String(Math.round(growth / 1e6))} MB`,
  );
  assert.deepEqual(failures, []);
  assert.ok(growth < GROWTH_BYTES_MAX, `the heap grew by ${String(growth)} bytes`);
  assert.ok((statuses.get(200) ?? 0) > REQUESTS / 100, 'some requests still make sense');
});

/** What upstream answers with a server error, and dray as well. */
const UPSTREAM_TOO = [
  { status: 504, message: 'Too large resource version' },
  { status: 500, message: 'target.name: Required value' },
];

function newServer(): ApiServer {
  return createApiServer({
    store: new MemoryStore(),
    clock: systemClock,
    random: { below: (bound) => Math.floor(bound / 2), uuid: () => randomUUID() },
    logger: silentLogger,
    gates: featureGates('1.36', {}),
    served: servedVersions('1.36', { 'api/all': true }),
    emulatedVersion: '1.36',
    celCheck: checkSelector,
    admission: { disabled: ['ServiceAccount'] },
    authenticateToken: () => undefined,
  });
}

function recordedRequests(): Seed[] {
  const files = globSync('**/*.json.gz', { cwd: VECTORS }).sort();
  return files.flatMap((file) => stepsOf(parseJson(gunzipSync(readFileSync(join(VECTORS, file))).toString('utf8'))));
}

function stepsOf(value: Json | undefined): Seed[] {
  if (Array.isArray(value)) return value.flatMap((item: Json) => stepsOf(item));
  if (!isJsonObject(value)) return [];
  const { method, path, headers, body, during, steps } = value;
  const inner = [...stepsOf(during), ...stepsOf(steps)];
  if (typeof method !== 'string' || typeof path !== 'string') return inner;
  const own: Seed = { method: method === 'WATCH' ? 'GET' : method, path: path.replaceAll(/\$\{?\w+\}?/g, 'ns1'), headers: textHeaders(headers), body };
  return [own, ...inner];
}

function textHeaders(headers: Json | undefined): Record<string, string> {
  const entries = isJsonObject(headers) ? Object.entries(headers) : [];
  return Object.fromEntries(entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name.toLowerCase(), value]] : [])));
}

type Sent = Omit<ServerRequest, 'signal' | 'user'>;

async function send(server: ApiServer, request: Sent): Promise<{ status: number; message: string }> {
  const gone = new AbortController();
  const response = await server.handle({ ...request, user: { name: 'admin', groups: ['system:masters'] }, signal: gone.signal });
  if (response.body instanceof Uint8Array) return { status: response.status, message: new TextDecoder().decode(response.body.subarray(0, 300)) };
  // A watch: its beginning, then the client is gone.
  setImmediate(() => gone.abort());
  for await (const chunk of response.body) if (chunk.length === 0) break;
  return { status: response.status, message: '' };
}

function mutated(seed: Seed, corpus: readonly Seed[], random: SeededRandom): Sent {
  const body =
    seed.body === undefined && random.chance(0.9)
      ? ''
      : bodyText(random.chance(0.7) ? mutatedJson(seed.body ?? null, random) : random.pick(corpus).body, random);
  const method = random.chance(0.05) ? random.pick(METHODS) : seed.method;
  return { method, path: mutatedPath(seed.path, random), headers: mutatedHeaders(seed, random), body: text(body) };
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'get', ''];
const TYPES = [
  'application/json',
  'application/yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'application/vnd.kubernetes.protobuf',
  'text/plain',
  ';;',
  '',
];
const ACCEPTS = [
  'application/json',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  'application/yaml',
  '*/*',
  'text/html',
  ',;=',
  'application/vnd.kubernetes.protobuf',
  '',
];
const QUERIES = [
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'labelSelector',
  'fieldSelector',
  'watch',
  'allowWatchBookmarks',
  'sendInitialEvents',
  'timeoutSeconds',
  'dryRun',
  'fieldManager',
  'fieldValidation',
  'force',
  'gracePeriodSeconds',
  'propagationPolicy',
  'pretty',
  'includeObject',
  'tailLines',
];
const VALUES = [
  '',
  '0',
  '1',
  '-1',
  'true',
  'false',
  'All',
  'Strict',
  '99999999999999999999',
  'a=b',
  'a in (b,c',
  '!',
  'metadata.name=x',
  'spec.nodeName!=',
  'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MX0',
  'Exact',
  'NotOlderThan',
  'Foreground',
  'Orphan',
  '\u0000',
  '%zz',
  'ü',
  'x'.repeat(2000),
];
const SEGMENTS = [
  '',
  '..',
  '.',
  '%2e%2e',
  '%00',
  'status',
  'binding',
  'eviction',
  'log',
  'scale',
  'namespaces',
  'default',
  'pods',
  'resourceclaims',
  'apis',
  'api',
  'v1',
  'resource.k8s.io',
  'v1beta1',
  '%',
  'ü',
  'a'.repeat(300),
];

function mutatedPath(path: string, random: SeededRandom): string {
  const [route = '', query = ''] = path.split('?');
  const segments = route.split('/');
  if (random.chance(0.15)) segments.splice(random.below(segments.length + 1), random.below(2), random.pick(SEGMENTS));
  if (random.chance(0.05)) segments.splice(random.below(segments.length), 1);
  const parameters = query === '' ? [] : query.split('&');
  while (random.chance(0.25))
    parameters.push(`${random.pick(QUERIES)}=${random.chance(0.5) ? encodeURIComponent(random.pick(VALUES)) : random.pick(VALUES).replaceAll('\u0000', '')}`);
  return `${segments.join('/')}${parameters.length === 0 ? '' : `?${parameters.join('&')}`}`;
}

function mutatedHeaders(seed: Seed, random: SeededRandom): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'application/json', ...seed.headers };
  if (random.chance(0.15)) headers['content-type'] = random.pick(TYPES);
  if (random.chance(0.2)) headers['accept'] = random.pick(ACCEPTS);
  if (random.chance(0.05)) headers['accept-encoding'] = random.pick(['gzip', 'identity', 'br', 'gzip;q=0']);
  if (random.chance(0.03)) headers['authorization'] = random.pick(['Bearer', 'Bearer x', 'Basic eDp5', '']);
  if (random.chance(0.03)) headers['impersonate-user'] = random.pick(VALUES);
  return headers;
}

/** Usually the JSON; sometimes cut, with a letter changed, or no text at all. */
function bodyText(value: Json | undefined, random: SeededRandom): string {
  const whole = JSON.stringify(value ?? null, (_key, member: unknown) => (typeof member === 'bigint' ? Number(member) : member));
  if (random.chance(0.03)) return whole.slice(0, random.below(whole.length + 1));
  if (random.chance(0.03)) {
    const at = random.below(whole.length + 1);
    return whole.slice(0, at) + String.fromCharCode(random.below(0x180)) + whole.slice(at + 1);
  }
  return random.chance(0.01) ? '['.repeat(5_000) : whole;
}

const SCALARS: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e300,
  9_007_199_254_740_993n,
  '',
  'x',
  'x'.repeat(3000),
  'ü\u0000\ud800',
  '1Gi',
  '-1',
  '1e2147483648',
  'device.driver == "a"',
  '2024-01-01T00:00:00Z',
  [],
  {},
  [[]],
  { a: null },
];
const NAMES = [
  'metadata',
  'spec',
  'status',
  'name',
  'labels',
  'annotations',
  'finalizers',
  'ownerReferences',
  'managedFields',
  'resourceVersion',
  'uid',
  'deletionTimestamp',
  'generateName',
  '__proto__',
  'constructor',
  'toString',
  'devices',
  'requests',
  '',
  'kind',
  'apiVersion',
];

function mutatedJson(value: Json, random: SeededRandom): Json {
  if (random.chance(0.06)) return random.pick(SCALARS);
  if (Array.isArray(value)) {
    const items = value.map((item: Json) => (random.chance(0.5) ? mutatedJson(item, random) : item));
    if (items.length > 0 && random.chance(0.1)) items.push(random.pick(items));
    if (items.length > 0 && random.chance(0.03)) return Array.from({ length: 200 }, () => items[0] ?? null);
    return items;
  }
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([name, member]): [string, Json] => [
    name,
    random.chance(0.5) ? mutatedJson(member ?? null, random) : (member ?? null),
  ]);
  if (entries.length > 0 && random.chance(0.1)) entries.splice(random.below(entries.length), 1);
  if (random.chance(0.1)) entries.push([random.pick(NAMES), random.pick(SCALARS)]);
  return Object.fromEntries(entries);
}

function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
