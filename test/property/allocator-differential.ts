/**
 * `npm run test:differential -- allocator [--count N] [--seed S]`: random allocation cases put to dray and to upstream's structured allocator.
 * Needs the Go program of the allocator oracle, named by DRAY_ALLOCATOR_ORACLE. It answers when its input ends, so cases go in batches. A
 * difference is shrunk and printed, and makes the exit status 1.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { asyncProperty, check, uint8Array } from 'fast-check';
import { parseJson, stringifyJson } from '#machinery';
import { answerCase, type OracleAnswer, type OracleCase } from '../conformance/allocator-oracle.ts';
import { essence } from '../conformance/allocator-essence.ts';
import { randomCase } from './allocator-generator.ts';
import { Entropy } from './entropy.ts';
import { seededRandom } from './seeded-random.ts';

const BATCH = 2000;
/** Bytes that a case is made of: what is not read makes no difference. */
const ENTROPY_BYTES = 500;
/** A case takes the oracle's program a moment to start. */
const SHRINK_TIME_MS = 30_000;

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: { count: { type: 'string', default: '20000' }, seed: { type: 'string', default: '1' } },
});
const program = process.env['DRAY_ALLOCATOR_ORACLE'];
if (program === undefined || !existsSync(program)) {
  console.log('skipped: the differential test needs the allocator oracle, a Go program; DRAY_ALLOCATOR_ORACLE names it');
  process.exit(0);
}
process.exitCode = await compare(program, Number(values.count), Number(values.seed));

/** The exit status. */
async function compare(oracle: string, count: number, seed: number): Promise<number> {
  const startedMs = performance.now();
  const tally = new Map<string, number>();
  let [asked, different] = [0, 0];
  for (let batch = 0; asked < count; batch++) {
    const inputs = Array.from({ length: Math.min(BATCH, count - asked) }, (_, i) => randomBytes((seed + batch) * BATCH + i));
    const found = await differences(inputs, oracle, tally);
    asked += inputs.length;
    different += found.length;
    const [first] = found;
    if (first !== undefined)
      console.log(`seed ${seed + batch}, ${found.length} of ${inputs.length} differ; the first, shrunk:\n${await shrunk(first, oracle)}`);
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  const outcomes = [...tally].map(([outcome, times]) => `${times} ${outcome}`).join(', ');
  console.log(`${asked} random allocation cases from seed ${seed}, ${different} different, ${seconds} s (${outcomes})`);
  return different === 0 ? 0 : 1;
}

async function differences(inputs: readonly Uint8Array[], oracle: string, tally?: Map<string, number>): Promise<readonly Uint8Array[]> {
  const cases = inputs.map((bytes) => stringifyJson(caseOf(bytes)));
  const asked = askUpstream(oracle, cases);
  const ours = cases.map((each) => parseJson(stringifyJson(answerCase(readCase(each)))));
  const theirs = await asked;
  return inputs.filter((_, i) => {
    const want = readAnswer(theirs[i] ?? '{"results":[]}');
    for (const { allocation, none, errorClass = '' } of want.results) {
      const outcome = allocation !== undefined ? 'allocated' : none === true ? 'no fit' : `${errorClass} errors`;
      tally?.set(outcome, (tally.get(outcome) ?? 0) + 1);
    }
    const got = ours[i] as unknown as OracleAnswer;
    if (want.results.some(({ errorClass }) => errorClass === 'timeout')) return false;
    return !isDeepStrictEqual(got.results.map(essence), want.results.map(essence));
  });
}

function randomBytes(seed: number): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length: ENTROPY_BYTES }, () => random.below(256));
}

async function shrunk(bytes: Uint8Array, oracle: string): Promise<string> {
  const property = asyncProperty(uint8Array({ maxLength: ENTROPY_BYTES, size: 'max' }), async (each) => (await differences([each], oracle)).length === 0);
  const { counterexample } = await check(property, { examples: [[bytes]], numRuns: 1, interruptAfterTimeLimit: SHRINK_TIME_MS });
  const example = stringifyJson(caseOf(counterexample?.[0] ?? bytes));
  const [want = ''] = await askUpstream(oracle, [example]);
  return `${example}\n  want ${want}\n  got  ${stringifyJson(answerCase(readCase(example)))}`;
}

async function askUpstream(oracle: string, cases: readonly string[]): Promise<readonly string[]> {
  const child = spawn(oracle, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(`${cases.join('\n')}\n`);
  return (await text(child.stdout)).trimEnd().split('\n');
}

function caseOf(bytes: Uint8Array): OracleCase {
  return randomCase(new Entropy(bytes), { quirks: false });
}

/** Both sides read the same text. */
function readCase(line: string): OracleCase {
  return parseJson(line) as unknown as OracleCase;
}

function readAnswer(line: string): OracleAnswer {
  return parseJson(line) as unknown as OracleAnswer;
}
