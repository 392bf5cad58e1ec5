/**
 * npm run bench:cel: how long it takes to compile a selector and to try it on a device, beside upstream's library.
 * The workload is test/vectors/bench/cel.json.gz. With DRAY_CEL_ORACLE, the Go program of the CEL oracle, upstream is measured in
 * the same run, round by round in turn; otherwise its recorded figures are shown.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { celDevice, type CelDevice, compileAnew, type CompiledExpression, outcomeOf } from '#cel';

interface Workload {
  readonly expressions: readonly { readonly name: string; readonly expression: string; readonly matches: number }[];
  readonly devices: readonly CelDevice[];
}

interface Figures {
  readonly name: string;
  readonly compile: { readonly cpuNs: number };
  readonly eval: { readonly cpuNs: number };
}

const ROUNDS = Number(process.env['DRAY_BENCH_ROUNDS'] ?? 5);
const ROUND_MS = 300;
const COMPILE_RATIO_MIN = 5;
const EVAL_RATIO_MIN = 20;

const read = (name: string): unknown => JSON.parse(gunzipSync(readFileSync(new URL(`../test/vectors/bench/${name}.json.gz`, import.meta.url))).toString());
const workload = read('cel') as Workload;
const program = process.env['DRAY_CEL_ORACLE'];
const upstream: Figures[][] = program === undefined ? [(read('cel-upstream') as { figures: Figures[] }).figures] : [];
const own: Figures[][] = [];
for (let round = 0; round < ROUNDS; round++) {
  if (program !== undefined) upstream.push(measureUpstream(program));
  own.push(workload.expressions.map(measure));
}
print();

/** Processor time per operation, garbage collection included. */
function timed(act: () => number): number {
  const before = process.cpuUsage();
  const end = performance.now() + ROUND_MS;
  let operations = 0;
  while (performance.now() < end) operations += act();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / operations;
}

function measure({ name, expression, matches }: Workload['expressions'][number]): Figures {
  // The devices are wrapped once, as the pool index does when their slice arrives: a device's values are read when first needed.
  const devices = workload.devices.map((device) => celDevice(device.driver, device));
  const selector = compiled(expression);
  const found = devices.filter((device) => isMatch(selector, device)).length;
  if (found !== matches) throw new Error(`${name}: ${found} devices match, the workload says ${matches}`);
  const compile = timed(() => {
    compiled(expression);
    return 1;
  });
  const evaluate = timed(() => {
    for (const device of devices) isMatch(selector, device);
    return devices.length;
  });
  return { name, compile: { cpuNs: compile }, eval: { cpuNs: evaluate } };
}

function compiled(expression: string): CompiledExpression {
  const result = compileAnew(expression, 'stored', { consumableCapacity: true, listTypeAttributes: false }, 'selector');
  if ('kind' in result) throw new Error(result.message);
  return result;
}

function isMatch(selector: CompiledExpression, device: CelDevice): boolean {
  const outcome = outcomeOf(selector.evaluate(device));
  if (outcome.kind === 'error') throw new Error(outcome.message);
  return outcome.matches;
}

function measureUpstream(command: string): Figures[] {
  const folder = mkdtempSync(join(tmpdir(), 'dray-bench-'));
  try {
    const file = join(folder, 'workload.json');
    writeFileSync(file, JSON.stringify({ ...workload, rounds: 1 }));
    const answer = JSON.parse(execFileSync(command, ['-bench', file], { encoding: 'utf8' })) as { figures: Figures[] };
    return answer.figures;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function median(rounds: readonly Figures[][], index: number, part: 'compile' | 'eval'): number {
  const sorted = rounds.map((figures) => figures[index]?.[part].cpuNs ?? Number.NaN).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function print(): void {
  const source = program === undefined ? 'recorded' : 'in the same run';
  console.log(`Processor time, medians of ${ROUNDS} rounds; upstream's figures ${source}.\n`);
  console.log(
    `${'selector'.padEnd(14)}${'compile'.padStart(12)}${'upstream'.padStart(12)}${'ratio'.padStart(8)}${'per device'.padStart(14)}${'upstream'.padStart(12)}${'ratio'.padStart(8)}`,
  );
  workload.expressions.forEach(({ name }, i) => {
    const cells = (['compile', 'eval'] as const).map((part) => {
      const [mine, theirs] = [median(own, i, part), median(upstream, i, part)];
      const enough = theirs / mine >= (part === 'compile' ? COMPILE_RATIO_MIN : EVAL_RATIO_MIN);
      return `${micros(mine).padStart(part === 'compile' ? 12 : 14)}${micros(theirs).padStart(12)}${`${(theirs / mine).toFixed(0)}x${enough ? ' ' : '!'}`.padStart(8)}`;
    });
    console.log(`${name.padEnd(14)}${cells.join('')}`);
  });
  console.log(`\nRequired: compile at least ${COMPILE_RATIO_MIN}x, per device at least ${EVAL_RATIO_MIN}x; "!" marks what is below.`);
}

function micros(nanos: number): string {
  return `${(nanos / 1000).toFixed(2)} µs`;
}
