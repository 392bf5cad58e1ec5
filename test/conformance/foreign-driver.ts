/** Runs a driver built on upstream's helper package: the program that DRAY_FOREIGN_DRIVER names. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { SeparateCluster } from '../e2e/separate.ts';
import { NODE } from '../e2e/separate.ts';
import { eventually } from '../e2e/dray.ts';

/** Path of the driver's binary; undefined when there is none on this machine. */
export const FOREIGN_DRIVER = process.env['DRAY_FOREIGN_DRIVER'];

/** For node:test: why a test that needs the driver cannot run. */
export const WITHOUT_FOREIGN_DRIVER = FOREIGN_DRIVER === undefined ? 'DRAY_FOREIGN_DRIVER names no driver' : false;

/** The driver's name. */
export const DRIVER = 'gpu.example.com';

/** One line of the driver's report. */
export interface DriverEvent {
  readonly event: string;
  readonly method?: string;
  readonly [field: string]: unknown;
}

/** A running foreign driver. */
export interface ForeignDriver {
  readonly child: ChildProcess;
  /** What it reported so far. */
  readonly events: readonly DriverEvent[];
  /** Waits for an event that `matches`. */
  seen(matches: (event: DriverEvent) => boolean): Promise<DriverEvent>;
  /** Sends one of its commands. */
  command(command: Readonly<Record<string, unknown>>): void;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts the driver on the cluster's node with more of its own flags. */
export function startForeignDriver(cluster: SeparateCluster, ...flags: readonly string[]): ForeignDriver {
  const { rootDir, kubeconfig } = cluster;
  const place = {
    kubeconfig,
    'node-name': NODE,
    'driver-name': DRIVER,
    'registry-dir': join(rootDir, 'plugins_registry'),
    'data-dir': join(rootDir, 'plugins', DRIVER),
    'cdi-dir': join(rootDir, 'cdi'),
  };
  const args = [...Object.entries(place).map(([name, value]) => `--${name}=${value}`), '--exit-on-eof', ...flags];
  const child = spawn(FOREIGN_DRIVER ?? '', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(child, 'exit');
  const events: DriverEvent[] = [];
  // The program writes one JSON object a line.
  createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line) as DriverEvent));
  return {
    child,
    events,
    seen: (matches) => eventually(async () => events.find(matches)),
    command: (command) => void child.stdin.write(`${JSON.stringify(command)}\n`),
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      await ended;
    },
  };
}
