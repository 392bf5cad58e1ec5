/** The values of a device's attribute, in the form in which constraints compare them. */
import type { DeviceAttribute } from '#api';
import type { DeviceEntry } from './device.ts';

/** An attribute's values, each a text that carries its type, so values of different types are never equal. */
export interface AttributeValues {
  readonly values: ReadonlySet<string>;
  readonly isList: boolean;
}

/** The values of `name` (domain/id): the fully qualified attribute first, then the bare one when the domain is the driver's. */
export function attributeOf(entry: DeviceEntry, name: string): AttributeValues | undefined {
  const attributes = entry.device.attributes ?? {};
  const qualified = ownValue(attributes, name);
  if (qualified !== undefined) return valuesOf(qualified);
  const prefix = `${entry.driver}/`;
  const bare = name.startsWith(prefix) ? ownValue(attributes, name.slice(prefix.length)) : undefined;
  return bare === undefined ? undefined : valuesOf(bare);
}

/** Names come from users: `constructor` must not find what JavaScript objects inherit. */
function ownValue(attributes: Readonly<Record<string, DeviceAttribute>>, name: string): DeviceAttribute | undefined {
  return Object.hasOwn(attributes, name) ? attributes[name] : undefined;
}

function valuesOf(attribute: DeviceAttribute): AttributeValues | undefined {
  const { int, bool, string, version, ints = [], bools = [], strings = [], versions = [] } = attribute;
  if (int !== undefined) return scalar('int', int);
  if (bool !== undefined) return scalar('bool', bool);
  if (string !== undefined) return scalar('string', string);
  if (version !== undefined) return scalar('version', version);
  if (ints.length > 0) return list('int', ints);
  if (bools.length > 0) return list('bool', bools);
  if (strings.length > 0) return list('string', strings);
  if (versions.length > 0) return list('version', versions);
  return undefined;
}

type Value = string | number | bigint | boolean;

function scalar(type: string, value: Value): AttributeValues {
  return { values: new Set([`${type}:${value}`]), isList: false };
}

function list(type: string, values: readonly Value[]): AttributeValues {
  return { values: new Set(values.map((value) => `${type}:${value}`)), isList: true };
}
