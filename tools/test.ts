/** npm test: the check, then every test; names what was skipped and why, and closes with the counts. Arguments choose test files by substring. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const ROOT = join(import.meta.dirname, '..');
const PATTERNS = ['src/**/*.test.ts', 'test/**/*.test.ts', 'drivers/**/*.test.ts', 'tools/**/*.test.ts'];
/** A test file that hangs is a defect; the end-to-end files with their crash rounds take the longest. Whoever asks for more rounds gives them more time. */
const FILE_TIMEOUT_MS = Number(process.env['DRAY_TEST_MINUTES'] ?? 15) * 60_000;

const wanted = process.argv.slice(2);
const files = globSync(PATTERNS, { cwd: ROOT })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort((a, b) => (a < b ? -1 : 1));
if (files.length === 0) {
  console.error(`test: no test file matches ${wanted.join(', ')}`);
  process.exit(1);
}
const checked = wanted.length > 0 || spawnSync(process.execPath, [join(ROOT, 'tools/check.ts')], { cwd: ROOT, stdio: 'inherit' }).status === 0;
if (!checked) console.log('The check found violations (above); the tests run all the same.\n');

const counts = { passed: 0, failed: 0 };
const skipped: string[] = [];
const stream = run({
  cwd: ROOT,
  files: files.map((file) => join(ROOT, file)),
  concurrency: 2,
  timeout: FILE_TIMEOUT_MS,
});
stream.on('test:pass', ({ name, details, skip }) => {
  if (details.type === 'suite') return;
  if (skip === undefined) counts.passed++;
  else skipped.push(typeof skip === 'string' ? `${name}: ${skip}` : name);
});
stream.on('test:fail', ({ details }) => {
  if (details.type !== 'suite') counts.failed++;
});
stream.compose(spec).pipe(process.stdout);
stream.on('end', () => {
  process.exitCode = counts.failed > 0 || !checked ? 1 : 0;
});
process.on('exit', () => {
  for (const each of skipped) console.log(`skipped: ${each}`);
  console.log(`\ndray: ${counts.passed} passed, ${counts.failed} failed, ${skipped.length} skipped`);
});
