/** Which range of pod addresses a node gets (nodeipam, RangeAllocator). Pure. */

/** kube-controller-manager: --node-cidr-mask-size of IPv4. */
const NODE_MASK_SIZE = 24;
/** Addresses of such a range. */
const BLOCK_SIZE = 2 ** (32 - NODE_MASK_SIZE);

/** The lowest /24 of the IPv4 `clusterCidr` that overlaps none of `taken`; undefined when all are taken. Throws for a CIDR that is none. */
export function freeRange(clusterCidr: string, taken: Iterable<string>): string | undefined {
  const cluster = parseCidr(clusterCidr);
  if (cluster === undefined) throw new Error(`${clusterCidr} is no IPv4 range`);
  const used = new Set<number>();
  for (const cidr of taken) {
    const other = parseCidr(cidr);
    if (other === undefined) continue;
    const end = Math.min(other.end, cluster.end);
    for (let block = Math.floor(Math.max(other.start, cluster.start) / BLOCK_SIZE); block * BLOCK_SIZE < end; block++) used.add(block);
  }
  for (let start = cluster.start; start < cluster.end; start += BLOCK_SIZE) {
    if (!used.has(start / BLOCK_SIZE)) return `${addressOf(start)}/${NODE_MASK_SIZE}`;
  }
  return undefined;
}

interface Range {
  readonly start: number;
  /** One past the last address. */
  readonly end: number;
}

function parseCidr(cidr: string): Range | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr);
  if (match === null) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = match.slice(1).map(Number);
  const size = 2 ** (32 - bits);
  const address = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  const start = address - (address % size);
  return { start, end: start + size };
}

function addressOf(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
