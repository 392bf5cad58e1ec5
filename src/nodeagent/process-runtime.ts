/** A runtime that really runs the command of one known image, as a child process of the node agent. */
import type { Clock } from '#base';
import { type HostFiles, isFileMissing, type Processes, type RunningProcess } from '#ports';
import type { ContainerHandle, ContainerRequest, ContainerRuntime } from './runtime.ts';

/** The only image: the host's own files, run as the user that runs dray. No isolation. */
const PROCESS_IMAGE = /^dray\.local\/sh(:[\w.-]+)?$/;

/** What an image without a command runs. */
const DEFAULT_ARGS: readonly string[] = ['/bin/sh'];

/** Runs `dray.local/sh`: command and args with exactly the environment of the OCI spec. */
export function processRuntime(options: { readonly processes: Processes; readonly files: HostFiles; readonly clock: Clock }): ContainerRuntime {
  return {
    name: 'process',
    accepts: (image) => PROCESS_IMAGE.test(image),
    async start(request) {
      const args = request.oci.process?.['args'];
      const argv = Array.isArray(args) && args.length > 0 ? args.map(String) : DEFAULT_ARGS;
      const child = await options.processes.start({
        argv,
        env: environment(request.oci.process?.env ?? []),
        cwd: request.bundleDir,
        outputFile: request.logFile,
      });
      await options.files.writeAtomic(`${request.bundleDir}/${PROCESS_FILE}`, JSON.stringify({ pid: child.pid, identity: child.identity }));
      return handleOf(request, child, options.clock);
    },
    // Children end with the node agent; after a crash with the start of the next one.
    adopt: async () => undefined,
    async endLeftovers(bundleDirs) {
      const unrecorded: string[] = [];
      for (const bundleDir of bundleDirs) {
        const left = await readProcess(options.files, `${bundleDir}/${PROCESS_FILE}`);
        if (left === undefined || !(await options.processes.end(left.pid, left.identity))) unrecorded.push(bundleDir);
      }
      // The node agent may have been killed before it could write down what it had started.
      if (unrecorded.length > 0) await options.processes.endIn(unrecorded);
    },
  };
}

/** Beside a bundle's config.json: which process runs it. */
const PROCESS_FILE = 'process.json';

async function readProcess(files: HostFiles, file: string): Promise<{ readonly pid: number; readonly identity: string } | undefined> {
  const text = await files.readText(file).catch((error: unknown) => {
    if (isFileMissing(error)) return 'null';
    throw error;
  });
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('pid' in value) || !('identity' in value)) return undefined;
  return typeof value.pid === 'number' && typeof value.identity === 'string' ? { pid: value.pid, identity: value.identity } : undefined;
}

function handleOf(request: ContainerRequest, child: RunningProcess, clock: Clock): ContainerHandle {
  return {
    id: `process://${request.podUid}-${request.containerName}-${child.pid}`,
    exited: child.exited,
    async stop(graceSeconds) {
      child.kill('SIGTERM');
      const cancel = clock.setTimer(graceSeconds * 1000, () => child.kill('SIGKILL'));
      await child.exited;
      cancel();
    },
  };
}

function environment(variables: readonly string[]): Record<string, string> {
  return Object.fromEntries(variables.map((variable) => [variable.slice(0, variable.indexOf('=')), variable.slice(variable.indexOf('=') + 1)]));
}
