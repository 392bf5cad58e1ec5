/** Checks a CDI spec as a loader does. */
import { checkClass, checkDeviceName, checkVendor, quote, splitKind } from './name.ts';
import { type CdiDevice, CdiError, type CdiSpec, type ContainerEdits, type DeviceNode, type Hook, type IntelRdt, type Mount, type NetDevice } from './spec.ts';
import { isAtLeast, isKnownVersion, minimumVersion } from './version.ts';

/** Points of a container's life that hooks can be tied to (OCI runtime spec). */
const HOOK_NAMES: ReadonlySet<string> = new Set(['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop']);
const DEVICE_TYPES: ReadonlySet<string> = new Set(['', 'b', 'c', 'u', 'p']);
/** The kernel's limit for a resctrl group's name. */
const CLOS_ID_BYTES_MAX = 4096;

/** Throws CdiError for the first thing wrong. */
export function validateSpec(spec: CdiSpec): void {
  within('invalid CDI Spec', () => {
    if (!isKnownVersion(spec.cdiVersion)) throw new CdiError(`invalid version ${quote(spec.cdiVersion)}`);
    const minimum = minimumVersion(spec);
    if (!isAtLeast(spec.cdiVersion, minimum)) throw new CdiError(`the spec version must be at least v${minimum}`);
    const { vendor, class: deviceClass } = splitKind(spec.kind);
    checkVendor(vendor);
    checkClass(deviceClass);
    checkEdits(spec.containerEdits ?? {});
    const names = new Set<string>();
    for (const device of spec.devices) {
      within(`failed add device ${quote(device.name)}`, () => checkDevice(device));
      if (names.has(device.name)) throw new CdiError(`invalid spec, multiple device ${quote(device.name)}`);
      names.add(device.name);
    }
    if (names.size === 0) throw new CdiError('invalid spec, no devices');
  });
}

function within(context: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw error instanceof CdiError ? new CdiError(`${context}: ${error.message}`) : error;
  }
}

function checkDevice(device: CdiDevice): void {
  checkDeviceName(device.name);
  if (isEmpty(device.containerEdits)) throw new CdiError('invalid device, empty device edits');
  within(`invalid device ${quote(device.name)}`, () => checkEdits(device.containerEdits));
}

function isEmpty(edits: ContainerEdits): boolean {
  const lists = [edits.env, edits.deviceNodes, edits.netDevices, edits.mounts, edits.hooks, edits.additionalGids];
  return edits.intelRdt === undefined && lists.every((list) => (list ?? []).length === 0);
}

function checkEdits(edits: ContainerEdits): void {
  within('invalid container edits', () => checkEnv(edits.env ?? []));
  for (const node of edits.deviceNodes ?? []) checkDeviceNode(node);
  checkNetDevices(edits.netDevices ?? []);
  for (const hook of edits.hooks ?? []) checkHook(hook);
  for (const mount of edits.mounts ?? []) checkMount(mount);
  if (edits.intelRdt !== undefined) checkIntelRdt(edits.intelRdt);
}

function checkEnv(env: readonly string[]): void {
  for (const variable of env) if (variable.indexOf('=') <= 0) throw new CdiError(`invalid environment variable ${quote(variable)}`);
}

function checkDeviceNode(node: DeviceNode): void {
  if (node.path === '') throw new CdiError('invalid (empty) device path');
  const { type = '', permissions = '' } = node;
  if (!DEVICE_TYPES.has(type)) throw new CdiError(`device ${quote(node.path)}: invalid type ${quote(type)}`);
  if (permissions !== 'none' && !/^[rwm]*$/.test(permissions)) throw new CdiError(`device ${quote(node.path)}: invalid permissions ${quote(permissions)}`);
}

function checkNetDevices(devices: readonly NetDevice[]): void {
  const seen: NetDevice[] = [];
  for (const { hostInterfaceName, name } of devices) {
    if (hostInterfaceName === '') throw new CdiError('invalid linux net device, empty HostInterfaceName');
    if (name === '') throw new CdiError('invalid linux net device, empty Name');
    const sameHost = seen.find((other) => other.hostInterfaceName === hostInterfaceName);
    if (sameHost !== undefined) {
      throw new CdiError(
        `invalid linux net device, duplicate HostInterfaceName ${quote(hostInterfaceName)} with names ${quote(name)} and ${quote(sameHost.name)}`,
      );
    }
    const sameName = seen.find((other) => other.name === name);
    if (sameName !== undefined) {
      throw new CdiError(
        `invalid linux net device, duplicate Name ${quote(name)} with HostInterfaceName ${quote(hostInterfaceName)} and ${quote(sameName.hostInterfaceName)}`,
      );
    }
    seen.push({ hostInterfaceName, name });
  }
}

function checkHook(hook: Hook): void {
  if (!HOOK_NAMES.has(hook.hookName)) throw new CdiError(`invalid hook name ${quote(hook.hookName)}`);
  if (hook.path === '') throw new CdiError(`invalid hook ${quote(hook.hookName)} with empty path`);
  within(`invalid hook ${quote(hook.hookName)}`, () => checkEnv(hook.env ?? []));
}

function checkMount(mount: Mount): void {
  if (mount.hostPath === '') throw new CdiError('invalid mount, empty host path');
  if (mount.containerPath === '') throw new CdiError('invalid mount, empty container path');
}

function checkIntelRdt(intelRdt: IntelRdt): void {
  const closID = intelRdt.closID ?? '';
  if (closID === '/') return;
  const tooLong = new TextEncoder().encode(closID).length >= CLOS_ID_BYTES_MAX;
  if (tooLong || closID === '.' || closID === '..' || /[/\n]/.test(closID)) throw new CdiError('invalid ClosID');
}
