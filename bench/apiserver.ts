/** npm run bench:apiserver: processor time of the API server per operation, memory and disk, beside upstream's recorded figures. */
import { type Json, parseJson } from '#machinery';
import { bigClaim, claimStatus, numbered, pod, slice, smallClaim } from './apiserver-objects.ts';
import { closedLoop, diskBytes, processorMs, residentMb, send, type Server, withServer } from './apiserver-server.ts';

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

/** Claims whose status was written, over all workloads: none gets one twice. */
let patched = 0;

interface Workload {
  readonly name: string;
  /** kube-apiserver and etcd 1.36.3 on two cores: the lower end of the recorded runs, milliseconds of processor time per operation. */
  readonly upstreamMs: number;
  readonly operations: number;
  readonly clients: number;
  /** One operation; `i` counts them. */
  readonly operate: (server: Server, i: number) => Promise<unknown>;
}

/** Reading comes first: later workloads change the standing claims, and lists must find 10,000 of them, no more. */
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
  { name: 'update, 1 client', upstreamMs: 3.3, operations: 500, clients: 1, operate: updating },
  { name: 'update, 16 clients', upstreamMs: 2.77, operations: 1000, clients: 16, operate: updating },
  { name: 'status, 1 client', upstreamMs: 7.14, operations: 500, clients: 1, operate: patchingStatus },
  { name: 'status, 16 clients', upstreamMs: 4.21, operations: 1000, clients: 16, operate: patchingStatus },
  { name: 'delete, 16 clients', upstreamMs: 2.84, operations: 2000, clients: 16, operate: deleting('small') },
];
/** Events delivered to this many watchers, and what one costs upstream. */
const WATCHES = [
  { watchers: 100, updates: 1000, upstreamMs: 0.032 },
  { watchers: 1000, updates: 200, upstreamMs: 0.017 },
];
const UPSTREAM_MEGABYTES = 1785;
const UPSTREAM_BYTES_PER_OBJECT = 3400;

await withServer(async (server) => {
  console.log(`${'milliseconds of processor time per operation'.padEnd(46)}${'dray'.padStart(10)}${'upstream'.padStart(12)}${'ratio'.padStart(9)}`);
  const emptyBytes = diskBytes(server.folder);
  await closedLoop(16, CLAIMS, (i) => send(server, 'POST', CLAIMS_PATH, bigClaim(i, numbered('claim', i))));
  await closedLoop(16, SLICES, (i) => send(server, 'POST', SLICES_PATH, slice(i)));
  const megabytes = residentMb(server.pid);
  const bytesPerObject = Math.round((diskBytes(server.folder) - emptyBytes) / (CLAIMS + SLICES));
  for (const name of ['bench-written', 'bench-pods']) await send(server, 'POST', '/api/v1/namespaces', { metadata: { name } });
  await closedLoop(16, PODS, (i) => send(server, 'POST', PODS_PATH, pod(numbered('pod', i))));
  for (const workload of WORKLOADS) await measure(server, workload);
  for (const { watchers, updates, upstreamMs } of WATCHES) {
    printRow(`event to each of ${String(watchers)} watchers`, await watching(server, watchers, Math.round(updates * SCALE)), upstreamMs);
  }
  console.log('');
  printRow(`resident MB with ${String(CLAIMS)} claims, ${String(SLICES)} slices`, megabytes, UPSTREAM_MEGABYTES, 0);
  printRow('bytes on disk per object', bytesPerObject, UPSTREAM_BYTES_PER_OBJECT, 0);
});

async function measure(server: Server, workload: Workload): Promise<void> {
  const operations = Math.max(1, Math.round(workload.operations * Math.max(SCALE, workload.operations < 100 ? 1 : 0)));
  const before = processorMs(server.pid);
  await closedLoop(workload.clients, operations, (i) => workload.operate(server, i));
  printRow(workload.name, (processorMs(server.pid) - before) / operations, workload.upstreamMs);
}

function printRow(name: string, value: number, upstream: number, digits = 3): void {
  console.log(`${name.padEnd(46)}${value.toFixed(digits).padStart(10)}${String(upstream).padStart(12)}${`${(upstream / value).toFixed(1)}x`.padStart(9)}`);
}

function creating(prefix: string, object: (i: number, name: string) => object): Workload['operate'] {
  return (server, i) => send(server, 'POST', WRITTEN_PATH, object(i, numbered(prefix, i)));
}

function reading(server: Server, i: number): Promise<unknown> {
  return send(server, 'GET', `${CLAIMS_PATH}/${numbered('claim', i % CLAIMS)}`);
}

/** Reads and replaces; the price of the reading is that of `get` and is part of the figure, unlike in upstream's. */
async function updating(server: Server, i: number): Promise<unknown> {
  const path = `${CLAIMS_PATH}/${numbered('claim', i % CLAIMS)}`;
  const claim = parseJson(await send(server, 'GET', path)) as { metadata: Record<string, Json> };
  return send(server, 'PUT', path, { ...claim, metadata: { ...claim.metadata, labels: { round: String(i) } } });
}

function patchingStatus(server: Server, i: number): Promise<unknown> {
  const at = (CLAIMS / 2 + patched++) % CLAIMS;
  return send(
    server,
    'PATCH',
    `${CLAIMS_PATH}/${numbered('claim', at)}/status`,
    { status: claimStatus(i) },
    { 'content-type': 'application/merge-patch+json' },
  );
}

function deleting(prefix: string): Workload['operate'] {
  return (server, i) => send(server, 'DELETE', `${WRITTEN_PATH}/${numbered(prefix, i)}`);
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
        for (const byte of chunk) if (byte === 10) seen++;
        if (seen >= watchers * updates) finish();
      }
    })().catch(() => undefined); // ended by us
  };
  await Promise.all(Array.from({ length: watchers }, follow));
  const before = processorMs(server.pid);
  await closedLoop(names.length, updates, (i) =>
    send(
      server,
      'PATCH',
      `${CLAIMS_PATH}/${names[i % names.length] ?? ''}`,
      { metadata: { labels: { round: String(i) } } },
      { 'content-type': 'application/merge-patch+json' },
    ),
  );
  await all;
  const spent = processorMs(server.pid) - before;
  gone.abort();
  return spent / (watchers * updates);
}
