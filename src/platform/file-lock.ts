/** A lock file that one living process holds: it names its holder, so that a dead one's does not stand in the way. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A stale lock is taken over at most this often before giving up: more means that others race for it too. */
const TAKEOVERS_MAX = 5;

/** Another process holds the lock; `pid` is undefined while several race for it. */
export class LockHeldError extends Error {
  override readonly name = 'LockHeldError';
  readonly pid: number | undefined;

  constructor(lock: string, pid: number | undefined) {
    super(pid === undefined ? `others race for ${lock}` : `${lock} is held by process ${String(pid)}`);
    this.pid = pid;
  }
}

/** Takes the lock; the returned function lets it go. Rejects with LockHeldError when somebody has it. */
export async function takeLock(lock: string): Promise<() => Promise<void>> {
  // Two holders of one process differ in their words, too.
  const mine = `${JSON.stringify({ pid: process.pid, started: startTimeOf(process.pid), token: randomUUID() })}\n`;
  const offer = join(dirname(lock), `.${basename(lock)}.${randomUUID()}`);
  await writeFile(offer, mine, { mode: 0o600 });
  try {
    for (let takeovers = 0; takeovers <= TAKEOVERS_MAX; takeovers++) {
      if (await linked(offer, lock)) return () => release(lock, mine);
      await removeStale(lock);
    }
  } finally {
    await rm(offer, { force: true });
  }
  throw new LockHeldError(lock, undefined);
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

/** Moves a dead process's lock away; throws LockHeldError when its holder lives. */
async function removeStale(lock: string): Promise<void> {
  const text = await readFile(lock, 'utf8').catch(absent);
  if (text === undefined) return;
  const holder = parseHolder(text);
  if (holder !== undefined && isAlive(holder)) throw new LockHeldError(lock, holder.pid);
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
