/** The commands of `dray` and their flags. What they do is given by the caller, so that documents and tests can look at the flags alone. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { asError } from '#base';
import type { ClientFlags, DeleteFlags, GetFlags, LogsFlags, ManifestFlags } from './client-flags.ts';
import * as flags from './flags.ts';
import { tokensFromFile } from './token-file.ts';
import { VERSION_TEXT } from './version.ts';

/** What each command does. */
export interface Actions {
  up(flags: flags.UpFlags): Promise<void>;
  apiserver(flags: flags.ApiServerFlags): Promise<void>;
  /** A component that is a client of the API server and nothing else. */
  controller(name: 'scheduler' | 'controller-manager', flags: flags.ControllerFlags): Promise<void>;
  nodeagent(flags: flags.NodeFlags): Promise<void>;
  driver(devices: string, flags: flags.DriverFlags): Promise<void>;
  get(words: readonly string[], flags: GetFlags): Promise<void>;
  apply(flags: ManifestFlags): Promise<void>;
  delete(words: readonly string[], flags: DeleteFlags): Promise<void>;
  logs(pod: string, flags: LogsFlags): Promise<void>;
  compact(flags: ClientFlags): Promise<void>;
}

/** The command tree. Errors of usage end the process with 1 after one line on standard error. */
export function program(actions: Actions): Command {
  const dray = new Command('dray')
    .description('Kubernetes Dynamic Resource Allocation on one machine')
    .version(VERSION_TEXT, '--version', 'print the version, and that of the Kubernetes emulated by default')
    .showHelpAfterError(false)
    .configureOutput({ outputError: (text, write) => write(`dray: ${sentence(text)}\n`) });
  addUp(dray, actions);
  addComponents(dray, actions);
  addClientCommands(dray, actions);
  dray
    .command('version')
    .description('print the version, and that of the Kubernetes emulated by default')
    .action(() => void process.stdout.write(`${VERSION_TEXT}\n`));
  return dray;
}

/** One line of commander's `error: …` and its `(Did you mean …?)`. */
function sentence(text: string): string {
  return text
    .trim()
    .replace(/^error: /, '')
    .replace(/^option '(?:-\w, )?(--[\w-]+)[^']*' argument '(.*)' is invalid\. /s, '$1 $2: ')
    .replaceAll(/\s*\n\s*/g, ' ');
}

function addUp(dray: Command, actions: Actions): void {
  const up = dray.command('up').description('bring up a whole cluster with the example driver and the examples');
  for (const option of [...servingOptions(true), ...versionOptions(), ...deviceOptions()]) up.addOption(option);
  up.option('--kubeconfig <file>', 'kubeconfig to write (default: <data-dir>/kubeconfig), or to use where the component apiserver is left out')
    .option('--components <names>', `what runs: ${flags.COMPONENTS.join(',')} (default: all)`, value(flags.parseComponents))
    .option('--nodes <count>', 'simulated nodes', value(flags.parseNodes), flags.DEFAULT_NODES)
    .option('--root-dir <dir>', 'root directory of the node agents (default: <data-dir>/nodes)', value(resolve))
    .option('--scheduler-config <file>', 'KubeSchedulerConfiguration to schedule by')
    .option('--once', 'end when the examples are done: with 0 when all are as they declare, with 2 when not')
    .option('--no-examples', 'do not apply the examples')
    .option('--timeout <seconds>', 'time that the examples may take', value(flags.parseSeconds), flags.DEFAULT_EXAMPLES_SECONDS)
    .addOption(verbose())
    .action((given: flags.UpFlags) => actions.up(given));
}

function addComponents(dray: Command, actions: Actions): void {
  const apiserver = dray.command('apiserver').description('run the API server alone');
  for (const option of [...servingOptions(false), ...versionOptions()]) apiserver.addOption(option);
  apiserver
    .option('--kubeconfig <file>', 'administrator kubeconfig to write (default: <data-dir>/kubeconfig)')
    .addOption(verbose())
    .action((given: flags.ApiServerFlags) => actions.apiserver(given));
  for (const name of ['scheduler', 'controller-manager'] as const) {
    const command = component(dray.command(name).description(`run the ${name} alone, against any API server`));
    for (const option of [...endpointOptions(`./.dray/${name}`), ...leaderElectionOptions()]) command.addOption(option);
    if (name === 'scheduler') command.option('--config <file>', 'KubeSchedulerConfiguration to schedule by');
    else command.option('--root-ca-file <file>', "certificates by which pods know the API server (default: the kubeconfig's)");
    command.action((given: flags.ControllerFlags) => actions.controller(name, given));
  }
  const nodeagent = component(dray.command('nodeagent').description('run the agent of one node alone, against any API server'))
    .addOption(nodeName())
    .option('--root-dir <dir>', 'where drivers register and claims are checkpointed', value(resolve), './.dray/node')
    .option('--cdi-spec-dirs <dirs>', 'where CDI files are looked for, later ones win (default: <root-dir>/cdi)', value(flags.parseDirectories));
  for (const option of endpointOptions('<root-dir>/pki')) nodeagent.addOption(option);
  nodeagent.action((given: flags.NodeFlags) => actions.nodeagent(given));
  dray
    .command('driver')
    .description('the example driver')
    .command('run <devices>')
    .description('run the example driver with the devices of a file or a preset')
    .addOption(requiredKubeconfig())
    .addOption(nodeName())
    .requiredOption('--root-dir <dir>', 'root directory of the node agent', value(resolve))
    .option('--driver-name <name>', 'name of the driver (default: gpu.example.com)')
    .option('--cdi-dir <dir>', 'where CDI files are written (default: <root-dir>/cdi)', value(resolve))
    .action((devices: string, given: flags.DriverFlags) => actions.driver(devices, given));
}

function component(command: Command): Command {
  command.addOption(requiredKubeconfig());
  for (const option of versionOptions()) command.addOption(option);
  return command.addOption(verbose());
}

function addClientCommands(dray: Command, actions: Actions): void {
  client(dray.command('get <type> [names...]').description('print objects: TYPE, TYPE NAME…, TYPE,TYPE or TYPE/NAME…'))
    .option('-A, --all-namespaces', 'objects of all namespaces')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['wide', 'yaml', 'json', 'name']))
    .option('-l, --selector <labels>', 'label selector: a=b,c!=d,e in (f,g)')
    .option('--field-selector <fields>', 'field selector: metadata.name=a')
    .option('-w, --watch', 'go on printing what changes until Ctrl-C')
    .option('--no-headers', 'without the line of column names')
    .action((type: string, names: readonly string[], given: GetFlags) => actions.get([type, ...names], given));
  client(dray.command('apply').description('create the objects of manifests, or change them to what these say'))
    .addOption(filename().makeOptionMandatory())
    .action((given: ManifestFlags) => actions.apply(given));
  client(dray.command('delete [type] [names...]').description('delete objects by manifest, name or selector, and wait until they are gone'))
    .addOption(filename())
    .option('-l, --selector <labels>', 'delete those that a label selector chooses')
    .option('--all', 'delete all objects of the type in the namespace')
    .option('--grace-period <seconds>', 'time that pods get to end by themselves', value(flags.parseSecondsOrNone))
    .option('--ignore-not-found', 'an object that is not there is no failure')
    .option('--no-wait', 'do not wait until the objects are gone')
    .option('--timeout <seconds>', 'wait no longer than this', value(flags.parseSeconds))
    .action((type: string | undefined, names: readonly string[], given: DeleteFlags) => actions.delete(type === undefined ? [] : [type, ...names], given));
  client(dray.command('logs <pod>').description('print what a container wrote'))
    .option('-c, --container <name>', 'which container (default: the only one)')
    .option('-f, --follow', 'go on printing until the container ends')
    .option('--tail <lines>', 'only the last lines', value(flags.parseCount))
    .action((pod: string, given: LogsFlags) => actions.logs(pod, given));
  client(dray.command('compact').description("forget the history of dray's API server: only what is there now can be read and watched from then on")).action(
    (given: ClientFlags) => actions.compact(given),
  );
}

function client(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'default: $KUBECONFIG, ./.dray/kubeconfig, ~/.kube/config')
    .option('--context <name>', 'context of the kubeconfig (default: its current one)')
    .option('-n, --namespace <name>', "namespace (default: the context's, or default)");
}

/** Flags of what serves the API. */
function servingOptions(allowsPrivileged: boolean): readonly Option[] {
  return [
    new Option('--data-dir <dir>', 'where everything is kept').default('./.dray'),
    new Option('--bind-address <address>', 'IP address that the API server listens on').argParser(value(flags.parseAddress)).default('127.0.0.1'),
    new Option('--secure-port <port>', 'port that the API server listens on (default: 6443 or the next free one)').argParser(value(flags.parsePort)),
    new Option('--store <engine>', 'where objects are kept').choices(['sqlite', 'memory']).default('sqlite'),
    new Option('--runtime-config <config>', 'API versions to serve or not: group/version=true,group/version/resource=false,api/beta=true'),
    new Option('--token-auth-file <file>', 'bearer tokens, one a line: token,user,uid,"group,group"').argParser(value(tokensFromFile)),
    new Option('--authorization-mode <modes>', 'who is asked whether a request is allowed: AlwaysAllow, AlwaysDeny, Node, RBAC (default: Node,RBAC)'),
    new Option('--enable-admission-plugins <names>', 'admission plugins to run even if they are disabled'),
    new Option('--disable-admission-plugins <names>', 'admission plugins not to run'),
    new Option('--max-requests-inflight <count>', 'reading requests answered at a time, 0 for no limit (default: 400)').argParser(value(flags.parseCount)),
    new Option('--max-mutating-requests-inflight <count>', 'other requests answered at a time, 0 for no limit (default: 200)').argParser(
      value(flags.parseCount),
    ),
    new Option('--service-account-issuer <url>', `who issues the tokens of service accounts (default: ${flags.DEFAULT_SERVICE_ACCOUNT_ISSUER})`),
    new Option('--service-account-jwks-uri <url>', "where others find the keys of these tokens (default: this server's /openid/v1/jwks)").argParser(
      value(flags.parseJwksUri),
    ),
    new Option('--allow-privileged [boolean]', `pods may have privileged containers (default: ${String(allowsPrivileged)})`)
      .argParser(value(flags.parseBoolean))
      .preset('true'),
    new Option('--anonymous-auth [boolean]', 'serve requests without credentials as system:anonymous (default: false)')
      .argParser(value(flags.parseBoolean))
      .preset('true'),
  ];
}

/** Flags of a component's own endpoint. */
function endpointOptions(certDir: string): readonly Option[] {
  return [
    new Option('--bind-address <address>', 'IP address of its own /healthz and /metrics').argParser(value(flags.parseAddress)).default('127.0.0.1'),
    new Option('--secure-port <port>', "port of these, 0 for none (default: upstream's or the next free one)").argParser(value(flags.parsePort)),
    new Option('--cert-dir <dir>', `where the certificate of these is kept (default: ${certDir})`).argParser(value(resolve)),
  ];
}

function leaderElectionOptions(): readonly Option[] {
  const duration = (flag: string, description: string): Option => new Option(`--leader-elect-${flag} <duration>`, description);
  return [
    new Option('--leader-elect [boolean]', 'work only while leading').argParser(value(flags.parseBoolean)).preset('true').default(true),
    duration('lease-duration', 'how long others wait for a leader that is gone (default: 15s)'),
    duration('renew-deadline', 'how long a leader tries to stay one (default: 10s)'),
    duration('retry-period', 'pause between tries (default: 2s)'),
    new Option('--leader-elect-resource-name <name>', 'name of the Lease'),
    new Option('--leader-elect-resource-namespace <namespace>', 'namespace of the Lease (default: kube-system)'),
  ];
}

function versionOptions(): readonly Option[] {
  return [
    new Option('--feature-gates <gates>', 'feature gates to turn on or off: A=true,B=false').argParser(value(flags.parseBooleans)),
    new Option('--emulated-version <version>', `Kubernetes minor version to behave as (default: ${flags.DEFAULT_EMULATED_VERSION})`).argParser(
      value(flags.parseEmulatedVersion),
    ),
  ];
}

function deviceOptions(): readonly Option[] {
  return [new Option('--devices <file>', `device file, or a preset: ${flags.presetsText()}`).default('showcase')];
}

function verbose(): Option {
  return new Option('-v, --verbose', 'log on standard error what the components do');
}

function requiredKubeconfig(): Option {
  return new Option('--kubeconfig <file>', 'the API server and how to prove who one is').makeOptionMandatory();
}

function nodeName(): Option {
  return new Option('--node-name <name>', "name of the node (default: the machine's)").default(hostname().toLowerCase(), 'host name');
}

function filename(): Option {
  return new Option('-f, --filename <files...>', 'files, folders, or - for standard input');
}

/** Commander prints what `parse` throws as a sentence about the flag. */
function value<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(asError(error).message);
    }
  };
}
