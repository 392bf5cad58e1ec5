/** npm run check: every gate over the checkout, or those named: node tools/check.ts [--root DIR] [GATE…]. Exit status 0 content, 2 violations. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { deadCodeGate, formatGate, lintGate, typesGate } from './gates/commands.ts';
import { layersGate } from './gates/layers.ts';
import { documentedGate, purityGate, sizeGate, styleGate } from './gates/source-rules.ts';
import { tidyGate } from './gates/tidy.ts';
import type { Gate } from './gates/gate.ts';

/** Slow gates first, so that the two lanes end together. */
const GATES: readonly Gate[] = [layersGate, typesGate, lintGate, deadCodeGate, formatGate, purityGate, documentedGate, sizeGate, styleGate, tidyGate];
/** More only makes them wait for each other's processor. */
const LANES = 2;
const SHOWN_MAX = 40;

const { values, positionals } = parseArgs({ options: { root: { type: 'string', default: join(import.meta.dirname, '..') } }, allowPositionals: true });
const unknown = positionals.filter((name) => !GATES.some((gate) => gate.name === name));
if (unknown.length > 0) {
  console.error(`check: no gate named ${unknown.join(', ')}; there are ${GATES.map((gate) => gate.name).join(', ')}`);
  process.exit(1);
}
const chosen = GATES.filter((gate) => positionals.length === 0 || positionals.includes(gate.name));
const waiting = [...chosen];
let violations = 0;
await Promise.all(Array.from({ length: LANES }, lane));
process.exitCode = violations > 0 ? 2 : 0;

async function lane(): Promise<void> {
  for (let gate = waiting.shift(); gate !== undefined; gate = waiting.shift()) {
    const startedMs = performance.now();
    const found = await gate.run(values.root);
    violations += found.length;
    console.log(`${found.length === 0 ? 'ok  ' : 'FAIL'} ${gate.name} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`);
    for (const line of found.slice(0, SHOWN_MAX)) console.log(`     ${line}`);
    if (found.length > SHOWN_MAX) console.log(`     … and ${found.length - SHOWN_MAX} more`);
  }
}
