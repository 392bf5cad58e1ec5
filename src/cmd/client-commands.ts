/** `dray get|apply|delete|logs`: reads files and kubeconfig, lets `cli` do the work, prints. */
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { asError } from '#base';
import {
  Applier,
  attemptEach,
  deleteManifests,
  deleteSelected,
  get,
  getAndWatch,
  logs,
  type Manifest,
  parseManifests,
  type Terminal,
  throwTogether,
} from '#cli';
import { errorOfResponse, RestClient, type Transport } from '#client';
import { nameOf } from '#machinery';
import { connectKubeconfig } from '#platform';
import type { ClientFlags, DeleteFlags, GetFlags, LogsFlags, ManifestFlags } from './client-flags.ts';

const TERMINAL: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};
const MANIFEST_FILE = /\.(ya?ml|json)$/;

/** `get TYPE [NAME…]`. */
export async function getCommand(words: readonly string[], flags: GetFlags, stop: AbortSignal): Promise<void> {
  const { client, namespace } = await connect(flags, stop);
  const options = {
    words,
    namespace: flags.allNamespaces === true ? undefined : namespace,
    format: flags.output ?? 'table',
    labelSelector: flags.selector,
    fieldSelector: flags.fieldSelector,
    noHeaders: !flags.headers,
  };
  if (flags.watch === true) await getAndWatch(client, options, TERMINAL, stop);
  else await get(client, options, TERMINAL);
}

/** `apply -f FILE…`: goes on after an object that the server refuses. */
export async function applyCommand(flags: ManifestFlags, stop: AbortSignal): Promise<void> {
  const { client, namespace } = await connect(flags, stop);
  const applier = new Applier(client, { namespace, exclusive: flags.namespace !== undefined });
  const failures = await attemptEach(await readManifests(flags.filename ?? []), async (manifest) => {
    const { text, outcome } = await applier.apply(manifest).catch((error: unknown) => {
      throw new Error(`${manifest.kind} "${nameOf(manifest)}": ${asError(error).message}`, { cause: error });
    });
    TERMINAL.out(`${text} ${outcome}\n`);
  });
  throwTogether(failures);
}

/** `delete -f FILE…`, `delete TYPE NAME…`, `delete TYPE -l SELECTOR`. */
export async function deleteCommand(words: readonly string[], flags: DeleteFlags, stop: AbortSignal): Promise<void> {
  if (flags.filename !== undefined && words.length > 0) throw new Error('name objects or files, not both');
  if (flags.filename === undefined && words.length === 0) throw new Error('name what to delete: TYPE NAME…, TYPE/NAME… or -f FILE…');
  const { client, namespace } = await connect(flags, stop);
  const options = {
    namespace,
    exclusive: flags.namespace !== undefined,
    gracePeriodSeconds: flags.gracePeriod,
    wait: flags.wait,
    timeoutMs: flags.timeout === undefined ? undefined : flags.timeout * 1000,
    ignoreNotFound: flags.ignoreNotFound === true,
  };
  const run = { terminal: TERMINAL, signal: stop };
  if (flags.filename !== undefined) await deleteManifests(client, await readManifests(flags.filename), options, run);
  else await deleteSelected(client, { words, labelSelector: flags.selector, all: flags.all === true }, options, run);
}

/** `logs POD`. */
export async function logsCommand(pod: string, flags: LogsFlags, stop: AbortSignal): Promise<void> {
  const { client, namespace } = await connect(flags, stop);
  await logs(client, { ...flags, pod, namespace, tailLines: flags.tail }, (piece) => process.stdout.write(piece), stop);
}

/** `compact`: asks the API server to forget its history. */
export async function compactCommand(flags: ClientFlags, stop: AbortSignal): Promise<void> {
  // The other commands need nothing of the API server.
  const { COMPACT_PATH } = await import('#apiserver');
  const { client } = await connect(flags, stop);
  const response = await client.raw({ method: 'POST', path: COMPACT_PATH, headers: {} }, new AbortController().signal);
  if (response.status !== 200) throw await errorOfResponse(response);
  for await (const _piece of response.body);
}

async function connect(flags: ClientFlags, stop: AbortSignal): Promise<{ client: RestClient; namespace: string }> {
  const { transport, namespace = 'default' } = await connectKubeconfig(kubeconfigPath(flags), { context: flags.context });
  return { client: new RestClient(telling(endingWith(stop, transport)), { userAgent: 'dray-cli' }), namespace: flags.namespace ?? namespace };
}

/** --kubeconfig, the first file of $KUBECONFIG that exists, that of `dray up` here, the user's own. */
function kubeconfigPath({ kubeconfig }: ClientFlags): string {
  if (kubeconfig !== undefined) return kubeconfig;
  const named = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  const [first] = named;
  if (first !== undefined) return named.find(existsSync) ?? first;
  const here = join('.dray', 'kubeconfig');
  return existsSync(here) ? here : join(homedir(), '.kube', 'config');
}

/** Ctrl-C also ends the wait for a server that does not answer. */
function endingWith(stop: AbortSignal, transport: Transport): Transport {
  return async (request, signal) => {
    try {
      return await transport(request, AbortSignal.any([signal, stop]));
    } catch (error) {
      if (stop.aborted && !signal.aborted) throw new Error('interrupted before the server answered', { cause: error });
      throw error;
    }
  };
}

/** Prints the server's warnings, each once, as kubectl does. */
function telling(transport: Transport): Transport {
  const told = new Set<string>();
  return async (request, signal) => {
    const response = await transport(request, signal);
    // RFC 9110: 299 - "text", the quotes in it escaped.
    for (const [, escaped = ''] of (response.headers['warning'] ?? '').matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)) {
      const text = escaped.replaceAll(/\\(.)/g, '$1');
      if (!told.has(text)) TERMINAL.err(`Warning: ${text}\n`);
      told.add(text);
    }
    return response;
  };
}

async function readManifests(names: readonly string[]): Promise<readonly Manifest[]> {
  const files = (await Promise.all(names.map(filesOf))).flat();
  const manifests: Manifest[] = [];
  for (const file of files) manifests.push(...(await parseManifests(await readText(file), file === '-' ? 'standard input' : file)));
  if (manifests.length === 0) throw new Error(`${names.join(', ')}: no objects in there`);
  return manifests;
}

async function filesOf(name: string): Promise<string[]> {
  const isFolder = await stat(name).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (!isFolder) return [name];
  const files = (await readdir(name)).filter((file) => MANIFEST_FILE.test(file)).sort();
  if (files.length === 0) throw new Error(`the folder ${name} has no file that ends in .yaml, .yml or .json`);
  return files.map((file) => join(name, file));
}

async function readText(name: string): Promise<string> {
  try {
    return name === '-' ? Buffer.concat(await Array.fromAsync(process.stdin)).toString() : await readFile(name, 'utf8');
  } catch (error) {
    throw new Error(`cannot read ${name}: ${asError(error).message}`, { cause: error });
  }
}
