/** The gates that are other people's programs: types, lint, format, dead code. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Gate } from './gate.ts';

const BIN = join(import.meta.dirname, '../../node_modules/.bin');
const SOURCES = ['src', 'test', 'tools', 'drivers', 'bench'];

/** tsc, the strictest settings of tsconfig.json. */
export const typesGate: Gate = { name: 'types', run: (root) => violationsOf('tsc', ['-p', '.', '--pretty', 'false'], root) };

/** oxlint with types. */
export const lintGate: Gate = { name: 'lint', run: (root) => violationsOf('oxlint', ['--type-aware', '--format', 'unix', ...present(root)], root) };

/** oxfmt; `npm run format` mends what it finds. */
export const formatGate: Gate = { name: 'format', run: (root) => violationsOf('oxfmt', ['--list-different', ...present(root)], root) };

/** knip: files, exports and dependencies that nobody uses. */
export const deadCodeGate: Gate = {
  name: 'dead code',
  run: (root) => violationsOf('knip', ['--no-progress', '--reporter', 'compact', '--no-config-hints'], root),
};

function present(root: string): string[] {
  return SOURCES.filter((folder) => existsSync(join(root, folder)));
}

function violationsOf(program: string, arguments_: readonly string[], root: string): Promise<readonly string[]> {
  return new Promise((resolve) => {
    execFile(join(BIN, program), arguments_, { cwd: root, maxBuffer: 64 << 20, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) return resolve([]);
      const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
      resolve(lines.length > 0 ? lines : [`${program} failed: ${error.message}`]);
    });
  });
}
