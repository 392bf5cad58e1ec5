/** The sockets of a driver: where they are, and how their names are kept within what the system takes. Pure. */

/** Linux allows 108 bytes for the whole path, the closing NUL among them. */
const SOCKET_PATH_BYTES_MAX = 107;

/** What tells a driver's sockets apart. */
export interface SocketPlaces {
  readonly driver: string;
  /** Of one of two instances during a rolling update: its pod's UID. */
  readonly instance?: string | undefined;
  readonly registryDirectory: string;
  readonly dataDirectory: string;
}

/** Absolute paths of both sockets; a name that is too long is shortened as far as it helps. */
export function socketPaths({ driver, instance, registryDirectory, dataDirectory }: SocketPlaces): { readonly registration: string; readonly service: string } {
  if (instance === undefined) return { registration: `${registryDirectory}/${driver}-reg.sock`, service: `${dataDirectory}/dra.sock` };
  const short = hashOf(instance);
  return {
    registration: firstThatFits(registryDirectory, [
      `${driver}-${instance}-reg.sock`,
      `${driver}-${short}-reg.sock`,
      `dra-${hashOf(`${driver}\0${instance}`)}-reg.sock`,
    ]),
    service: firstThatFits(dataDirectory, [`dra-${instance}.sock`, `dra-${short}.sock`, `${short}.sock`]),
  };
}

function firstThatFits(directory: string, names: readonly string[]): string {
  const paths = names.map((name) => `${directory}/${name}`);
  return paths.find((path) => new TextEncoder().encode(path).length <= SOCKET_PATH_BYTES_MAX) ?? paths.at(-1) ?? directory;
}

/** FNV-1a of 64 bits: names only have to differ between two instances of one node. */
function hashOf(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(36);
}
