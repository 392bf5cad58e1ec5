/** Names of CDI devices: vendor/class=device. */
import { CdiError } from './spec.ts';

/** The parts of a qualified device name. */
export interface QualifiedName {
  readonly vendor: string;
  readonly class: string;
  readonly device: string;
}

const LETTER = /^[A-Za-z]$/;
const ALPHANUMERIC = /^[A-Za-z0-9]$/;
const VENDOR_OR_CLASS_CHARACTER = /^[A-Za-z0-9_.-]$/;
const DEVICE_CHARACTER = /^[A-Za-z0-9_.:-]$/;

/** Joins the parts; they are not checked. */
export function qualifiedName(vendor: string, deviceClass: string, device: string): string {
  return `${vendor}/${deviceClass}=${device}`;
}

/** Takes a qualified name apart; throws CdiError. */
export function parseQualifiedName(text: string): QualifiedName {
  const { vendor, class: deviceClass, device } = split(text);
  if (vendor === '') throw new CdiError(`unqualified device ${quote(text)}, missing vendor`);
  try {
    checkVendor(vendor);
    checkClass(deviceClass);
    checkDeviceName(device);
  } catch (error) {
    throw error instanceof CdiError ? new CdiError(`invalid device ${quote(text)}: ${error.message}`) : error;
  }
  return { vendor, class: deviceClass, device };
}

/** Whether `text` is a valid qualified name. */
export function isQualifiedName(text: string): boolean {
  try {
    parseQualifiedName(text);
    return true;
  } catch (error) {
    if (error instanceof CdiError) return false;
    throw error;
  }
}

/** Splits at the first "=" and the first "/"; missing parts are empty. */
function split(text: string): QualifiedName {
  const equals = text.indexOf('=');
  if (text.startsWith('/') || equals < 0) return { vendor: '', class: '', device: text };
  const kind = splitKind(text.slice(0, equals));
  const device = text.slice(equals + 1);
  // A part that is missing makes all of it unqualified, as the library has it.
  return kind.vendor === '' || kind.class === '' || device === '' ? { vendor: '', class: '', device: text } : { ...kind, device };
}

/** vendor/class taken apart; without a slash all is class. */
export function splitKind(kind: string): { vendor: string; class: string } {
  const slash = kind.indexOf('/');
  return slash < 0 ? { vendor: '', class: kind } : { vendor: kind.slice(0, slash), class: kind.slice(slash + 1) };
}

/** Throws CdiError unless `vendor` is valid. */
export function checkVendor(vendor: string): void {
  checkPart(vendor, 'invalid vendor.');
}

/** Throws CdiError unless `deviceClass` is valid. */
export function checkClass(deviceClass: string): void {
  checkPart(deviceClass, 'invalid class.');
}

function checkPart(name: string, prefix: string): void {
  const characters = [...name];
  const first = characters[0];
  if (first === undefined) throw new CdiError(`${prefix} empty name`);
  if (!LETTER.test(first)) throw new CdiError(`${prefix} ${quote(name)}, should start with letter`);
  for (const character of characters) {
    if (!VENDOR_OR_CLASS_CHARACTER.test(character)) throw new CdiError(`${prefix} invalid character '${character}' in name ${quote(name)}`);
  }
  if (!ALPHANUMERIC.test(characters.at(-1) ?? '')) throw new CdiError(`${prefix} ${quote(name)}, should end with a letter or digit`);
}

/** Throws CdiError unless `name` is a valid device name. */
export function checkDeviceName(name: string): void {
  const characters = [...name];
  const first = characters[0];
  if (first === undefined) throw new CdiError('invalid (empty) device name');
  if (!ALPHANUMERIC.test(first)) throw new CdiError(`invalid class ${quote(name)}, should start with a letter or digit`);
  for (const character of characters.slice(1, -1)) {
    if (!DEVICE_CHARACTER.test(character)) throw new CdiError(`invalid character '${character}' in device name ${quote(name)}`);
  }
  if (!ALPHANUMERIC.test(characters.at(-1) ?? '')) throw new CdiError(`invalid name ${quote(name)}, should end with a letter or digit`);
}

/** `text` in double quotes, as error texts show names. */
export function quote(text: string): string {
  return JSON.stringify(text);
}
