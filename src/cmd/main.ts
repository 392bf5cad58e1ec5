/** The command `dray`. */
import { EXIT_FAILURE, printFailure } from './failure.ts';
import { type Actions, program } from './program.ts';

/** Each command's modules are loaded when it runs: the start of one does not pay for the others. */
const upModule = async () => import('./up.ts');
const singleModule = async () => import('./single.ts');
const clientModule = async () => import('./client-commands.ts');

function actions(stop: AbortSignal): Actions {
  return {
    up: async (flags) => {
      process.exitCode = await (await upModule()).up(flags, stop);
    },
    apiserver: async (flags) => (await singleModule()).apiserver(flags, stop),
    controller: async (name, flags) => (await singleModule()).controller(name, flags, stop),
    nodeagent: async (flags) => (await singleModule()).nodeagent(flags, stop),
    driver: async (devices, flags) => (await singleModule()).driver(devices, flags, stop),
    get: async (words, flags) => (await clientModule()).getCommand(words, flags, stop),
    apply: async (flags) => (await clientModule()).applyCommand(flags, stop),
    delete: async (words, flags) => (await clientModule()).deleteCommand(words, flags, stop),
    compact: async (flags) => (await clientModule()).compactCommand(flags, stop),
    logs: async (pod, flags) => (await clientModule()).logsCommand(pod, flags, stop),
  };
}

async function main(): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  // Whoever reads the output may have seen enough, as `head` does.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : EXIT_FAILURE));
  try {
    await program(actions(stop.signal)).parseAsync();
  } catch (error) {
    printFailure(error);
    process.exitCode = EXIT_FAILURE;
  }
}

await main();
