/** `dray get|apply|delete|logs`: reads files and kubeconfig, lets `cli` do the work, prints. */
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { asError } from '#base';
import { Applier, findResource, get, type Manifest, parseManifests, pathOf } from '#cli';
import { RestClient } from '#client';
import { errorFromStatus, type Status } from '#machinery';
import { transportFromKubeconfig } from '#platform';

/** Flags of all client commands. */
export interface ClientFlags {
  readonly kubeconfig?: string;
  readonly namespace: string;
  readonly allNamespaces?: boolean;
  readonly output?: string;
  readonly selector?: string;
  readonly filename?: readonly string[];
  readonly container?: string;
  readonly follow?: boolean;
  readonly tail?: string;
}

/** `get RESOURCE [NAME]`. */
export async function getCommand(resource: string, name: string | undefined, flags: ClientFlags): Promise<void> {
  const namespace = flags.allNamespaces === true ? undefined : flags.namespace;
  const text = await get(await connect(flags), { resource, name, namespace, wide: flags.output === 'wide', labelSelector: flags.selector });
  process.stdout.write(text === '' ? 'No resources found\n' : text);
}

/** `apply -f FILE…`. */
export async function applyCommand(flags: ClientFlags): Promise<void> {
  const applier = new Applier(await connect(flags), flags.namespace);
  for (const manifest of await readManifests(flags.filename)) {
    const applied = await applier.apply(manifest);
    process.stdout.write(`${await applier.describe(manifest)} ${applied}\n`);
  }
}

/** `delete -f FILE…` or `delete RESOURCE NAME`. */
export async function deleteCommand(resource: string | undefined, name: string | undefined, flags: ClientFlags): Promise<void> {
  const client = await connect(flags);
  if (resource !== undefined && name !== undefined) {
    const served = await findResource(client, resource);
    await client.delete(served, name, { namespace: served.namespaced ? flags.namespace : undefined });
    process.stdout.write(`${served.kind.toLowerCase()} "${name}" deleted\n`);
    return;
  }
  const applier = new Applier(client, flags.namespace);
  for (const manifest of [...(await readManifests(flags.filename))].reverse()) {
    const deleted = await applier.delete(manifest);
    process.stdout.write(`${await applier.describe(manifest)} ${deleted ? 'deleted' : 'not found'}\n`);
  }
}

/** `logs POD [-c CONTAINER] [-f]`. */
export async function logsCommand(pod: string, flags: ClientFlags): Promise<void> {
  const client = await connect(flags);
  const query = new URLSearchParams();
  if (flags.container !== undefined) query.set('container', flags.container);
  if (flags.follow === true) query.set('follow', 'true');
  if (flags.tail !== undefined) query.set('tailLines', flags.tail);
  const pods = await findResource(client, 'pods');
  const path = `${pathOf(pods, flags.namespace, pod)}/log?${query.toString()}`;
  const response = await client.raw({ method: 'GET', path, headers: { accept: '*/*' } }, new AbortController().signal);
  if (response.status !== 200) throw statusError(Buffer.concat(await Array.fromAsync(response.body)).toString());
  for await (const piece of response.body) process.stdout.write(piece);
}

function statusError(text: string): Error {
  try {
    // A refused request answers with a Status.
    return errorFromStatus(JSON.parse(text) as Status);
  } catch {
    return new Error(text);
  }
}

/** --kubeconfig, $KUBECONFIG, the data directory of `dray up` here, the user's own. */
async function connect({ kubeconfig }: ClientFlags): Promise<RestClient> {
  const here = join('.dray', 'kubeconfig');
  const path = kubeconfig ?? process.env['KUBECONFIG'] ?? (existsSync(here) ? here : join(homedir(), '.kube', 'config'));
  return new RestClient(await transportFromKubeconfig(path), { userAgent: 'dray-cli' });
}

async function readManifests(names: readonly string[] | undefined): Promise<readonly Manifest[]> {
  if (names === undefined || names.length === 0) throw new Error('name files or folders with -f');
  const files = (await Promise.all(names.map(filesOf))).flat();
  const texts = await Promise.all(files.map(readText));
  return texts.flatMap((text, index) => parseManifests(text, files[index] ?? ''));
}

async function filesOf(name: string): Promise<string[]> {
  const isFolder = await stat(name).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (!isFolder) return [name];
  return (await readdir(name))
    .filter((file) => /\.(ya?ml|json)$/.test(file))
    .sort()
    .map((file) => join(name, file));
}

async function readText(name: string): Promise<string> {
  try {
    if (name === '-') return Buffer.concat(await Array.fromAsync(process.stdin)).toString();
    return await readFile(name, 'utf8');
  } catch (error) {
    throw new Error(`cannot read ${name}: ${asError(error).message}`, { cause: error });
  }
}
