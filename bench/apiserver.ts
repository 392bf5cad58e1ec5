/**
 * npm run bench:apiserver: processor time of the API server per operation, memory and disk, beside upstream's: its recorded figures, or
 * with DRAY_UPSTREAM_BIN (a folder with the executables `etcd` and `apiserver`) those that it has in the same run.
 */
import { type Json, parseJson } from '#machinery';
import { bigClaim, claimStatus, numbered, pod, slice, smallClaim } from './apiserver-objects.ts';
import { closedLoop, diskBytes, processorMs, residentMb, send, type Server, withServer, withUpstream } from './apiserver-server.ts';

/** DRAY_BENCH_SCALE=0.1 is a quick look; its figures mean little. */
const SCALE = Number(process.env.DRAY_BENCH_SCALE ?? 1);
const CLAIMS = Math.round(10_000 * SCALE);
const SLICES = Math.round(5_000 * SCALE);
const PODS = 1_000;
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const CLAIMS_PATH = '/apis/resource.k8s.io/v1/namespaces/default/resourceclaims';
/** Where claims are created and deleted, apart from the standing ones. */
const WRITTEN_PATH = '/apis/resource.k8s.io/v1/namespaces/bench-written/resourceclaims';
const PODS_PATH = '/api/v1/namespaces/bench-pods/pods';
const SLICES_PATH = '/apis/resource.k8s.io/v1/resourceslices';

/** The folder of upstream's executables. */
const UPSTREAM_BIN = process.env['DRAY_UPSTREAM_BIN'] ?? '';
const MERGE_PATCH = { 'content-type': 'application/merge-patch+json' };
const NEWLINE = 10;

interface Workload {
  readonly name: string;
  /** kube-apiserver and etcd 1.36.3 on two cores: the lower end of the recorded runs, milliseconds of processor time per operation. */
  readonly upstreamMs: number;
  readonly operations: number;
  readonly clients: number;
  /** What must be there first; not measured. */
  readonly prepare?: (server: Server, operations: number) => Promise<unknown>;
  /** One operation; `i` counts them. */
  readonly operate: (server: Server, i: number) => Promise<unknown>;
}

/** Reading comes first: watches add claims to the standing ones, and lists must find 10,000 of them, no more. */
const WORKLOADS: readonly Workload[] = [
  { name: 'get, 1 client', upstreamMs: 1.087, operations: 3000, clients: 1, operate: reading },
  { name: 'get, 16 clients', upstreamMs: 0.679, operations: 10_000, clients: 16, operate: reading },
  { name: 'get, 64 clients', upstreamMs: 0.564, operations: 10_000, clients: 64, operate: reading },
  { name: 'list 10,000 claims', upstreamMs: 443, operations: 40, clients: 1, operate: listing(CLAIMS_PATH) },
  { name: 'list 10,000 claims, resourceVersion=0', upstreamMs: 327, operations: 40, clients: 1, operate: listing(`${CLAIMS_PATH}?resourceVersion=0`) },
  { name: 'list 10,000 claims in pages of 500', upstreamMs: 453, operations: 40, clients: 1, operate: paging },
  { name: 'list 5,000 slices', upstreamMs: 610, operations: 40, clients: 1, operate: listing(SLICES_PATH) },
  {
    name: 'list the slices of one node',
    upstreamMs: 1.25,
    operations: 2000,
    clients: 1,
    operate: listing(`${SLICES_PATH}?fieldSelector=spec.nodeName%3D${numbered('node', 7)}`),
  },
  { name: '1,000 pods as a table', upstreamMs: 19.5, operations: 400, clients: 1, operate: listing(PODS_PATH, TABLE) },
  { name: 'create, 1 client', upstreamMs: 6.68, operations: 500, clients: 1, operate: creating('one', bigClaim) },
  { name: 'create, 16 clients', upstreamMs: 5.365, operations: 2000, clients: 16, operate: creating('sixteen', bigClaim) },
  { name: 'create, 64 clients', upstreamMs: 4.54, operations: 2000, clients: 64, operate: creating('many', bigClaim) },
  { name: 'create small, 16 clients', upstreamMs: 1.57, operations: 3000, clients: 16, operate: creating('small', (_, name) => smallClaim(name)) },
  { name: 'update, 1 client', upstreamMs: 3.3, operations: 500, clients: 1, ...updating('updated-one') },
  { name: 'update, 16 clients', upstreamMs: 2.77, operations: 1000, clients: 16, ...updating('updated') },
  { name: 'status, 1 client', upstreamMs: 7.14, operations: 500, clients: 1, ...patchingStatus('status-one') },
  { name: 'status, 16 clients', upstreamMs: 4.21, operations: 1000, clients: 16, ...patchingStatus('status') },
  { name: 'delete, 16 clients', upstreamMs: 2.84, operations: 1000, clients: 16, ...deleting('deleted') },
];
/** Events delivered to this many watchers, and what one costs upstream. */
const WATCHES = [
  { watchers: 100, updates: 1000, upstreamMs: 0.032 },
  { watchers: 1000, updates: 1000, upstreamMs: 0.017 },
];
const UPSTREAM_MEGABYTES = 1785;
const UPSTREAM_BYTES_PER_OBJECT = 3400;

await withServer((dray) => (UPSTREAM_BIN === '' ? compare(dray, undefined) : withUpstream(UPSTREAM_BIN, (upstream) => compare(dray, upstream))));

async function compare(dray: Server, upstream: Server | undefined): Promise<void> {
  console.log(`${'milliseconds of processor time per operation'.padEnd(46)}${'dray'.padStart(10)}${'upstream'.padStart(12)}${'ratio'.padStart(9)}`);
  const filled = await fill(dray);
  const filledUpstream = upstream === undefined ? { megabytes: UPSTREAM_MEGABYTES, bytesPerObject: UPSTREAM_BYTES_PER_OBJECT } : await fill(upstream);
  for (const workload of WORKLOADS) {
    printRow(workload.name, await measure(dray, workload), upstream === undefined ? workload.upstreamMs : await measure(upstream, workload));
  }
  for (const { watchers, updates, upstreamMs } of WATCHES) {
    const measured = (server: Server): Promise<number> => watching(server, watchers, Math.round(updates * SCALE));
    printRow(`event to each of ${String(watchers)} watchers`, await measured(dray), upstream === undefined ? upstreamMs : await measured(upstream));
  }
  console.log('');
  printRow(`resident MB with ${String(CLAIMS)} claims, ${String(SLICES)} slices`, filled.megabytes, filledUpstream.megabytes, 0);
  printRow('bytes on disk per object', filled.bytesPerObject, filledUpstream.bytesPerObject, 0);
}

async function fill(server: Server): Promise<{ readonly megabytes: number; readonly bytesPerObject: number }> {
  const emptyBytes = diskBytes(server.folder);
  await closedLoop(16, CLAIMS, (i) => send(server, 'POST', CLAIMS_PATH, bigClaim(i, numbered('claim', i))));
  await closedLoop(16, SLICES, (i) => send(server, 'POST', SLICES_PATH, slice(i)));
  const filled = { megabytes: residentMb(server.pids), bytesPerObject: Math.round((diskBytes(server.folder) - emptyBytes) / (CLAIMS + SLICES)) };
  for (const name of ['bench-written', 'bench-pods']) await send(server, 'POST', '/api/v1/namespaces', { metadata: { name } });
  await closedLoop(16, PODS, (i) => send(server, 'POST', PODS_PATH, pod(numbered('pod', i))));
  return filled;
}

/** Processor milliseconds per operation. */
async function measure(server: Server, workload: Workload): Promise<number> {
  const operations = Math.max(1, Math.round(workload.operations * Math.max(SCALE, workload.operations < 100 ? 1 : 0)));
  await workload.prepare?.(server, operations);
  const before = processorMs(server.pids);
  await closedLoop(workload.clients, operations, (i) => workload.operate(server, i));
  return (processorMs(server.pids) - before) / operations;
}

function printRow(name: string, value: number, upstream: number, digits = 3): void {
  console.log(
    `${name.padEnd(46)}${value.toFixed(digits).padStart(10)}${upstream.toFixed(digits).padStart(12)}${`${(upstream / value).toFixed(1)}x`.padStart(9)}`,
  );
}

function creating(prefix: string, object: (i: number, name: string) => object): Workload['operate'] {
  return (server, i) => send(server, 'POST', WRITTEN_PATH, object(i, numbered(prefix, i)));
}

function reading(server: Server, i: number): Promise<unknown> {
  return send(server, 'GET', `${CLAIMS_PATH}/${numbered('claim', i % CLAIMS)}`);
}

type PreparedWorkload = Pick<Workload, 'prepare' | 'operate'>;

/** Replaces what was read before: the PUT carries the whole object with its resourceVersion, and another label. */
function updating(prefix: string): PreparedWorkload {
  const bodies: object[] = [];
  const read = async (server: Server, i: number): Promise<void> => {
    const claim = parseJson(await send(server, 'GET', `${WRITTEN_PATH}/${numbered(prefix, i)}`)) as { metadata: Record<string, Json> };
    bodies[i] = { ...claim, metadata: { ...claim.metadata, labels: { round: String(i) } } };
  };
  return {
    prepare: async (server, operations) => {
      await freshClaims(server, prefix, operations);
      await closedLoop(16, operations, (i) => read(server, i));
    },
    operate: (server, i) => send(server, 'PUT', `${WRITTEN_PATH}/${numbered(prefix, i)}`, bodies[i]),
  };
}

function patchingStatus(prefix: string): PreparedWorkload {
  return {
    prepare: (server, operations) => freshClaims(server, prefix, operations),
    operate: (server, i) => send(server, 'PATCH', `${WRITTEN_PATH}/${numbered(prefix, i)}/status`, { status: claimStatus(i) }, MERGE_PATCH),
  };
}

function deleting(prefix: string): PreparedWorkload {
  return {
    prepare: (server, operations) => freshClaims(server, prefix, operations),
    operate: (server, i) => send(server, 'DELETE', `${WRITTEN_PATH}/${numbered(prefix, i)}`),
  };
}

function freshClaims(server: Server, prefix: string, count: number): Promise<void> {
  return closedLoop(16, count, (i) => send(server, 'POST', WRITTEN_PATH, bigClaim(i, numbered(prefix, i))));
}

function listing(path: string, accept = 'application/json'): Workload['operate'] {
  return (server) => send(server, 'GET', path, undefined, { accept });
}

async function paging(server: Server): Promise<void> {
  for (let token = ''; ;) {
    const page = await send(server, 'GET', `${CLAIMS_PATH}?limit=500${token === '' ? '' : `&continue=${token}`}`);
    token = /"continue":"([^"]+)"/.exec(page.slice(0, 1000))?.[1] ?? '';
    if (token === '') return;
  }
}

/** Processor milliseconds per delivered event. */
async function watching(server: Server, watchers: number, updates: number): Promise<number> {
  const names = Array.from({ length: 4 }, (_, i) => `watched-${String(watchers)}-${String(i)}`);
  for (const name of names) await send(server, 'POST', CLAIMS_PATH, smallClaim(name));
  const gone = new AbortController();
  let seen = 0;
  const { promise: all, resolve: finish } = Promise.withResolvers<void>();
  const { resourceVersion } = (parseJson(await send(server, 'GET', `${CLAIMS_PATH}?limit=1`)) as { metadata: { resourceVersion: string } }).metadata;
  const follow = async (): Promise<void> => {
    const path = `${CLAIMS_PATH}?watch=1&resourceVersion=${resourceVersion}`;
    const response = await server.transport({ method: 'GET', path, headers: { accept: 'application/json' } }, gone.signal);
    void (async () => {
      for await (const chunk of response.body) {
        for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) seen++;
        if (seen >= watchers * updates) finish();
      }
    })().catch(() => undefined); // ended by us
  };
  await Promise.all(Array.from({ length: watchers }, follow));
  const before = processorMs(server.pids);
  await closedLoop(names.length, updates, (i) =>
    send(server, 'PATCH', `${CLAIMS_PATH}/${names[i % names.length] ?? ''}`, { metadata: { labels: { round: String(i) } } }, MERGE_PATCH),
  );
  await all;
  const spent = processorMs(server.pids) - before;
  gone.abort();
  return spent / (watchers * updates);
}
