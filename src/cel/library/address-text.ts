/** IP addresses and networks from and to text, with the verdicts and texts of Go's net/netip. */

/** An address: 32 or 128 bits, with the zone that some IPv6 addresses carry. */
export interface Address {
  readonly width: 32 | 128;
  readonly bits: bigint;
  readonly zone: string;
}

/** Why a text is no address. */
export class AddressError extends Error {}

/** Lengths beyond are no numbers to Go. */
const INT64_MAX = 2n ** 63n - 1n;

const quoted = (text: string): string => JSON.stringify(text);

function refuse(whole: string, message: string, at = ''): never {
  throw new AddressError(`ParseAddr(${quoted(whole)}): ${message}${at === '' ? '' : ` (at ${quoted(at)})`}`);
}

/** Reads an address; throws AddressError. */
export function parseAddress(text: string): Address {
  for (const char of text) {
    if (char === '.') return { width: 32, bits: parseFields4(text, 0, text.length), zone: '' };
    if (char === ':') return parseAddress6(text);
    if (char === '%') return refuse(text, 'missing IPv6 address');
  }
  return refuse(text, 'unable to parse IP');
}

/** The four decimal fields between two positions of the text. */
function parseFields4(text: string, from: number, to: number): bigint {
  let bits = 0n;
  let value = 0;
  let digits = 0;
  let fields = 0;
  for (let i = from; i < to; i++) {
    const char = text.charAt(i);
    if (char >= '0' && char <= '9') {
      if (digits === 1 && value === 0) refuse(text, 'IPv4 field has octet with leading zero');
      value = value * 10 + Number(char);
      digits++;
      if (value > 255) refuse(text, 'IPv4 field has value >255');
    } else if (char === '.') {
      if (digits === 0 || i === to - 1) refuse(text, 'IPv4 field must have at least one digit', text.slice(i, to));
      if (fields === 3) refuse(text, 'IPv4 address too long');
      bits = (bits << 8n) | BigInt(value);
      fields++;
      value = 0;
      digits = 0;
    } else refuse(text, 'unexpected character', text.slice(i, to));
  }
  if (fields < 3) refuse(text, 'IPv4 address too short');
  return (bits << 8n) | BigInt(value);
}

/** What is read of an IPv6 address: groups of 16 bits, and before which of them `::` stands. */
interface Groups {
  readonly values: bigint[];
  ellipsis: number;
}

function parseAddress6(text: string): Address {
  const percent = text.indexOf('%');
  const zone = percent < 0 ? '' : text.slice(percent + 1);
  if (percent >= 0 && zone === '') refuse(text, 'zone must be a non-empty string');
  const end = percent < 0 ? text.length : percent;
  const groups: Groups = { values: [], ellipsis: -1 };
  let start = 0;
  if (text.startsWith('::')) {
    groups.ellipsis = 0;
    start = 2;
  }
  const stop = start === end ? end : readGroups(text, start, end, groups);
  if (stop < end) refuse(text, 'trailing garbage after address', text.slice(stop, end));
  return { width: 128, bits: expand(text, groups), zone };
}

/** Reads groups up to the eighth; answers where it stopped. */
function readGroups(text: string, from: number, end: number, groups: Groups): number {
  let at = from;
  while (groups.values.length < 8) {
    const rest = text.slice(at, end);
    const digits = /^[0-9a-fA-F]*/.exec(rest)?.[0] ?? '';
    if (digits.length > 4) refuse(text, 'each group must have 4 or less digits', rest);
    if (digits === '') refuse(text, 'each colon-separated field must have at least one digit', rest);
    if (rest[digits.length] === '.') return readEmbedded(text, at, end, groups);
    groups.values.push(BigInt(`0x${digits}`));
    at += digits.length;
    if (at === end) return end;
    if (text[at] !== ':') refuse(text, 'unexpected character, want colon', text.slice(at, end));
    if (at + 1 === end) refuse(text, 'colon must be followed by more characters', text.slice(at, end));
    at++;
    if (text[at] === ':') {
      if (groups.ellipsis >= 0) refuse(text, 'multiple :: in address', text.slice(at, end));
      groups.ellipsis = groups.values.length;
      at++;
      if (at === end) return end;
    }
  }
  return at;
}

function readEmbedded(text: string, at: number, end: number, groups: Groups): number {
  const rest = text.slice(at, end);
  if (groups.ellipsis < 0 && groups.values.length !== 6) refuse(text, 'embedded IPv4 address must replace the final 2 fields of the address', rest);
  if (groups.values.length > 6) refuse(text, 'too many hex fields to fit an embedded IPv4 at the end of the address', rest);
  const bits = parseFields4(text, at, end);
  groups.values.push(bits >> 16n, bits & 0xffffn);
  return end;
}

function expand(text: string, { values, ellipsis }: Groups): bigint {
  if (values.length < 8 && ellipsis < 0) refuse(text, 'address string too short');
  if (values.length === 8 && ellipsis >= 0) refuse(text, 'the :: must expand to at least one field of zeros');
  const zeros = Array.from({ length: 8 - values.length }, () => 0n);
  return values.toSpliced(Math.max(0, ellipsis), 0, ...zeros).reduce((bits, group) => (bits << 16n) | group, 0n);
}

/** Reads `address/length`; throws AddressError. */
export function parsePrefix(text: string): { readonly address: Address; readonly length: number } {
  const fail = (message: string): never => {
    throw new AddressError(`netip.ParsePrefix(${quoted(text)}): ${message}`);
  };
  const slash = text.lastIndexOf('/');
  if (slash < 0) return fail("no '/'");
  const address = addressOrFail(text.slice(0, slash), fail);
  if (address.zone !== '') return fail('IPv6 zones cannot be present in a prefix');
  const length = text.slice(slash + 1);
  if (!/^(?:\d|[1-9]\d+)$/.test(length) || BigInt(length) > INT64_MAX) return fail(`bad bits after slash: ${quoted(length)}`);
  if (Number(length) > address.width) return fail('prefix length out of range');
  return { address, length: Number(length) };
}

function addressOrFail(text: string, fail: (message: string) => never): Address {
  try {
    return parseAddress(text);
  } catch (thrown) {
    if (thrown instanceof AddressError) return fail(thrown.message);
    throw thrown;
  }
}

/** The canonical text of an address without zone (RFC 5952 for IPv6). */
export function addressText({ width, bits }: Address): string {
  const size = width === 32 ? 8n : 16n;
  const count = width / Number(size);
  const parts = Array.from({ length: count }, (_, i) => (bits >> (size * BigInt(count - 1 - i))) & ((1n << size) - 1n));
  if (width === 32) return parts.join('.');
  let run = { from: 0, length: 1 };
  for (let from = 0; from < 8; from++) {
    let length = 0;
    while (parts[from + length] === 0n) length++;
    if (length > run.length) run = { from, length };
  }
  const hex = parts.map((part) => part.toString(16));
  if (run.length < 2) return hex.join(':');
  return `${hex.slice(0, run.from).join(':')}::${hex.slice(run.from + run.length).join(':')}`;
}
