/** Speaks the CEL oracle's protocol on standard input and output, for replaying recordings by hand. */
import { createInterface } from 'node:readline';
import { answerOracle } from './cel-oracle.ts';

for await (const line of createInterface({ input: process.stdin })) process.stdout.write(`${answerOracle(line)}\n`);
