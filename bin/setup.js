// Installs the dependencies of a checkout when they are missing or older than the lockfile, and has its modules compiled ahead.
// Plain JavaScript: it runs before anything is installed.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const lockfile = join(root, 'package-lock.json');
const stamp = join(root, 'node_modules', '.dray-installed');
/** Longer than any machine takes that dray is of use on. */
const COMPILING_MS = 30_000;
const wanted = createHash('sha256').update(readFileSync(lockfile)).digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  if (!process.argv.includes('--quiet')) console.log('dray: installing dependencies (once) …');
  const npm = process.env.npm_execpath;
  // Not `ci`: it refuses the lockfile where a registry lacks the optional packages of another platform. The lockfile's versions and checksums hold all the same.
  const arguments_ = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  const result =
    npm === undefined
      ? spawnSync('npm', arguments_, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
      : spawnSync(process.execPath, [npm, ...arguments_], { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.status !== 0) {
    console.error('dray: npm install failed; its output above says why');
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
  compileAhead();
}

/** Node keeps what a run compiled: after one empty cluster the first real start takes a second instead of several. Nobody depends on it. */
function compileAhead() {
  const folder = mkdtempSync(join(tmpdir(), 'dray-setup-'));
  const arguments_ = ['up', '--once', '--no-examples', '--nodes', '1', '--data-dir', folder];
  spawnSync(process.execPath, [join(root, 'bin', 'dray.js'), ...arguments_], { stdio: 'ignore', timeout: COMPILING_MS });
  rmSync(folder, { recursive: true, force: true });
}
