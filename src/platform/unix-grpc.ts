/** gRPC loaded on first use: its library is a large part of all modules, and an API server never needs it. */
import type { Grpc } from '#ports';

/** Servers and clients over unix sockets. */
export async function unixGrpc(): Promise<Grpc> {
  const { UnixGrpc } = await import('./grpc.ts');
  return new UnixGrpc();
}
