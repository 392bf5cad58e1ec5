// Runs a TypeScript program of the checkout on a Node that can: the pinned one if it was installed, otherwise the user's own.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Megabytes of each half of the young generation, from the start on: V8's own choice starts small, which costs a start six collections, and ends large,
 * which doubles an API server's memory under load and gains nothing.
 */
const SEMI_SPACE_MB = 8;

/** The first Node that runs dray's sources as they are. */
const NODE_MAJOR_MIN = 24;

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const NODE_FLAGS = [
  `--min-semi-space-size=${SEMI_SPACE_MB}`,
  `--max-semi-space-size=${SEMI_SPACE_MB}`,
  `--import=${new URL('resolve.js', import.meta.url).href}`,
];

/** The Node to run with; prints one sentence and exits with 1 when there is none. */
export function suitableNode() {
  const pinned = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(pinned)) return pinned;
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) return process.execPath;
  console.error(`dray needs Node ${NODE_MAJOR_MIN} or newer; this is ${process.version}. "npm install" brings a suitable one on Linux x64 and arm64.`);
  process.exit(1);
}

/** Runs `program` (relative to the checkout) with `arguments_`; passes signals on and exits as it does. */
export function launch(program, arguments_) {
  const child = spawn(suitableNode(), [...NODE_FLAGS, join(root, program), ...arguments_], {
    stdio: 'inherit',
    env: { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'node'), ...process.env },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`dray: cannot start Node: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(signal === null ? code : 1));
}
