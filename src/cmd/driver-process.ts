/** The example driver as a process of its own: beside a cluster, kept running, or alone in the foreground. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sleep } from '#base';
import { systemClock } from '#platform';
import { EXIT_FAILURE } from './failure.ts';

/** Pause before a driver that ended by itself is started again. */
const DRIVER_RESTART_MS = 1_000;
/** Time a driver has to end before it is killed. */
const DRIVER_GRACE_MS = 10_000;
const DRIVER_PROGRAM = fileURLToPath(new URL('../../drivers/example-gpu/main.ts', import.meta.url));
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

/** The file below a node's root directory that takes what its driver says. */
export const DRIVER_LOG = 'driver.log';
/** The driver's exit code when starting it again would not help. */
const DRIVER_EXIT_USAGE = 2;

/** Runs the example driver, again whenever it ends by itself, until `signal` aborts; rejects with its last words when it cannot use what it was given. */
export async function keepDriverRunning(spec: DriverSpec, signal: AbortSignal): Promise<void> {
  await mkdir(spec.rootDir, { recursive: true });
  while (!signal.aborted) {
    const code = await ended(startDriver(spec), signal);
    if (code === DRIVER_EXIT_USAGE) throw new Error((await readFile(join(spec.rootDir, DRIVER_LOG), 'utf8')).trimEnd().split('\n').at(-1));
    await sleep(systemClock, DRIVER_RESTART_MS, signal).catch(() => undefined);
  }
}

/** Runs the example driver in the foreground until it ends or `signal` aborts; resolves with its exit code. It says itself what is wrong. */
export function runDriver(spec: DriverSpec, signal: AbortSignal): Promise<number> {
  return ended(spawn(process.execPath, argumentsOf(spec), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }), signal);
}

async function ended(child: ChildProcess, signal: AbortSignal): Promise<number> {
  let cancelKill = (): void => undefined;
  const stop = (): void => {
    child.kill('SIGTERM');
    cancelKill = systemClock.setTimer(DRIVER_GRACE_MS, () => child.kill('SIGKILL'));
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  await once(child, 'exit');
  cancelKill();
  signal.removeEventListener('abort', stop);
  return child.exitCode ?? EXIT_FAILURE;
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
  return ['--import', END_WITH_PARENT, DRIVER_PROGRAM, ...given];
}
