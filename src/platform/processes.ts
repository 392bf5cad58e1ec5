/** Child processes through node:child_process, each leading a process group of its own. */
import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { constants } from 'node:os';
import type { ProcessExit, Processes, ProcessSpec, RunningProcess } from '#ports';

/** Starts children of this process. They end with their own group: signals reach what they started, too. */
export class ChildProcesses implements Processes {
  async start(spec: ProcessSpec): Promise<RunningProcess> {
    const [program = '', ...args] = spec.argv;
    const output = await open(spec.outputFile, 'a', 0o640);
    try {
      const child = spawn(program, args, { env: { ...spec.env }, cwd: spec.cwd, detached: true, stdio: ['ignore', output.fd, output.fd] });
      const exited = new Promise<ProcessExit>((resolve) => {
        child.once('exit', (code, signal) => resolve(exitOf(code, signal)));
      });
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', reject);
      });
      child.on('error', () => undefined);
      return runningProcess(child.pid ?? 0, exited);
    } finally {
      await output.close();
    }
  }
}

function exitOf(code: number | null, signal: NodeJS.Signals | null): ProcessExit {
  if (signal === null) return { exitCode: code ?? 0 };
  const number = constants.signals[signal];
  return { exitCode: 128 + number, signal: number };
}

function runningProcess(pid: number, exited: Promise<ProcessExit>): RunningProcess {
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  return {
    pid,
    exited,
    kill(signal) {
      // Its number may belong to somebody else by now.
      if (ended) return;
      try {
        process.kill(-pid, signal);
      } catch (error) {
        // ESRCH: the group has ended already.
        if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
      }
    },
  };
}
