/** IP addresses and networks (apiserver pkg/cel/library, ip.go and cidr.go). */
import { declare, type FunctionDeclaration, global, type Kind, member, str } from '../declarations.ts';
import * as t from '../types.ts';
import { CelError, noSuchOverload, OpaqueValue, type Value } from '../values.ts';
import { type Address, AddressError, addressText, parseAddress, parsePrefix } from './address-text.ts';

class IpValue extends OpaqueValue {
  readonly typeName = t.IP.name;
  readonly goTypeName = 'cel.IP';
  readonly goNativeName = 'netip.Addr';
  readonly address: Address;

  constructor(address: Address) {
    super();
    this.address = address;
  }

  override get size(): number {
    return this.address.width / 8;
  }

  override get key(): string {
    return this.toString();
  }

  override toString(): string {
    return addressText(this.address);
  }

  equals(other: Value): boolean | CelError {
    return other instanceof IpValue ? same(other.address, this.address) : noSuchOverload();
  }
}

class CidrValue extends OpaqueValue {
  readonly typeName = t.CIDR.name;
  readonly goTypeName = 'cel.CIDR';
  readonly goNativeName = 'netip.Prefix';
  readonly address: Address;
  readonly length: number;

  constructor(address: Address, length: number) {
    super();
    this.address = address;
    this.length = length;
  }

  override get size(): number {
    return Math.ceil(this.length / 8);
  }

  override get key(): string {
    return this.toString();
  }

  override toString(): string {
    return `${addressText(this.address)}/${this.length}`;
  }

  equals(other: Value): boolean | CelError {
    return other instanceof CidrValue ? same(other.address, this.address) && other.length === this.length : noSuchOverload();
  }

  /** Whether the address is of the network. */
  contains({ width, bits }: Address): boolean {
    const host = BigInt(this.address.width - this.length);
    return width === this.address.width && bits >> host === this.address.bits >> host;
  }
}

const ip: Kind<IpValue> = { type: t.IP, is: (value) => value instanceof IpValue };
const cidr: Kind<CidrValue> = { type: t.CIDR, is: (value) => value instanceof CidrValue };

function same(a: Address, b: Address): boolean {
  return a.width === b.width && a.bits === b.bits;
}

/** IPv4 addresses written as IPv6. */
function isMapped({ width, bits }: Address): boolean {
  return width === 128 && bits >> 32n === 0xffffn;
}

function readIp(text: string): IpValue | CelError {
  try {
    const address = parseAddress(text);
    if (address.zone !== '') return new CelError(`IP address ${JSON.stringify(text)} with zone value is not allowed`);
    return isMapped(address) ? mappedError(text) : new IpValue(address);
  } catch (thrown) {
    if (thrown instanceof AddressError) return new CelError(`IP Address ${JSON.stringify(text)} parse error during conversion from string: ${thrown.message}`);
    throw thrown;
  }
}

function mappedError(text: string): CelError {
  return new CelError(`IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`);
}

const NETWORK_ERROR = 'network address parse error during conversion from string: ';

function readCidr(text: string): CidrValue | CelError {
  try {
    const { address, length } = parsePrefix(text);
    return isMapped(address) ? new CelError(NETWORK_ERROR + mappedError(text).message) : new CidrValue(address, length);
  } catch (thrown) {
    // Upstream puts the same words before the reason twice.
    if (thrown instanceof AddressError) return new CelError(NETWORK_ERROR + NETWORK_ERROR + thrown.message);
    throw thrown;
  }
}

function masked({ address, length }: CidrValue): CidrValue {
  const host = BigInt(address.width - length);
  return new CidrValue({ ...address, bits: (address.bits >> host) << host }, length);
}

const within = (outer: CidrValue, inner: CidrValue): boolean => outer.length <= inner.length && outer.contains(inner.address);

/** Whether the address begins with the bits of `prefix` (of IPv4 or IPv6). */
function begins({ width, bits }: Address, prefix4: readonly [bits: bigint, length: number], prefix6: readonly [bits: bigint, length: number]): boolean {
  const [wanted, length] = width === 32 ? prefix4 : prefix6;
  return bits >> BigInt(width - length) === wanted;
}

const isUnspecified = ({ bits }: Address): boolean => bits === 0n;
const isLoopback = (address: Address): boolean => begins(address, [127n, 8], [1n, 128]);
const isLinkLocalUnicast = (address: Address): boolean => begins(address, [0xa9fen, 16], [0x3fan, 10]);
const isMulticast = (address: Address): boolean => begins(address, [0xen, 4], [0xffn, 8]);
const isBroadcast = ({ width, bits }: Address): boolean => width === 32 && bits === 0xffffffffn;

/** 224.0.0.0/24, and the IPv6 multicast addresses of link scope whatever their flags. */
function isLinkLocalMulticast({ width, bits }: Address): boolean {
  return width === 32 ? bits >> 8n === 0xe00000n : ((bits >> 112n) & 0xff0fn) === 0xff02n;
}

function isGlobalUnicast(address: Address): boolean {
  return ![isUnspecified, isLoopback, isMulticast, isLinkLocalUnicast, isBroadcast].some((test) => test(address));
}

function property(name: string, id: string, test: (address: Address) => boolean): FunctionDeclaration {
  return declare(
    name,
    member(`ip_is_${id}`, [ip], t.BOOL, (value) => test(value.address)),
  );
}

/** Everything on addresses and networks. */
export const ADDRESSES: readonly FunctionDeclaration[] = [
  declare(
    'ip',
    global('string_to_ip', [str], t.IP, readIp),
    member('cidr_ip', [cidr], t.IP, (value) => new IpValue(value.address)),
  ),
  declare(
    'isIP',
    global('is_ip', [str], t.BOOL, (text) => readIp(text) instanceof IpValue),
  ),
  declare(
    'ip.isCanonical',
    global('ip_is_canonical', [str], t.BOOL, (text) => {
      const value = readIp(text);
      return value instanceof CelError ? value : addressText(value.address) === text;
    }),
  ),
  declare(
    'family',
    member('ip_family', [ip], t.INT, (value) => (value.address.width === 32 ? 4n : 6n)),
  ),
  property('isUnspecified', 'unspecified', isUnspecified),
  property('isLoopback', 'loopback', isLoopback),
  property('isLinkLocalMulticast', 'link_local_multicast', isLinkLocalMulticast),
  property('isLinkLocalUnicast', 'link_local_unicast', isLinkLocalUnicast),
  property('isGlobalUnicast', 'global_unicast', isGlobalUnicast),
  declare(
    'string',
    global('ip_to_string', [ip], t.STRING, (value) => addressText(value.address)),
    global('cidr_to_string', [cidr], t.STRING, (value) => `${addressText(value.address)}/${value.length}`),
  ),
  declare('cidr', global('string_to_cidr', [str], t.CIDR, readCidr)),
  declare(
    'isCIDR',
    global('is_cidr', [str], t.BOOL, (text) => readCidr(text) instanceof CidrValue),
  ),
  declare(
    'containsIP',
    member('cidr_contains_ip_string', [cidr, str], t.BOOL, (network, text) => {
      const value = readIp(text);
      return value instanceof CelError ? noSuchOverload() : network.contains(value.address);
    }),
    member('cidr_contains_ip_ip', [cidr, ip], t.BOOL, (network, value) => network.contains(value.address)),
  ),
  declare(
    'containsCIDR',
    member('cidr_contains_cidr_string', [cidr, str], t.BOOL, (network, text) => {
      const value = readCidr(text);
      return value instanceof CelError ? value : within(network, value);
    }),
    member('cidr_contains_cidr', [cidr, cidr], t.BOOL, within),
  ),
  declare(
    'prefixLength',
    member('cidr_prefix_length', [cidr], t.INT, (value) => BigInt(value.length)),
  ),
  declare('masked', member('cidr_masked', [cidr], t.CIDR, masked)),
];
