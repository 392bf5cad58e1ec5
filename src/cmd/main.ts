/** The command `dray`. */
import { Command, InvalidArgumentError } from 'commander';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { ClientFlags } from './client-commands.ts';
import { EXIT_FAILURE, printFailure } from './failure.ts';
import { COMPONENTS, DEFAULT_EMULATED_VERSION, parseComponents, parseCount, parsePort } from './flags.ts';
import type { SingleFlags } from './single.ts';
import type { UpFlags } from './up.ts';

/** Each command's modules are loaded when it runs: the start of one does not pay for the others. */
const upModule = async () => import('./up.ts');
const singleModule = async () => import('./single.ts');
const clientModule = async () => import('./client-commands.ts');

/** Commander prints what `parse` throws as a sentence about the flag. */
function flag<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
  };
}

function store(text: string): 'sqlite' | 'memory' {
  if (text !== 'sqlite' && text !== 'memory') throw new Error('sqlite or memory');
  return text;
}

function withClusterFlags(command: Command): Command {
  return command
    .option('--data-dir <dir>', 'where everything is kept', './.dray')
    .option('--bind-address <address>', 'address the API server listens on', '127.0.0.1')
    .option('--secure-port <port>', 'port the API server listens on (default: 6443, or the next free one)', flag(parsePort))
    .option('--kubeconfig <file>', 'kubeconfig to write (with an API server) or to use (without)')
    .option('--feature-gates <gates>', 'A=true,B=false')
    .option('--runtime-config <config>', 'group/version=true,…')
    .option('--emulated-version <version>', `Kubernetes minor version to behave as (default: ${DEFAULT_EMULATED_VERSION})`)
    .option('--store <engine>', 'sqlite or memory', flag(store), 'sqlite' as const)
    .option('--token-auth-file <file>', 'bearer tokens: token,user,uid,"groups"')
    .option('-v, --verbose', 'log what the components do');
}

function withNodeFlags(command: Command): Command {
  return command
    .option('--devices <file>', 'device file, or a preset: gpu (eight GPUs a node), showcase (also shared and partitionable ones)', 'showcase')
    .option('--root-dir <dir>', 'root directory of the node agents (default: <data-dir>/nodes)');
}

function withClientFlags(command: Command): Command {
  return command.option('--kubeconfig <file>').option('-n, --namespace <namespace>', 'namespace', 'default');
}

function program(stop: AbortSignal): Command {
  const dray = new Command('dray')
    .description('Kubernetes Dynamic Resource Allocation on one machine')
    .configureOutput({ outputError: (text, write) => write(`dray: ${text.replace(/^error: /, '')}`) });
  withNodeFlags(withClusterFlags(dray.command('up')))
    .description('bring up a whole cluster with the example driver and the examples')
    .option('--components <names>', COMPONENTS.join(','), flag(parseComponents), new Set(COMPONENTS))
    .option('--nodes <count>', 'simulated nodes', flag(parseCount), 2)
    .option('--once', 'exit when the examples are done: 0 all as declared, 2 not')
    .option('--no-examples', 'do not apply the examples')
    .option('--timeout <seconds>', 'time for the examples', flag(parseCount), 60)
    .action(async (flags: UpFlags) => {
      process.exitCode = await (await upModule()).up(flags, stop);
    });
  for (const name of ['apiserver', 'scheduler', 'controller-manager', 'nodeagent'] as const) {
    withNodeFlags(withClusterFlags(dray.command(name)))
      .description(`run the ${name} alone`)
      .option('--node-name <name>', 'name of the node', hostname().toLowerCase())
      .action(async (flags: SingleFlags) => (await singleModule()).single(name, flags, stop));
  }
  dray
    .command('driver')
    .command('run <file>')
    .description('run the example driver with the devices of a file')
    .requiredOption('--kubeconfig <file>')
    .option('--node-name <name>', 'name of the node', hostname().toLowerCase())
    .requiredOption('--root-dir <dir>', 'root directory of the node agent', (text) => resolve(text))
    .action(async (file: string, flags: { kubeconfig: string; nodeName: string; rootDir: string }) => (await singleModule()).runDriver(file, flags, stop));
  addClientCommands(dray);
  return dray;
}

function addClientCommands(dray: Command): void {
  withClientFlags(dray.command('get <resource> [name]'))
    .option('-A, --all-namespaces')
    .option('-o, --output <format>', 'wide')
    .option('-l, --selector <labels>')
    .action(async (resource: string, name: string | undefined, flags: ClientFlags) => (await clientModule()).getCommand(resource, name, flags));
  withClientFlags(dray.command('apply'))
    .requiredOption('-f, --filename <files...>')
    .action(async (flags: ClientFlags) => (await clientModule()).applyCommand(flags));
  withClientFlags(dray.command('delete [resource] [name]'))
    .option('-f, --filename <files...>')
    .action(async (resource: string | undefined, name: string | undefined, flags: ClientFlags) => (await clientModule()).deleteCommand(resource, name, flags));
  withClientFlags(dray.command('logs <pod>'))
    .option('-c, --container <name>')
    .option('-f, --follow')
    .option('--tail <lines>')
    .action(async (pod: string, flags: ClientFlags) => (await clientModule()).logsCommand(pod, flags));
}

async function main(): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  try {
    await program(stop.signal).parseAsync();
  } catch (error) {
    printFailure(error);
    process.exitCode = EXIT_FAILURE;
  }
}

await main();
