/**
 * npm run bench:allocator [-- NAME...]: dray's allocator on the workloads of upstream's. Beside it upstream's figures: measured in the same run when
 * DRAY_ALLOCATOR_ORACLE names the Go program, otherwise those recorded. One operation is what a pod costs: allocating its claims, node after node, and
 * the events that record the result and undo it. CPU time, medians.
 */
import { spawnSync } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Allocator, type AllocateOutcome, Ledger, PoolIndex } from '#allocator';
import type { DeviceClass, Node, ResourceClaim } from '#api';
import { assert } from '#base';
import { keyOf, nameOf } from '#machinery';
import { featuresOf, holdersOf, type OracleCase } from '../test/conformance/allocator-oracle.ts';
import { visible, WORKLOADS } from './allocator-workloads.ts';

/** Nanoseconds per pod cycle of k8s.io/dynamic-resource-allocation v0.37.2, all features, on 2.5 GHz. */
const RECORDED: Readonly<Record<string, number>> = {
  'one-of-8-empty': 224_491,
  'one-of-8-full': 206_042,
  selector: 257_932,
  'match-attribute-5': 670_067,
  'first-available-3': 1_746_050,
  'mig-half-used': 3_050_149,
  'shared-100': 29_810,
  fragmentation: 45_582_333,
  'all-of-128': 2_316_447,
  'max-1-of-8': 350_919,
  'max-1-of-12': 3_593_488,
  'max-1-of-16': 63_556_400,
  'max-1-of-18': 250_614_333,
  'max-1-of-20': 1_005_200_000,
  'scan-500': 5_162_385,
  'scan-5000': 58_642_000,
  'visible-128': 88_884,
  'visible-1024': 655_268,
  'visible-8192': 5_246_503,
  'construct-5000': 1_876_568,
};
/** How many times faster than upstream a workload has to be. */
const REQUIRED_AT_LEAST = 5;
const REQUIRED: ReadonlyMap<RegExp, number> = new Map([[/^(one-of-8|scan|construct|visible|fragmentation|mig-half-used)/, 20]]);
const RUNS = 5;
const SECONDS_PER_RUN = 0.3;
const CURVE = [100, 1000, 10_000, 100_000];

/** The world of a case, built before anything is measured. */
interface World {
  readonly operation: () => AllocateOutcome;
  readonly buildMs: number;
}

function worldOf(question: Omit<OracleCase, 'id'>): World {
  const fromMs = performance.now();
  const pools = new PoolIndex();
  for (const slice of question.slices ?? []) pools.upsertSlice(slice);
  const ledger = new Ledger();
  for (const claim of holdersOf(question.allocated ?? {})) ledger.upsertClaim(claim);
  const buildMs = performance.now() - fromMs;
  const classes = new Map((question.classes ?? []).map((item): [string, DeviceClass] => [nameOf(item), item]));
  const nodes = (question.nodes ?? []).map((node: Node) => ({ name: nameOf(node), labels: node.metadata.labels ?? {} }));
  const claims = question.claims ?? [];
  let shares = 100_000_000;
  const random = { below: () => 0, uuid: () => `00000000-0000-4000-8000-000${shares++}` };
  const features = featuresOf(question.features ?? {});
  const operation = (): AllocateOutcome => {
    const allocator = new Allocator({ claims, pools, ledger, features, random, deviceClass: (name) => classes.get(name) });
    let outcome: AllocateOutcome = { kind: 'failed', message: 'no node' };
    for (const node of nodes) {
      outcome = allocator.allocate(node);
      if (outcome.kind !== 'unschedulable') break;
    }
    if (outcome.kind === 'allocated') recordAndUndo(ledger, claims, outcome);
    return outcome;
  };
  return { operation, buildMs };
}

function recordAndUndo(ledger: Ledger, claims: readonly ResourceClaim[], { allocations }: Extract<AllocateOutcome, { kind: 'allocated' }>): void {
  claims.forEach((claim, i) => ledger.upsertClaim({ ...claim, status: { allocation: allocations[i] } }));
  for (const claim of claims) ledger.deleteClaim(keyOf(claim));
}

/** Nanoseconds of CPU time per call, the median of the runs. */
function measured(operation: () => unknown): number {
  const figures = Array.from({ length: RUNS + 1 }, () => {
    let calls = 0;
    const before = process.threadCpuUsage();
    let spent = 0;
    while (spent < SECONDS_PER_RUN * 1e6) {
      const untilNextLook = Math.max(1, Math.min(1000, calls));
      for (let i = 0; i < untilNextLook; i++) operation();
      calls += untilNextLook;
      const { user, system } = process.threadCpuUsage(before);
      spent = user + system;
    }
    return (spent * 1000) / calls;
  });
  // The first run warms up.
  return figures.slice(1).sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? Number.NaN;
}

function upstreamNs(name: string, question: Omit<OracleCase, 'id'>): number | undefined {
  const program = process.env['DRAY_ALLOCATOR_ORACLE'];
  if (program === undefined) return RECORDED[name];
  const { stdout } = spawnSync(program, ['bench', '-runs', '3', '-seconds', '0.3'], {
    input: `${JSON.stringify({ id: name, ...question })}\n`,
    maxBuffer: 1 << 28,
  });
  return (JSON.parse(stdout.toString()) as { cycleCpuNs: number }).cycleCpuNs;
}

function heapMb(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

const text = (ns: number): string => (ns < 1e4 ? `${(ns / 1e3).toFixed(2)} us` : ns < 1e6 ? `${(ns / 1e3).toFixed(0)} us` : `${(ns / 1e6).toFixed(2)} ms`);
const row = (...cells: readonly string[]): void => console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(20) : cell.padStart(12))).join(''));

/** Each workload is measured in a process of its own, as upstream's are: what one leaves behind does not slow down the next. */
function table(names: readonly string[]): boolean {
  const where = process.env['DRAY_ALLOCATOR_ORACLE'] === undefined ? 'recorded' : 'measured';
  row('workload', 'outcome', 'steps', 'dray', `upstream`, 'ratio', 'required', 'built in');
  const isMet = names.map((name) => spawnSync(process.execPath, [import.meta.filename, '--row', name], { stdio: 'inherit' }).status === 0);
  const verdict = isMet.every(Boolean) ? 'met' : 'NOT met';
  console.log(`upstream: ${where}; required ratios ${verdict}\n`);
  return isMet.every(Boolean);
}

function measureRow(name: string): boolean {
  const question = WORKLOADS.get(name)?.();
  if (question === undefined) throw new Error(`unknown workload ${name}`);
  const world = worldOf(question);
  const outcome = world.operation();
  const steps = outcome.kind === 'failed' ? '-' : String(outcome.steps);
  const ns = measured(world.operation);
  const theirs = upstreamNs(name, question) ?? Number.NaN;
  const required = [...REQUIRED].find(([pattern]) => pattern.test(name))?.[1] ?? REQUIRED_AT_LEAST;
  const ratio = theirs / ns;
  const figures = [text(ns), text(theirs), `${ratio.toFixed(ratio < 10 ? 1 : 0)}x`, `${required}x`, `${world.buildMs.toFixed(0)} ms`];
  row(name, outcome.kind === 'allocated' ? 'allocated' : 'none', steps, ...figures);
  return ratio >= required;
}

function curve(): void {
  row('devices', 'all in sight', 'free at once', 'on one node');
  for (const devices of CURVE) {
    const held = visible(devices);
    const inSight = measured(worldOf(held).operation);
    const free = measured(worldOf({ ...held, allocated: {} }).operation);
    const nodes = devices / 8;
    const own = worldOf(oneNodeOf(Math.max(1, Math.floor(nodes))));
    row(String(devices), text(inSight), text(free), text(measured(own.operation)));
  }
  console.log(
    'all in sight: every node sees all devices, only the last one is free; free at once: the first one is; on one node: eight per node, one node asked\n',
  );
}

/** `one-of-8-empty` in a cluster of another size. */
function oneNodeOf(nodes: number): Omit<OracleCase, 'id'> {
  const [slice] = WORKLOADS.get('one-of-8-empty')?.().slices ?? [];
  const template = WORKLOADS.get('one-of-8-empty')?.() ?? {};
  if (slice === undefined) return template;
  const name = (number: number): string => `node-${number}`;
  const slices = Array.from({ length: nodes }, (_, number) => ({
    metadata: { name: `slice-${number}` },
    spec: { ...slice.spec, nodeName: name(number), pool: { ...slice.spec.pool, name: name(number) } },
  }));
  return { ...template, slices, nodes: [{ metadata: { name: name(nodes - 1), labels: {} } }] };
}

function memory(): void {
  const before = heapMb();
  const question = WORKLOADS.get('construct-5000')?.() ?? {};
  const claims = holdersOf(question.allocated ?? {});
  const inputs = heapMb();
  const pools = new PoolIndex();
  for (const slice of question.slices ?? []) pools.upsertSlice(slice);
  const ledger = new Ledger();
  for (const claim of claims) ledger.upsertClaim(claim);
  const classes = new Map((question.classes ?? []).map((item): [string, DeviceClass] => [nameOf(item), item]));
  const random = { below: () => 0, uuid: () => '' };
  const features = featuresOf(question.features ?? {});
  const allocator = new Allocator({ claims: question.claims ?? [], pools, ledger, features, random, deviceClass: (name) => classes.get(name) });
  for (let number = 0; number < 5000; number++) allocator.allocate({ name: `node-${String(number).padStart(4, '0')}`, labels: {} });
  const all = heapMb();
  // What is measured has to be alive until now.
  assert(ledger.revision === claims.length && question.slices?.length === 5000, 'the world is complete');
  console.log(`5,000 nodes x 8 devices, 40,000 allocated: ${(all - inputs).toFixed(0)} MB beside the ${(inputs - before).toFixed(0)} MB of slices and claims`);
}

/** Names of workloads, or none for all; `curve` and `memory` give those tables alone. */
const [first, ...others] = process.argv.slice(2);
if (first === '--row') process.exitCode = measureRow(others[0] ?? '') ? 0 : 1;
else if (first === 'memory') memory();
else if (first === 'curve') curve();
else {
  process.exitCode = table(first === undefined ? [...WORKLOADS.keys()] : [first, ...others]) ? 0 : 1;
  if (first === undefined) {
    memory();
    curve();
  }
}
