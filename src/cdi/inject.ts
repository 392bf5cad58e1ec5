/** Applies CDI edits to an OCI spec. */
import type { FileStat, HostFiles } from '#ports';
import type { OciDevice, OciHook, OciLinux, OciMount, OciSpec } from './oci.ts';
import { CdiError, type ContainerEdits, type DeviceNode, type Mount, type NetDevice } from './spec.ts';

/** A device node with everything filled in from the host. */
type FilledNode = DeviceNode & { readonly type: string };

/** The spec with all edits applied in order; `oci` itself is not changed. Throws CdiError when a host device does not fit. */
export async function applyEdits(oci: OciSpec, edits: readonly ContainerEdits[], files: HostFiles): Promise<OciSpec> {
  const all = merge(edits);
  const nodes: FilledNode[] = [];
  for (const node of all.deviceNodes ?? []) nodes.push(await fillFromHost(node, files));
  const result = structuredClone(oci);
  for (const variable of all.env ?? []) setEnv(result, variable);
  for (const node of nodes) addDeviceNode(result, node);
  for (const device of all.netDevices ?? []) addNetDevice(result, device);
  addMounts(result, all.mounts ?? []);
  addHooks(result, all);
  if (all.intelRdt !== undefined) linuxOf(result).intelRdt = { ...all.intelRdt };
  addGids(result, all.additionalGids ?? []);
  return result;
}

function merge(edits: readonly ContainerEdits[]): ContainerEdits {
  return {
    env: edits.flatMap((e) => e.env ?? []),
    deviceNodes: edits.flatMap((e) => e.deviceNodes ?? []),
    netDevices: edits.flatMap((e) => e.netDevices ?? []),
    mounts: edits.flatMap((e) => e.mounts ?? []),
    hooks: edits.flatMap((e) => e.hooks ?? []),
    intelRdt: edits.findLast((e) => e.intelRdt !== undefined)?.intelRdt,
    additionalGids: edits.flatMap((e) => e.additionalGids ?? []),
  };
}

/** The host's node is asked for what the edit leaves out; with type and numbers given it need not exist. */
async function fillFromHost(node: DeviceNode, files: HostFiles): Promise<FilledNode> {
  const hostPath = node.hostPath === undefined || node.hostPath === '' ? node.path : node.hostPath;
  const { type = '', major = 0 } = node;
  const host = await files.stat(hostPath);
  const hostType = host === undefined ? undefined : DEVICE_LETTERS[host.kind];
  if (type !== '' && (major !== 0 || type === 'p')) {
    const fileMode = node.fileMode ?? (hostType === undefined ? undefined : host?.mode);
    return { ...node, type, fileMode };
  }
  if (host === undefined) throw new CdiError(`failed to stat CDI host device ${JSON.stringify(hostPath)}: no such file or directory`);
  if (hostType === undefined) throw new CdiError(`failed to stat CDI host device ${JSON.stringify(hostPath)}: not a device node`);
  if (type !== '' && type !== hostType) {
    throw new CdiError(`CDI device (${JSON.stringify(node.path)}, ${JSON.stringify(hostPath)}), host type mismatch (${type}, ${hostType})`);
  }
  const numbers = hostType === 'p' ? {} : { major: host.major, minor: host.minor };
  return { ...node, type: hostType, ...numbers, fileMode: node.fileMode ?? host.mode };
}

const DEVICE_LETTERS: Readonly<Partial<Record<FileStat['kind'], string>>> = { block: 'b', char: 'c', fifo: 'p' };

function setEnv(oci: OciSpec, variable: string): void {
  const prefix = variable.slice(0, variable.indexOf('=') + 1);
  const main = (oci.process ??= { user: { uid: 0, gid: 0 }, cwd: '' });
  const env = (main.env ??= []);
  // Of several with that name the last is in force, so it is the one replaced.
  const at = env.findLastIndex((other) => other.startsWith(prefix));
  if (at < 0) env.push(variable);
  else env[at] = variable;
}

function linuxOf(oci: OciSpec): OciLinux {
  return (oci.linux ??= {});
}

function addDeviceNode(oci: OciSpec, node: FilledNode): void {
  const linux = linuxOf(oci);
  const user = oci.process?.user;
  const uid = node.uid ?? positive(user?.uid);
  const gid = node.gid ?? positive(user?.gid);
  const device: OciDevice = {
    path: node.path,
    type: node.type,
    ...present({ major: positive(node.major), minor: positive(node.minor), fileMode: node.fileMode, uid, gid }),
  };
  linux.devices = [...(linux.devices ?? []).filter((other) => other.path !== node.path), device];
  if (node.type !== 'b' && node.type !== 'c') return;
  const { permissions = '' } = node;
  const access = permissions === '' ? 'rwm' : permissions === 'none' ? undefined : permissions;
  const rule = { allow: true, type: node.type, ...present({ major: node.major ?? 0, minor: node.minor ?? 0, access }) };
  const resources = (linux.resources ??= {});
  resources.devices = [...(resources.devices ?? []), rule];
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

/** Leaves out what is undefined: the result is written as JSON and compared as such. */
function present<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  // Members with undefined are gone; the type says so.
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> };
}

function addNetDevice(oci: OciSpec, device: NetDevice): void {
  (linuxOf(oci).netDevices ??= {})[device.hostInterfaceName] = { name: device.name };
}

function addMounts(oci: OciSpec, mounts: readonly Mount[]): void {
  if (mounts.length === 0) return;
  const userNamespace = (oci.linux?.namespaces ?? []).some((namespace) => namespace.type === 'user');
  let result = oci.mounts ?? [];
  for (const mount of mounts) {
    result = [...result.filter((other) => other.destination !== mount.containerPath), ociMount(mount, userNamespace)];
  }
  oci.mounts = result.sort((a, b) => depth(a.destination) - depth(b.destination));
}

function ociMount(mount: Mount, userNamespace: boolean): OciMount {
  const options = [...(mount.options ?? [])];
  if (userNamespace && !options.includes('idmap') && !options.includes('ridmap')) {
    if (options.includes('rbind')) options.push('ridmap');
    else if (mount.type === 'bind' || options.includes('bind')) options.push('idmap');
  }
  const type = mount.type === '' ? undefined : mount.type;
  return { destination: mount.containerPath, source: mount.hostPath, ...present({ type, options: options.length > 0 ? options : undefined }) };
}

/** Path components, so that a mount comes after those it lies in. */
function depth(path: string): number {
  return path.split('/').filter((part) => part !== '' && part !== '.').length || 1;
}

function addHooks(oci: OciSpec, edits: ContainerEdits): void {
  for (const hook of edits.hooks ?? []) {
    const { path, args, env, timeout } = hook;
    const entry: OciHook = { path, ...present({ args: nonEmpty(args), env: nonEmpty(env), timeout }) };
    const hooks = (oci.hooks ??= {});
    hooks[hook.hookName] = [...(hooks[hook.hookName] ?? []), entry];
  }
}

function nonEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

function addGids(oci: OciSpec, gids: readonly number[]): void {
  for (const gid of gids) {
    if (gid === 0) continue;
    const user = ((oci.process ??= {}).user ??= {});
    const known = user.additionalGids ?? [];
    if (!known.includes(gid)) user.additionalGids = [...known, gid];
  }
}
