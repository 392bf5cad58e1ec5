/** Finds a port to listen on. */
import type { Listener } from '#platform';

/** How many ports after the usual one are tried when the user named none. */
const PORTS_TRIED = 100;

/** Opens the named port or none other; without a name the first free one from `usual` on. */
export async function listenSomewhere(named: number | undefined, usual: number, open: (port: number) => Promise<Listener>): Promise<Listener> {
  if (named !== undefined) return open(named);
  for (let port = usual; port < usual + PORTS_TRIED; port++) {
    try {
      return await open(port);
    } catch (error) {
      if (!isAddressInUse(error) || port === usual + PORTS_TRIED - 1) throw error;
    }
  }
  throw new Error(`no free port from ${String(usual)} on`);
}

function isAddressInUse(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
}
