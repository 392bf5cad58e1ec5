/** Child processes through node:child_process, each leading a process group of its own. */
import { spawn } from 'node:child_process';
import { open, readdir, readFile, readlink } from 'node:fs/promises';
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
      const pid = child.pid ?? 0;
      return runningProcess(pid, await identityOf(pid), exited);
    } finally {
      await output.close();
    }
  }

  async end(pid: number, identity: string): Promise<boolean> {
    if (identity === '' || (await identityOf(pid)) !== identity) return false;
    killGroup(pid, 'SIGKILL');
    return true;
  }

  async endIn(directories: readonly string[]): Promise<void> {
    const wanted = new Set(directories);
    const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
    const places = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')));
    pids.forEach((pid, index) => {
      if (wanted.has(places[index] ?? '')) killGroup(Number(pid), 'SIGKILL');
    });
  }
}

function exitOf(code: number | null, signal: NodeJS.Signals | null): ProcessExit {
  if (signal === null) return { exitCode: code ?? 0 };
  const number = constants.signals[signal];
  return { exitCode: 128 + number, signal: number };
}

/** The boot and the moment in it that the process started (proc(5): field 22 of stat, behind the name in brackets). */
async function identityOf(pid: number): Promise<string> {
  try {
    const [stat, boot] = await Promise.all([readFile(`/proc/${String(pid)}/stat`, 'utf8'), readFile('/proc/sys/kernel/random/boot_id', 'utf8')]);
    return `${boot.trim()}/${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_TIME - 3] ?? ''}`;
  } catch {
    return '';
  }
}

const START_TIME = 22;

function killGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: the group has ended already.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function runningProcess(pid: number, identity: string, exited: Promise<ProcessExit>): RunningProcess {
  let ended = false;
  void exited.then(() => {
    ended = true;
  });
  return {
    pid,
    identity,
    exited,
    kill(signal) {
      // Its number may belong to somebody else by now.
      if (!ended) killGroup(pid, signal);
    },
  };
}
