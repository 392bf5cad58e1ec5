/** The allocator behind the oracle's protocol as a program: one case per line in, one answer per line out. */
import { createInterface } from 'node:readline';
import { parseJson, stringifyJson } from '#machinery';
import { answerCase, type OracleCase } from './allocator-oracle.ts';

for await (const line of createInterface({ input: process.stdin })) {
  // The protocol's input is trusted: a line is a case.
  if (line !== '') process.stdout.write(`${stringifyJson(answerCase(parseJson(line) as unknown as OracleCase))}\n`);
}
