/** The data directory: made, checked and held by one process at a time through a lock file with its pid. */
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { asError } from '#base';
import { LockHeldError, takeLock } from './file-lock.ts';

const LOCK_FILE = 'dray.lock';

/** A held data directory. */
export interface DataDir {
  /** Absolute path. */
  readonly path: string;
  /** Lets the next process in. */
  release(): Promise<void>;
}

/** Makes `path` if need be and locks it; throws one sentence that names the directory, the holder and the flag that chooses another. */
export async function openDataDir(path: string, flag = '--data-dir'): Promise<DataDir> {
  const directory = resolve(path);
  try {
    await makeDirectory(directory);
    return { path: directory, release: await takeLock(join(directory, LOCK_FILE)) };
  } catch (error) {
    throw new Error(refusal(directory, flag, asError(error)), { cause: error });
  }
}

function refusal(directory: string, flag: string, error: Error): string {
  if (!(error instanceof LockHeldError)) return `cannot write to the data directory ${directory}: ${error.message}`;
  if (error.pid === undefined) return `the data directory ${directory} is being opened by other processes; try again`;
  return `the data directory ${directory} is in use by process ${String(error.pid)}; stop it or choose another with ${flag}`;
}

/** mkdir's own `recursive` never returns where a file system answers ENOENT for good, as /proc does. */
async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    if (codeOf(error) !== 'ENOENT' || dirname(directory) === directory) throw error;
    await makeDirectory(dirname(directory));
    await mkdir(directory, { mode: 0o700 });
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
