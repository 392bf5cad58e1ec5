/** npm run bench:curves: how the API server's latencies, work and memory grow with the number of objects. */
import { numbered, slice } from './apiserver-objects.ts';
import { closedLoop, processorMs, residentMb, send, type Server, withServer } from './apiserver-server.ts';

/** How many objects there are at each step; DRAY_BENCH_SIZES=100,200 for others. */
const SIZES = (process.env.DRAY_BENCH_SIZES ?? '1000,10000,100000').split(',').map(Number);
const PATH = '/apis/resource.k8s.io/v1/resourceslices';
/** Creating goes on between the names that are there, not behind them: a prime spreads them. */
const SPREAD = 7919;
const NAMES = 1_000_000;

interface Measure {
  readonly name: string;
  readonly operations: number;
  readonly operate: (server: Server, i: number) => Promise<unknown>;
}

/** Objects written so far; the next one has this number. */
let written = 0;

const MEASURES: readonly Measure[] = [
  { name: 'create', operations: 500, operate: (server) => create(server) },
  { name: 'get', operations: 500, operate: (server, i) => send(server, 'GET', `${PATH}/${nameOf(i % written)}`) },
  {
    name: 'list of one node',
    operations: 500,
    operate: (server, i) => send(server, 'GET', `${PATH}?fieldSelector=spec.nodeName%3D${numbered('node', i % written)}`),
  },
  { name: 'page of 500', operations: 50, operate: (server) => send(server, 'GET', `${PATH}?limit=500`) },
  { name: 'list of all', operations: 5, operate: (server) => send(server, 'GET', PATH) },
];

await withServer(async (server) => {
  console.log('median latency and processor time of the server, milliseconds; one client\n');
  console.log(`${'objects'.padStart(9)}${MEASURES.map(({ name }) => name.padStart(20)).join('')}${'resident MB'.padStart(14)}`);
  for (const size of SIZES) {
    await closedLoop(16, Math.max(0, size - written), () => create(server));
    const cells: string[] = [];
    for (const measure of MEASURES) cells.push(await measured(server, measure));
    console.log(`${String(size).padStart(9)}${cells.map((cell) => cell.padStart(20)).join('')}${String(residentMb(server.pids)).padStart(14)}`);
  }
});

function create(server: Server): Promise<unknown> {
  const i = written++;
  const { metadata: _metadata, ...rest } = slice(i, 1);
  return send(server, 'POST', PATH, { metadata: { name: nameOf(i) }, ...rest });
}

function nameOf(i: number): string {
  return numbered('slice', (i * SPREAD) % NAMES);
}

/** Median latency / processor time per operation. */
async function measured(server: Server, { operations, operate }: Measure): Promise<string> {
  const latencies: number[] = [];
  const before = processorMs(server.pids);
  for (let i = 0; i < operations; i++) {
    const from = performance.now();
    await operate(server, i);
    latencies.push(performance.now() - from);
  }
  const median = latencies.sort((a, b) => a - b)[Math.floor(operations / 2)] ?? Number.NaN;
  return `${digits(median)} / ${digits((processorMs(server.pids) - before) / operations)}`;
}

function digits(ms: number): string {
  return ms < 10 ? ms.toFixed(2) : ms.toFixed(0);
}
