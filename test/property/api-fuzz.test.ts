/** The API server under requests that nobody would send: recorded ones, mutated at random. It refuses, it never fails. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { featureGates, servedVersions } from '#api';
import { type ApiServer, createApiServer } from '#apiserver';
import { silentLogger } from '#base';
import { checkSelector } from '#cel';
import { systemClock } from '#platform';
import { MemoryStore } from '#storage';
import { RequestMutator, type Sent } from './request-mutations.ts';
import { seededRandom } from './seeded-random.ts';

/** DRAY_FUZZ_REQUESTS=100000 is the long form. */
const REQUESTS = Number(process.env['DRAY_FUZZ_REQUESTS'] ?? 20_000);
const SEED = Number(process.env['DRAY_FUZZ_SEED'] ?? 1);
/** What the objects and the history that the requests leave behind may take. */
const GROWTH_BYTES_MAX = 256 * 1024 * 1024;

test(`${String(REQUESTS)} mutated requests are answered, none with a server error`, async (t) => {
  const requests = new RequestMutator(seededRandom(SEED));
  const server = newServer();
  t.after(() => server.close());
  const statuses = new Map<number, number>();
  const failures: string[] = [];
  let slowestMs = 0;
  for (const namespace of ['default', 'ns1'])
    await send(server, {
      method: 'POST',
      path: '/api/v1/namespaces',
      headers: {},
      body: new TextEncoder().encode(JSON.stringify({ metadata: { name: namespace } })),
    });
  const before = heapBytes();
  for (let i = 0; i < REQUESTS; i++) {
    const request = requests.next();
    const fromMs = performance.now();
    const { status, message } = await send(server, request);
    slowestMs = Math.max(slowestMs, performance.now() - fromMs);
    requests.learn(message);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (status >= 500 && !UPSTREAM_TOO.some((known) => known.status === status && message.includes(known.message)))
      failures.push(`${String(status)} ${message}: ${request.method} ${request.path} ${new TextDecoder().decode(request.body).slice(0, 300)}`);
  }
  const growth = heapBytes() - before;
  t.diagnostic(
    `seed ${String(SEED)}: ${[...statuses]
      .sort(([a], [b]) => a - b)
      .map(([status, count]) => `${String(count)} x ${String(status)}`)
      .join(', ')}; heap grew by ${String(Math.round(growth / 1e6))} MB, slowest answer ${String(Math.round(slowestMs))} ms`,
  );
  assert.deepEqual(failures, []);
  assert.ok(growth < GROWTH_BYTES_MAX, `the heap grew by ${String(growth)} bytes`);
  assert.ok((statuses.get(200) ?? 0) > REQUESTS / 100, 'some requests still make sense');
});

/** What upstream answers with a server error, and dray as well. */
const UPSTREAM_TOO = [
  { status: 504, message: 'Too large resource version' },
  { status: 500, message: 'target.name: Required value' },
  { status: 500, message: 'target.kind: Unsupported value' },
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

async function send(server: ApiServer, request: Sent): Promise<{ status: number; message: string }> {
  const gone = new AbortController();
  const response = await server.handle({ ...request, user: { name: 'admin', groups: ['system:masters'] }, signal: gone.signal });
  if (response.body instanceof Uint8Array) return { status: response.status, message: new TextDecoder().decode(response.body.subarray(0, 300)) };
  // A watch: its beginning, then the client is gone.
  setImmediate(() => gone.abort());
  for await (const chunk of response.body) if (chunk.length === 0) break;
  return { status: response.status, message: '' };
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
