/** Lines come out whole, in order, from the chosen level up. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { LogLevel } from './logger.ts';

const MODULE = new URL('logger.ts', import.meta.url).href;

/** What a process that logs one line of each level, the last before it breaks off, writes to standard error. */
function logged(level: LogLevel): readonly Record<string, unknown>[] {
  const program = `
    const { createLogger } = await import('${MODULE}');
    const logger = createLogger('apiserver', '${level}');
    for (const of of ['debug', 'info', 'warn', 'error']) logger[of](of, { thrown: new Error('why'), n: 1 });
    process.kill(process.pid, 'SIGKILL');`;
  const { stderr, stdout } = spawnSync(process.execPath, [...process.execArgv, '--input-type=module', '--eval', program], { encoding: 'utf8' });
  assert.equal(stdout, '');
  return stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('lines are written from the chosen level up, also by a process that is killed after the last', () => {
  const messages = (level: LogLevel): readonly unknown[] => logged(level).map(({ msg }) => msg);
  assert.deepEqual(messages('debug'), ['debug', 'info', 'warn', 'error']);
  assert.deepEqual(messages('warn'), ['warn', 'error']);
  assert.deepEqual(messages('silent'), []);
});

test('a line says which component wrote it and when, and errors as their message', () => {
  const [line = {}] = logged('error');
  const { time, ...rest } = line;
  assert.deepEqual(rest, { level: 50, component: 'apiserver', thrown: 'why', n: 1, msg: 'error' });
  assert.equal(new Date(String(time)).toISOString(), time);
});
