/** The names of resource.k8s.io: drivers, pools, attributes, share ids. */
import { cIdentifierProblems, dnsLabelProblems, dnsSubdomainProblems } from './names.ts';
import { byteLength, type FieldErrors } from './report.ts';

/** resource.DriverNameMaxLength. */
export const DRIVER_NAME_MAX_LENGTH = 63;
/** resource.PoolNameMaxLength. */
export const POOL_NAME_MAX_LENGTH = 253;
/** resource.DeviceMaxIDLength. */
export const DEVICE_MAX_ID_LENGTH = 32;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Lengths of the forms that upstream's parser reads: bare, with dashes, in braces, as a URN. */
const UUID_LENGTHS = new Set([32, 36, 38, 45]);
const NORMALIZED_UUID_TEXT = 'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters';

/** A DNS label: device, request, counter. */
export function checkLabel(errors: FieldErrors, path: string, name: string): void {
  errors.invalidAll(path, name, dnsLabelProblems(name));
}

/** A DNS label that must be there: counter sets. */
export function checkRequiredLabel(errors: FieldErrors, path: string, name: string): void {
  if (name === '') errors.required(path);
  else checkLabel(errors, path, name);
}

/** A device class: a DNS subdomain. */
export function checkClassName(errors: FieldErrors, path: string, name: string): void {
  if (name === '') errors.required(path);
  else errors.invalidAll(path, name, dnsSubdomainProblems(name));
}

/** A driver: a DNS subdomain of at most 63 characters in any case. */
export function checkDriverName(errors: FieldErrors, path: string, name: string): void {
  if (name === '') return errors.required(path);
  if (byteLength(name) > DRIVER_NAME_MAX_LENGTH) errors.tooLong(path, DRIVER_NAME_MAX_LENGTH);
  errors.invalidAll(path, name, dnsSubdomainProblems(name.toLowerCase()));
}

/** What is wrong with a driver's name outside of objects, in sentences. */
export function driverNameProblems(name: string): readonly string[] {
  const tooLong = byteLength(name) > DRIVER_NAME_MAX_LENGTH ? [`must be no more than ${String(DRIVER_NAME_MAX_LENGTH)} bytes`] : [];
  return [...tooLong, ...dnsSubdomainProblems(name.toLowerCase())];
}

/** A pool: DNS subdomains separated by slashes. */
export function checkPoolName(errors: FieldErrors, path: string, name: string): void {
  if (name === '') return errors.required(path);
  if (byteLength(name) > POOL_NAME_MAX_LENGTH) errors.tooLong(path, POOL_NAME_MAX_LENGTH);
  for (const part of name.split('/')) errors.invalidAll(path, part, dnsSubdomainProblems(part));
}

/** An attribute or capacity: an identifier, perhaps with a domain. Two slashes pass in 1.36. */
export function checkQualifiedName(errors: FieldErrors, path: string, name: string): void {
  const parts = name.split('/');
  if (parts.length > 2) return;
  const [domain, id] = parts.length === 2 ? [parts[0], parts[1] ?? ''] : [undefined, name];
  if (domain === '') errors.invalid(path, '', 'the domain must not be empty');
  else if (domain !== undefined) checkDriverName(errors, path, domain);
  if (id === '' && domain !== undefined) errors.invalid(path, '', 'the name must not be empty');
  else checkIdentifier(errors, path, id);
}

/** A qualified name that must carry its domain. */
export function checkFullyQualifiedName(errors: FieldErrors, path: string, name: string): void {
  checkQualifiedName(errors, path, name);
  if (!name.includes('/')) errors.invalid(path, name, 'a fully qualified name must be a domain and a name separated by a slash');
}

function checkIdentifier(errors: FieldErrors, path: string, id: string): void {
  if (byteLength(id) > DEVICE_MAX_ID_LENGTH) errors.tooLong(path, DEVICE_MAX_ID_LENGTH);
  errors.invalidAll(path, id, cIdentifierProblems(id));
}

/** A share of a device: a UUID in lower case. */
export function checkShareId(errors: FieldErrors, path: string, id: string | undefined): void {
  if (id === undefined || UUID.test(id)) return;
  errors.invalid(path, id, UUID_LENGTHS.has(id.length) ? NORMALIZED_UUID_TEXT : `error validating uid: invalid UUID length: ${id.length}`);
}
