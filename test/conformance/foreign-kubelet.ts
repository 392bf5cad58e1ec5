/** Runs the DRA half of upstream's kubelet: the program that DRAY_FOREIGN_KUBELET names, driven by commands on its standard input. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Pod } from '#api';
import { eventually } from '../e2e/dray.ts';

/** Path of the program's binary; undefined when there is none on this machine. */
export const FOREIGN_KUBELET = process.env['DRAY_FOREIGN_KUBELET'];

/** For node:test: why a test that needs the program cannot run. */
export const WITHOUT_FOREIGN_KUBELET = FOREIGN_KUBELET === undefined ? 'DRAY_FOREIGN_KUBELET names no kubelet' : false;

/** The answer to a command. */
export interface Answer {
  readonly ok: boolean;
  readonly result?: unknown;
  readonly error?: string;
}

/** A running kubelet. */
export interface ForeignKubelet {
  /** Sends a command and waits for its answer. */
  ask(op: string, more?: Readonly<Record<string, unknown>> & { readonly pod?: Pod }): Promise<Answer>;
  stop(): Promise<void>;
}

/** Starts it with flags of its own and waits until it is up. */
export async function startForeignKubelet(...flags: readonly string[]): Promise<ForeignKubelet> {
  const child = spawn(FOREIGN_KUBELET ?? '', flags, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const lines: { readonly event: string; readonly id?: string }[] = [];
  // The program writes one JSON object a line.
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as (typeof lines)[number]));
  await eventually(async () => lines.find(({ event }) => event === 'started'));
  let count = 0;
  return {
    async ask(op, more = {}) {
      const id = String(count++);
      child.stdin.write(`${JSON.stringify({ op, id, ...more })}\n`);
      return eventually(async () => lines.find((line) => line.event === 'result' && line.id === id) as (Answer & (typeof lines)[number]) | undefined);
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
