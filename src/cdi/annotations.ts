/** The older way to ask for devices: container annotations under cdi.k8s.io/. */
import { isQualifiedName, parseQualifiedName } from './name.ts';
import { CdiError } from './spec.ts';

const ANNOTATION_PREFIX = 'cdi.k8s.io/';

/** Longest name part of an annotation key. */
const NAME_LENGTH_MAX = 63;

/** The annotations with one more for these devices; throws CdiError when the key cannot be formed or is in use. */
export function annotateDevices(
  annotations: Readonly<Record<string, string>>,
  owner: { readonly plugin: string; readonly deviceID: string },
  devices: readonly string[],
): Readonly<Record<string, string>> {
  const key = annotationKey(owner.plugin, owner.deviceID);
  if (key in annotations) throw new CdiError(`CDI annotation failed, key ${JSON.stringify(key)} used`);
  for (const device of devices) parseQualifiedName(device);
  return { ...annotations, [key]: devices.join(',') };
}

function annotationKey(plugin: string, deviceID: string): string {
  if (plugin === '') throw new CdiError('CDI annotation failed: invalid plugin name, empty');
  if (deviceID === '') throw new CdiError('CDI annotation failed: invalid deviceID, empty');
  const name = `${plugin}_${deviceID.replaceAll('/', '_')}`;
  const problem = (text: string): CdiError => new CdiError(`CDI annotation failed: invalid plugin+deviceID ${JSON.stringify(name)}, ${text}`);
  if (name.length > NAME_LENGTH_MAX) throw problem('too long');
  if (!/^[A-Za-z0-9]/.test(name)) throw problem('first should be alphanumeric');
  if (!/^[A-Za-z0-9_.-]*$/.test(name)) throw problem('invalid character');
  if (!/[A-Za-z0-9]$/.test(name)) throw problem('last should be alphanumeric');
  return ANNOTATION_PREFIX + name;
}

/** Keys and devices of all CDI annotations, sorted by key; throws CdiError for a name that is none. */
export function parseDeviceAnnotations(annotations: Readonly<Record<string, string>>): { keys: readonly string[]; devices: readonly string[] } {
  const keys = Object.keys(annotations)
    .filter((key) => key.startsWith(ANNOTATION_PREFIX))
    .sort();
  const devices = keys.flatMap((key) => (annotations[key] ?? '').split(','));
  const bad = devices.find((device) => !isQualifiedName(device));
  if (bad !== undefined) throw new CdiError(`invalid CDI device name ${JSON.stringify(bad)}`);
  return { keys, devices };
}
