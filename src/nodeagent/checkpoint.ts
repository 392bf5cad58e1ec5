/** The kubelet's dra_manager_state file: which claims are prepared, for whom, and as which CDI devices. */
import { assert } from '#base';

/** A device as a driver reported it. Field names are the file's. */
export interface CheckpointDevice {
  readonly PoolName: string;
  readonly DeviceName: string;
  readonly ShareID: string | null;
  readonly RequestNames: readonly string[] | null;
  readonly CDIDeviceIDs: readonly string[] | null;
}

/** A claim in use on the node. */
export interface CheckpointClaim {
  readonly ClaimUID: string;
  readonly ClaimName: string;
  readonly Namespace: string;
  readonly PodUIDs: Readonly<Record<string, object>>;
  readonly DriverState: Readonly<Record<string, { readonly Devices: readonly CheckpointDevice[] | null }>>;
}

/** The file cannot be trusted; the node agent must not go on as if nothing were prepared. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

const KIND = 'DRACheckpoint';
const API_VERSION = 'checkpoint.dra.kubelet.k8s.io/v1';

/** The file's text, byte for byte as the kubelet writes it: Go escapes <, > and & inside strings. */
export function encodeCheckpoint(claims: readonly CheckpointClaim[]): string {
  const data = escapeAsGo(JSON.stringify({ kind: KIND, apiVersion: API_VERSION, ClaimInfoStateList: claims.map(ordered) }));
  return `{"Data":${escapeAsGo(JSON.stringify(data))},"Checksum":${crc32(new TextEncoder().encode(data))}}`;
}

/** The claims of a file's text. Throws CheckpointError when it is damaged. */
export function decodeCheckpoint(text: string): readonly CheckpointClaim[] {
  const file = parse(text);
  const { Data: data, Checksum: checksum } = file;
  if (typeof data !== 'string' || typeof checksum !== 'number') throw new CheckpointError('checkpoint is corrupted: Data or Checksum is missing');
  const actual = crc32(new TextEncoder().encode(data));
  if (actual !== checksum) throw new CheckpointError(`checkpoint is corrupted: checksum ${actual} instead of ${checksum}`);
  const content = parse(data);
  // Drafts of the upstream change called the list Entries.
  const list = content['ClaimInfoStateList'] ?? content['Entries'] ?? [];
  if (!Array.isArray(list)) throw new CheckpointError('checkpoint is corrupted: ClaimInfoStateList is no list');
  return list.map(readClaim);
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value));
  } catch (error) {
    throw new CheckpointError(`checkpoint is corrupted: ${error instanceof Error ? error.message : 'not JSON'}`);
  }
  throw new CheckpointError('checkpoint is corrupted: not an object');
}

function readClaim(value: unknown): CheckpointClaim {
  const claim = typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
  const { ClaimUID, ClaimName, Namespace, PodUIDs, DriverState } = claim as Partial<CheckpointClaim>;
  if (typeof ClaimUID !== 'string' || typeof ClaimName !== 'string' || typeof Namespace !== 'string') {
    throw new CheckpointError('checkpoint is corrupted: a claim without UID, name or namespace');
  }
  return { ClaimUID, ClaimName, Namespace, PodUIDs: PodUIDs ?? {}, DriverState: DriverState ?? {} };
}

/** Members in the order of the Go structs; maps sorted as Go sorts them. */
function ordered(claim: CheckpointClaim): CheckpointClaim {
  const { ClaimUID, ClaimName, Namespace, PodUIDs, DriverState } = claim;
  const drivers = sortedEntries(DriverState).map(([driver, { Devices }]) => [driver, { Devices: Devices?.map(orderedDevice) ?? null }] as const);
  return { ClaimUID, ClaimName, Namespace, PodUIDs: Object.fromEntries(sortedEntries(PodUIDs)), DriverState: Object.fromEntries(drivers) };
}

function orderedDevice({ PoolName, DeviceName, ShareID, RequestNames, CDIDeviceIDs }: CheckpointDevice): CheckpointDevice {
  return { PoolName, DeviceName, ShareID, RequestNames, CDIDeviceIDs };
}

function sortedEntries<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}

function escapeAsGo(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const CRC_TABLE: readonly number[] = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = (c & 1) === 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c >>> 0;
});

/** CRC-32/IEEE of bytes. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    const entry = CRC_TABLE[(crc ^ byte) & 0xff];
    assert(entry !== undefined, 'the table has 256 entries');
    crc = (crc >>> 8) ^ entry;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
