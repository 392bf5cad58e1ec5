/** The example driver as a process of its own: beside a cluster, kept running, or alone in the foreground. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { copyFile, mkdir, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asError, sleep } from '#base';
import { Backoff, type BackoffLimits } from '#client';
import { systemClock, systemRandom } from '#platform';
import { EXIT_FAILURE } from './failure.ts';

/** Pauses before a driver that ended by itself is started again; one that ran for ten minutes starts afresh, as containers do. */
const DRIVER_RESTART: BackoffLimits = { firstMs: 1_000, maxMs: 60_000, resetMs: 600_000 };
/** Time a driver has to end before it is killed. */
const DRIVER_GRACE_MS = 10_000;
const DRIVER_PROGRAM = fileURLToPath(new URL('../../drivers/example-gpu/main.ts', import.meta.url));
/** How this process was launched (bin/launch.js), without a debugger or profiler that is meant for it alone. */
const LAUNCH_FLAGS = process.execArgv.filter((flag) => /^--(import|max-semi-space-size)=/.test(flag));
const END_WITH_PARENT = new URL('../platform/end-with-parent.ts', import.meta.url).href;

/** A driver process to keep running. */
export interface DriverSpec {
  readonly nodeName: string;
  readonly rootDir: string;
  readonly kubeconfig: string;
  /** A device file, or the name of a preset. */
  readonly devices: string;
  /** All nodes whose drivers get this device file; each takes its own pools. Absent: this node takes all. */
  readonly nodes?: readonly string[] | undefined;
  readonly driverName?: string | undefined;
  /** Where CDI files go; default `<rootDir>/cdi`. */
  readonly cdiDir?: string | undefined;
}

/** The file below a node's root directory that takes what its driver says; what came before is in `driver.log.1`. */
export const DRIVER_LOG = 'driver.log';
/** Kubelet: containerLogMaxSize. */
const DRIVER_LOG_BYTES_MAX = 10 * 1024 * 1024;
/** Pause between two looks at the size of the log. */
const DRIVER_LOG_LOOK_MS = 5_000;
/** The driver's exit code when starting it again would not help. */
const DRIVER_EXIT_USAGE = 2;

/** How a driver that is kept running ended by itself: how, in words, and the pause before it is started again. */
export type DriverEnded = (how: string, pauseMs: number) => void;

/**
 * Runs the example driver, again whenever it ends by itself, after growing pauses, until `signal` aborts; rejects with its last words when it cannot
 * use what it was given.
 */
export async function keepDriverRunning(spec: DriverSpec, tell: DriverEnded, signal: AbortSignal): Promise<void> {
  await mkdir(spec.rootDir, { recursive: true });
  const log = join(spec.rootDir, DRIVER_LOG);
  const bounding = keepLogBounded(log, DRIVER_LOG_BYTES_MAX, signal);
  const backoff = new Backoff(DRIVER_RESTART, systemClock, systemRandom);
  while (!signal.aborted) {
    const how = await runOnce(spec, signal);
    if (!(how instanceof Error) && how.exitCode === DRIVER_EXIT_USAGE) throw new Error((await readFile(log, 'utf8')).trimEnd().split('\n').at(-1));
    if (signal.aborted) break;
    const pauseMs = backoff.nextMs();
    tell(inWords(how), pauseMs);
    await sleep(systemClock, pauseMs, signal).catch(() => undefined);
  }
  await bounding;
}

/** How a process ended: by itself with a code, or by a signal. */
type Exit = Pick<ChildProcess, 'exitCode' | 'signalCode'>;

function inWords(how: Exit | Error): string {
  if (how instanceof Error) return `cannot be started: ${how.message}`;
  return how.signalCode === null ? `ended with ${String(how.exitCode)}` : `was ended by ${how.signalCode}`;
}

/** How it ended, or why it could not be started: want of processes or of open files passes. */
function runOnce(spec: DriverSpec, signal: AbortSignal): Promise<Exit | Error> {
  try {
    return ended(startDriver(spec), signal).catch(asError);
  } catch (error) {
    return Promise.resolve(asError(error));
  }
}

/** Moves what a log holds beside it whenever it is longer than `bytesMax`, until `signal` aborts; whoever writes keeps the file open. */
export async function keepLogBounded(log: string, bytesMax: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // A log that cannot be moved stays as it is: the driver matters more.
    await moveWhenLong(log, bytesMax).catch(() => undefined);
    await sleep(systemClock, DRIVER_LOG_LOOK_MS, signal).catch(() => undefined);
  }
}

async function moveWhenLong(log: string, bytesMax: number): Promise<void> {
  if ((await stat(log)).size <= bytesMax) return;
  await copyFile(log, `${log}.1`);
  await truncate(log);
}

/** Runs the example driver in the foreground until it ends or `signal` aborts; resolves with its exit code. It says itself what is wrong. */
export async function runDriver(spec: DriverSpec, signal: AbortSignal): Promise<number> {
  const { exitCode } = await ended(spawn(process.execPath, argumentsOf(spec), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }), signal);
  return exitCode ?? EXIT_FAILURE;
}

async function ended(child: ChildProcess, signal: AbortSignal): Promise<Exit> {
  let cancelKill = (): void => undefined;
  const stop = (): void => {
    child.kill('SIGTERM');
    cancelKill = systemClock.setTimer(DRIVER_GRACE_MS, () => child.kill('SIGKILL'));
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    await once(child, 'exit');
  } finally {
    cancelKill();
    signal.removeEventListener('abort', stop);
  }
  return child;
}

function startDriver(spec: DriverSpec): ChildProcess {
  const log = openSync(join(spec.rootDir, DRIVER_LOG), 'a', 0o640);
  try {
    return spawn(process.execPath, argumentsOf(spec), { stdio: ['ignore', log, log, 'ipc'] });
  } finally {
    closeSync(log);
  }
}

function argumentsOf({ nodeName, rootDir, kubeconfig, devices, nodes, driverName, cdiDir }: DriverSpec): readonly string[] {
  const flags = { kubeconfig, 'node-name': nodeName, 'root-dir': rootDir, devices, nodes: nodes?.join(','), 'driver-name': driverName, 'cdi-dir': cdiDir };
  const given = Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
  return [...LAUNCH_FLAGS, '--import', END_WITH_PARENT, DRIVER_PROGRAM, ...given];
}
