/** `npm run -s oracle -- allocator|cel`: answers an oracle's requests, one JSON line each, as the Go programs around upstream's libraries do. */
import { createInterface } from 'node:readline';
import { parseJson, stringifyJson } from '#machinery';
import { answerCase, type OracleCase } from './allocator-oracle.ts';
import { answerRequest } from './cel-oracle.ts';

/** An oracle's answer to a request, both as JSON values; integers beyond 2^53 are bigints. */
type Oracle = (request: never) => unknown;

const ORACLES: ReadonlyMap<string, Oracle> = new Map<string, Oracle>([
  ['allocator', (request: OracleCase) => answerCase(request)],
  ['cel', answerRequest],
]);

const [name = '', ...rest] = process.argv.slice(2);
const oracle = rest.length === 0 ? ORACLES.get(name) : undefined;
if (oracle === undefined) {
  console.error(`usage: npm run -s oracle -- ${[...ORACLES.keys()].join('|')} < requests.jsonl > answers.jsonl`);
  process.exit(1);
}
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() !== '') process.stdout.write(`${reply(oracle, line)}\n`);
}

/** A line that is no request is answered, not fatal: only broken input or output ends the program. */
function reply(answer: Oracle, line: string): string {
  try {
    return stringifyJson(answer(parseJson(line) as never));
  } catch (thrown) {
    return stringifyJson({ badRequest: thrown instanceof Error ? thrown.message : String(thrown) });
  }
}
