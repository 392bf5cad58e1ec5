/** Addresses with a prefix length, such as 10.9.8.7/24, and their canonical form. */

const IPV4_BITS = 32;
const IPV6_BITS = 128;
const DOTTED = /^\d{1,3}(\.\d{1,3}){3}$/;

/** The problem of an interface address, undefined if there is none; host bits are kept. */
export function cidrProblem(text: string): string | undefined {
  const canonical = canonicalCidr(text);
  if (canonical === undefined) return 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)';
  return canonical === text ? undefined : `must be in canonical form ("${canonical}")`;
}

function canonicalCidr(text: string): string | undefined {
  const [address = '', length = '', ...rest] = text.split('/');
  if (rest.length > 0 || !/^\d{1,3}$/.test(length)) return undefined;
  const isV4 = DOTTED.test(address);
  const canonical = isV4 ? canonicalV4(address) : canonicalV6(address);
  if (canonical === undefined || Number(length) > (isV4 ? IPV4_BITS : IPV6_BITS)) return undefined;
  return `${canonical}/${Number(length)}`;
}

/** Leading zeros are read as decimal, as upstream's legacy parser does, and never canonical. */
function canonicalV4(address: string): string | undefined {
  const parts = address.split('.').map(Number);
  return parts.every((part) => part <= 255) ? parts.join('.') : undefined;
}

/** The URL parser knows RFC 5952; an IPv4 address inside IPv6 is never canonical here. */
function canonicalV6(address: string): string | undefined {
  if (!/^[0-9a-fA-F:.]+$/.test(address) || !address.includes(':')) return undefined;
  const url = URL.parse(`http://[${address}]/`);
  return url?.hostname.slice(1, -1);
}

/** 4 or 6 of a range of addresses, undefined for what is none; host bits may be set, as in upstream's older fields. */
export function cidrFamily(text: string): 4 | 6 | undefined {
  if (canonicalCidr(text) === undefined) return undefined;
  return text.includes(':') ? 6 : 4;
}
