/** Child processes of the host. */

/** What to run; the environment is complete, nothing is inherited. */
export interface ProcessSpec {
  /** Program and arguments. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** File that standard output and standard error are appended to. */
  readonly outputFile: string;
}

/** How a process ended: `exitCode` is 128 + signal when a signal ended it. */
export interface ProcessExit {
  readonly exitCode: number;
  readonly signal?: number | undefined;
}

/** A started process and its group. */
export interface RunningProcess {
  readonly pid: number;
  /** Tells this process from a later one with its number; "" where the system does not say. */
  readonly identity: string;
  /** Resolves when it has ended; never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Sends a signal to the whole process group; an ended one is fine. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** Starts processes. */
export interface Processes {
  /** Rejects when the program cannot be started (ENOENT, EACCES). */
  start(spec: ProcessSpec): Promise<RunningProcess>;
  /** Kills the group of a process that an earlier run started, if it is still that process. True when it was. */
  end(pid: number, identity: string): Promise<boolean>;
  /** Kills the groups of processes that an earlier run started with one of these working directories; none where the system does not say. */
  endIn(directories: readonly string[]): Promise<void>;
}
