/** gRPC over unix sockets, carrying bytes; `wire` turns them into messages. */

/** The status codes of gRPC that the node side meets (grpc/status). */
export const GrpcCode = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/** A call that ended in a status other than OK; handlers throw it to choose the status (anything else is `unknown`). */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** One served method: `path` is `/package.Service/Method`. */
export type GrpcMethod =
  | { readonly kind: 'unary'; readonly path: string; readonly handle: (request: Uint8Array) => Promise<Uint8Array> }
  | { readonly kind: 'serverStream'; readonly path: string; readonly handle: (request: Uint8Array, signal: AbortSignal) => AsyncIterable<Uint8Array> };

/** A listening server. */
export interface GrpcServer {
  /** Stops listening, ends open calls and removes the socket. */
  close(): Promise<void>;
}

/** A connection to a server; it reconnects by itself with backoff until closed. */
export interface GrpcClient {
  /** Rejects with GrpcError. */
  unary(path: string, request: Uint8Array, options: { readonly deadlineMs: number }): Promise<Uint8Array>;
  /** Throws GrpcError when the stream breaks; aborting `signal` ends it without an error. */
  serverStream(path: string, request: Uint8Array, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Calls `listener` when the connection comes up or goes down; keeps connecting while someone listens. */
  watchConnected(listener: (connected: boolean) => void): void;
  close(): void;
}

/** Makes servers and clients on unix sockets. */
export interface Grpc {
  /** Listens on `socketPath`, removing a stale socket first. Rejects when the path is too long for the system. */
  serve(socketPath: string, methods: readonly GrpcMethod[]): Promise<GrpcServer>;
  connect(socketPath: string): GrpcClient;
}
