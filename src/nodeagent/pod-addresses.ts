/** Addresses of the pods of a node. Pure. */

/** Ranges for nodes that nobody gave one: apart from those of the node IPAM controller's first 128 nodes. */
const FALLBACK_FIRST = 128;
const FALLBACK_COUNT = 128;
/** The first address of a range is its name, the second usually its gateway. */
const FIRST_HOST = 2;

/** The lowest free address of an IPv4 range up to /24 and finer; undefined when all are used. */
export function freeAddress(podCidr: string, used: ReadonlySet<string>): string | undefined {
  const [address = '', bits = '24'] = podCidr.split('/');
  const numbers = address.split('.').map(Number);
  const [first = 0] = numbers.slice(3);
  const prefix = numbers.slice(0, 3).join('.');
  const size = 2 ** (32 - Math.max(24, Number(bits)));
  for (let host = FIRST_HOST; host < size - 1; host++) {
    const candidate = `${prefix}.${String(first + host)}`;
    if (!used.has(candidate)) return candidate;
  }
  return undefined;
}

/** A range that follows from the node's name, for clusters without a node IPAM controller; two nodes may share one. */
export function fallbackRange(nodeName: string): string {
  let hash = 0;
  for (const character of nodeName) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  return `10.244.${String(FALLBACK_FIRST + (hash % FALLBACK_COUNT))}.0/24`;
}
