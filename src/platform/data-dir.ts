/** The data directory: made, checked and held by one process at a time through a lock file with its pid. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { asError } from '#base';

const LOCK_FILE = 'dray.lock';
/** A stale lock is taken over at most this often before giving up: more means that others race for it too. */
const TAKEOVERS_MAX = 5;

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
  const lock = join(directory, LOCK_FILE);
  const mine = `${JSON.stringify({ pid: process.pid, started: startTimeOf(process.pid) })}\n`;
  const offer = join(directory, `.${LOCK_FILE}.${randomUUID()}`);
  try {
    await makeDirectory(directory);
    await writeFile(offer, mine, { mode: 0o600 });
  } catch (error) {
    throw new Error(`cannot write to the data directory ${directory}: ${asError(error).message}`, { cause: error });
  }
  try {
    for (let takeovers = 0; takeovers <= TAKEOVERS_MAX; takeovers++) {
      if (await linked(offer, lock)) return { path: directory, release: () => release(lock, mine) };
      await removeStale(lock, directory, flag);
    }
  } finally {
    await rm(offer, { force: true });
  }
  throw new Error(`the data directory ${directory} is being opened by other processes; try again`);
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

/** A link makes the lock appear with its content in one step, or fails because it exists. */
async function linked(offer: string, lock: string): Promise<boolean> {
  try {
    await link(offer, lock);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a dead process's lock away; throws when its holder lives. */
async function removeStale(lock: string, directory: string, flag: string): Promise<void> {
  const text = await readFile(lock, 'utf8').catch(absent);
  if (text === undefined) return;
  const holder = parseHolder(text);
  if (holder !== undefined && isAlive(holder)) {
    throw new Error(`the data directory ${directory} is in use by process ${String(holder.pid)}; stop it or choose another with ${flag}`);
  }
  const aside = `${lock}.${randomUUID()}`;
  const moved = await rename(lock, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  const seized = await readFile(aside, 'utf8').catch(absent);
  // Between reading and moving another process may have taken over: give its lock back.
  if (seized !== undefined && seized !== text) await link(aside, lock).catch(absent);
  await rm(aside, { force: true });
}

async function release(lock: string, mine: string): Promise<void> {
  const text = await readFile(lock, 'utf8').catch(absent);
  if (text === mine) await rm(lock, { force: true });
}

interface Holder {
  readonly pid: number;
  /** Start time in clock ticks since boot; tells a reused pid from the holder. Undefined where /proc is missing. */
  readonly started: string | undefined;
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('pid' in value) || typeof value.pid !== 'number') return undefined;
    return { pid: value.pid, started: 'started' in value && typeof value.started === 'string' ? value.started : undefined };
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return codeOf(error) === 'EPERM';
  }
  return holder.started === undefined || holder.started === startTimeOf(holder.pid);
}

/** Field 22 of /proc/PID/stat; the name in field 2 may hold spaces and brackets. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function absent(): undefined {
  return undefined;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
