/**
 * `npm run test:differential -- cel [--count N] [--seed S] [--seconds T] [--skip message]`: random CEL requests put to dray and to upstream's library.
 * Needs the Go program of the CEL oracle, named by DRAY_CEL_ORACLE. A difference is shrunk and printed, and makes the exit status 1.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { asyncProperty, check, uint8Array } from 'fast-check';
import { parseJson, stringifyJson } from '#machinery';
import { agrees } from '../conformance/cel-agreement.ts';
import { answerRequest } from '../conformance/cel-oracle.ts';
import { randomRequest } from './cel-generator.ts';
import { Entropy } from './entropy.ts';
import { LiveOracle } from './live-oracle.ts';

/** Requests between two looks at the clock. */
const BATCH = 1000;
/** Bytes that a request is made of: what is not read makes no difference. */
const ENTROPY_BYTES = 120;
/** Upstream walks maps in random order: so often it is asked again before a difference counts. */
const REPEATS = 30;

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    count: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '3600' },
    skip: { type: 'string' },
  },
});
const program = process.env['DRAY_CEL_ORACLE'];
if (program === undefined || !existsSync(program)) {
  console.log('skipped: the differential test needs the CEL oracle, a Go program; DRAY_CEL_ORACLE names it');
  process.exit(0);
}
const oracle = new LiveOracle(program);
const tally = { asked: 0, lost: 0 };
const differences: string[] = [];
const startedMs = performance.now();
const seconds = (): number => (performance.now() - startedMs) / 1000;
const skip = values.skip === 'message' ? 'message' : undefined;
const [count, seed] = [Number(values.count), Number(values.seed)];

for (let batch = 0; tally.asked < count && seconds() < Number(values.seconds); batch++) {
  const numRuns = Math.min(BATCH, count - tally.asked);
  const entropy = uint8Array({ minLength: 0, maxLength: ENTROPY_BYTES, size: 'max' });
  const { counterexample } = await check(asyncProperty(entropy, agreesLive), { numRuns, seed: seed + batch, endOnFailure: false });
  if (counterexample !== null) await report(counterexample[0], seed + batch);
}
oracle.stop();
console.log(
  `${tally.asked} random CEL requests from seed ${seed}, ${differences.length} different, ${tally.lost} without an answer of upstream's, ${seconds().toFixed(0)} s`,
);
process.exitCode = differences.length === 0 ? 0 : 1;

async function agreesLive(bytes: Uint8Array): Promise<boolean> {
  tally.asked++;
  const request = randomRequest(new Entropy(bytes));
  const got = parseJson(stringifyJson(answerRequest(request)));
  const text = stringifyJson(request);
  for (let i = 0; i < REPEATS; i++) {
    const answer = await oracle.ask(text);
    if ('lost' in answer) {
      tally.lost++;
      console.log(`upstream ${answer.lost}: ${text}`);
      return true;
    }
    if (agrees(got, parseJson(answer.line), skip)) return true;
  }
  return false;
}

async function report(bytes: Uint8Array, batchSeed: number): Promise<void> {
  const request = stringifyJson(randomRequest(new Entropy(bytes)));
  const answer = await oracle.ask(request);
  const want = 'line' in answer ? answer.line : answer.lost;
  differences.push(request);
  console.log(`different (seed ${batchSeed}): ${request}\n  want ${want}\n  got  ${stringifyJson(answerRequest(randomRequest(new Entropy(bytes))))}`);
}
