/** Name rules that only pods need (apimachinery util/validation): each returns its problems as upstream words them. */
import { byteLength, type FieldErrors } from './report.ts';

/** Longest name of a port (IANA service names). */
const PORT_NAME_MAX_LENGTH = 15;
const PORT_MAX = 65535;
/** Largest user or group id: ids are signed 32 bit numbers here. */
const ID_MAX = 2147483647;

/** Problems of a port's name. */
export function portNameProblems(name: string): readonly string[] {
  const rules: readonly (readonly [boolean, string])[] = [
    [name.length > PORT_NAME_MAX_LENGTH, `must be no more than ${PORT_NAME_MAX_LENGTH} characters`],
    [!/^[-a-z0-9]+$/.test(name), 'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)'],
    [!/[a-z]/.test(name), 'must contain at least one letter (a-z)'],
    [name.includes('--'), 'must not contain consecutive hyphens'],
    [name.startsWith('-') || name.endsWith('-'), 'must not begin or end with a hyphen'],
  ];
  return rules.filter(([broken]) => broken).map(([, text]) => text);
}

/** Problems of a port's number. */
export function portNumberProblems(port: number): readonly string[] {
  return port >= 1 && port <= PORT_MAX ? [] : [inclusiveRange(1, PORT_MAX)];
}

/** A port by number or by name. */
export function checkPort(errors: FieldErrors, path: string, port: number | string | undefined): void {
  if (typeof port === 'string') errors.invalidAll(path, port, portNameProblems(port));
  else errors.invalidAll(path, port ?? 0, portNumberProblems(port ?? 0));
}

/** A user or group id. */
export function checkId(errors: FieldErrors, path: string, id: number | undefined): void {
  if (id !== undefined && (id < 0 || id > ID_MAX)) errors.invalid(path, id, inclusiveRange(0, ID_MAX));
}

/** Upstream's InclusiveRangeError. */
export function inclusiveRange(low: number, high: number): string {
  return `must be between ${low} and ${high}, inclusive`;
}

/** Problems of an environment variable's name: printable ASCII without "=" (IsRelaxedEnvVarName). */
export function environmentNameProblems(name: string): readonly string[] {
  return /^[ -<>-~]+$/.test(name) ? [] : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

const KEY_FORMAT = '[-._a-zA-Z0-9]+';
const KEY = new RegExp(`^${KEY_FORMAT}$`);
const KEY_MAX_LENGTH = 253;

/** Problems of a key of a ConfigMap or Secret (IsConfigMapKey). */
export function configKeyProblems(key: string): readonly string[] {
  const problems: string[] = [];
  if (byteLength(key) > KEY_MAX_LENGTH) problems.push(`must be no more than ${KEY_MAX_LENGTH} characters`);
  if (!KEY.test(key)) {
    problems.push(
      `a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '${KEY_FORMAT}')`,
    );
  }
  if (key === '.') problems.push("must not be '.'");
  else if (key === '..') problems.push("must not be '..'");
  else if (key.startsWith('..')) problems.push("must not start with '..'");
  return problems;
}

const HEADER_FORMAT = '[-A-Za-z0-9]+';
const HEADER = new RegExp(`^${HEADER_FORMAT}$`);

/** Problems of the name of an HTTP header. */
export function headerNameProblems(name: string): readonly string[] {
  if (HEADER.test(name)) return [];
  return [`a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '${HEADER_FORMAT}')`];
}

/** A relative path that does not climb. */
export function checkDescendingPath(errors: FieldErrors, path: string, target: string): void {
  if (target.startsWith('/')) errors.invalid(path, target, 'must be a relative path');
  checkNoBacksteps(errors, path, target);
}

/** A relative path whose first part is no reserved name. */
export function checkLocalPath(errors: FieldErrors, path: string, target: string): void {
  checkDescendingPath(errors, path, target);
  if (target.startsWith('..') && !target.startsWith('../')) errors.invalid(path, target, "must not start with '..'");
}

/** A path without `..`. */
export function checkNoBacksteps(errors: FieldErrors, path: string, target: string): void {
  if (target.split('/').includes('..')) errors.invalid(path, target, "must not contain '..'");
}

const IP_TEXT = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';

/** An IPv4 or IPv6 address in a form that URLs know; leading zeros in IPv4 are allowed as in upstream's older fields. */
export function checkAddress(errors: FieldErrors, path: string, address: string): void {
  if (addressFamily(address) === undefined) errors.invalid(path, address, IP_TEXT);
}

/** 4 or 6, undefined for what is no address. */
export function addressFamily(address: string): 4 | 6 | undefined {
  const parts = address.split('.');
  if (parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return 4;
  const isV6 = address.includes(':') && /^[0-9a-fA-F:.]+$/.test(address) && URL.parse(`http://[${address}]/`) !== null;
  return isV6 ? 6 : undefined;
}
