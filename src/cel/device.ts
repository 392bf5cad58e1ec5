/** A device as expressions see it: the variable `device`. */
import { parseQuantity, Semver, SemverError } from '#machinery';
import { CelError, CelMap, listOfDevice, type Value } from './values.ts';

/** An attribute as in resource.k8s.io/v1; exactly one field is set. */
export interface CelAttribute {
  readonly int?: number | bigint | string;
  readonly bool?: boolean;
  readonly string?: string;
  readonly version?: string;
  readonly ints?: readonly (number | bigint | string)[];
  readonly bools?: readonly boolean[];
  readonly strings?: readonly string[];
  readonly versions?: readonly string[];
}

/** What selectors can see of a device. */
export interface CelDevice {
  readonly driver: string;
  readonly attributes?: Readonly<Record<string, CelAttribute>> | undefined;
  readonly capacity?: Readonly<Record<string, { readonly value: string }>> | undefined;
  readonly allowMultipleAllocations?: boolean | undefined;
}

/** A device whose value is built at most once, however many selectors look at it. */
class WrappedDevice implements CelDevice {
  readonly driver: string;
  readonly attributes: Readonly<Record<string, CelAttribute>>;
  readonly capacity: Readonly<Record<string, { readonly value: string }>>;
  readonly allowMultipleAllocations: boolean;
  #value: Value | undefined;

  constructor(driver: string, device: Omit<CelDevice, 'driver'>) {
    this.driver = driver;
    this.attributes = device.attributes ?? {};
    this.capacity = device.capacity ?? {};
    this.allowMultipleAllocations = device.allowMultipleAllocations ?? false;
  }

  /** The variable `device`, or the error of an attribute that has no value. */
  get value(): Value {
    this.#value ??= deviceValue(this);
    return this.#value;
  }
}

/** Wraps a device for repeated evaluation; `driver` is the driver of its slice. */
export function celDevice(driver: string, device: Omit<CelDevice, 'driver'>): CelDevice {
  return new WrappedDevice(driver, device);
}

/** The variable `device` of a device, kept when the device was wrapped. */
export function valueOfDevice(device: CelDevice): Value {
  return device instanceof WrappedDevice ? device.value : deviceValue(device);
}

/** What unknown domains hold. */
const EMPTY = new CelMap(null);

function deviceValue(device: CelDevice): Value {
  const attributes = byDomain(device.driver, device.attributes ?? {}, attributeValue);
  if (attributes instanceof CelError) return attributes;
  const capacity = byDomain(device.driver, device.capacity ?? {}, (_name, { value }) => parseQuantity(value) ?? new CelError(`quantity "${value}" is invalid`));
  if (capacity instanceof CelError) return capacity;
  const fields = new CelMap(null);
  fields.set('driver', device.driver);
  fields.set('attributes', attributes);
  fields.set('capacity', capacity);
  fields.set('allowMultipleAllocations', device.allowMultipleAllocations ?? false);
  return fields;
}

/** Sorts qualified names by domain; a name that spells the driver's own domain wins over one that leaves it out. */
function byDomain<T>(driver: string, entries: Readonly<Record<string, T>>, read: (name: string, entry: T) => Value): CelMap | CelError {
  const domains = new CelMap(EMPTY);
  for (const [name, entry] of Object.entries(entries)) {
    const value = read(name, entry);
    if (value instanceof CelError) return value;
    const slash = name.indexOf('/');
    const domain = slash < 0 ? driver : name.slice(0, slash);
    const known = domains.has(domain) ? domains.get(domain) : undefined;
    const map = known instanceof CelMap ? known : new CelMap(null);
    if (map !== known) domains.set(domain, map);
    const id = name.slice(slash + 1);
    if (slash >= 0 || !map.has(id)) map.set(id, value);
  }
  return domains;
}

function attributeValue(name: string, attribute: CelAttribute): Value {
  const { ints, bools, strings, versions, int, bool, string, version } = attribute;
  if (ints !== undefined) return listOfDevice(ints.map((value) => BigInt(value)));
  if (bools !== undefined) return listOfDevice(bools);
  if (strings !== undefined) return listOfDevice(strings);
  if (versions !== undefined) return versionsValue(name, versions);
  if (int !== undefined) return BigInt(int);
  if (bool !== undefined) return bool;
  if (string !== undefined) return string;
  return version === undefined ? new CelError(`attribute ${name}: unsupported attribute value`) : versionValue(name, version);
}

function versionsValue(name: string, texts: readonly string[]): Value {
  const values = texts.map((text) => versionValue(name, text));
  return values.find((value) => value instanceof CelError) ?? listOfDevice(values);
}

function versionValue(name: string, text: string): Value {
  try {
    return Semver.read(text);
  } catch (thrown) {
    if (thrown instanceof SemverError) return new CelError(`attribute ${name}: parse semantic version: ${thrown.message}`);
    throw thrown;
  }
}
