/** What flags of V8 do to code that was compiled ahead: whoever adds one to the launcher pays for it with every start. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const MODULE = new URL('heap.ts', import.meta.url).href;
const LAUNCHER = new URL('../../bin/launch.js', import.meta.url);

/** By this tag V8 tells whether code was compiled as it would compile it itself. */
function tagAfter(statement: string, flags: readonly string[]): string {
  const program = `${statement}; console.log((await import('node:v8')).cachedDataVersionTag())`;
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '--input-type=module', '--eval', program], { encoding: 'utf8' });
  assert.match(stdout, /^\d+$/m, stderr);
  return stdout;
}

test('Node’s own code can be used as it comes under the flags of the launcher', () => {
  const named = new Set([...readFileSync(LAUNCHER, 'utf8').matchAll(/`(--[\w-]+)=/g)].map(([, flag]) => flag));
  const flags = process.execArgv.filter((flag) => named.has(flag.split('=')[0]));
  assert.equal(flags.length, named.size, 'tests run under the flags of the launcher');
  assert.equal(tagAfter('', flags), tagAfter('', []));
});

test('it cannot once the heap grows sparingly', () => {
  assert.notEqual(tagAfter(`(await import('${MODULE}')).growHeapSparingly()`, []), tagAfter('', []));
});
